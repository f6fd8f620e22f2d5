/* A recital: a continuation at a host's or file's own rate, limited, interleaved. The command and
 * the plugin both play continuations through this, so what they play is the same to the bit. */
#ifndef BRUME_MODELS_RECITAL_H
#define BRUME_MODELS_RECITAL_H

#include "dsp/pack.h"
#include "models/continuation.h"

typedef struct Recital Recital;

/* Carries on prompt (n,), mono at MELODY_RATE, on 1 or 2 equal channels at `rate` Hz, 1000..768000.
 * Arguments else, and failures, as in continuation_create. */
Recital *recital_create(const MelodyModel *model, const float *prompt, size_t n,
                        const ContinuationSettings *settings, unsigned channels, double rate,
                        const atomic_bool *cancel, Error *err);
void recital_destroy(Recital *recital);

/* The next `frames` frames, interleaved (frames, channels), finite, within +-1. Frame 0 follows the
 * prompt's last, or is `after` seconds later and then faded in. -1 out of memory. */
int recital_read(Recital *recital, float *out, size_t frames, Error *err);

ContinuationReport recital_report(const Recital *recital);

/* What it takes to make the same recital again: settings, and the prompt as far as it counts. */
void recital_pack(const Recital *recital, Packer *packer);

/* The same back: *prompt (*n,) is the caller's to free. Trusts nothing of it: -1 with a message,
 * and *prompt NULL, where it is none or memory is short. */
int recital_unpack(Unpacker *unpacker, ContinuationSettings *settings, float **prompt, size_t *n,
                   Error *err);

#endif
