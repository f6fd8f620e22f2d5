/* A melody carried on: the prompt is analysed, notes are planned on from it, sound as the prompt's
 * own would, and are played sample by sample by the predictor.
 *
 *   prompt -> notes, partials -> note tier -> frame tier (timbre) -> anchor, condition
 *                                                        -> sample tier -> sound
 *
 * A pure function of model, prompt and settings, sample for sample, for as long as wanted, in
 * constant memory. Mono at MELODY_RATE. Nothing here is for an audio thread. */
#ifndef BRUME_MODELS_CONTINUATION_H
#define BRUME_MODELS_CONTINUATION_H

#include "dsp/error.h"
#include "models/melody_model.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ContinuationSettings {
    uint64_t seed;
    float temperature; /* of the notes: 0 (the likeliest always) to 2 */
    float top_p;       /* of the notes: 0..1 */
    double after;      /* seconds from the prompt's end to the first sample: 0 joins it, and what
                          rings on is heard; otherwise a tune begins */
} ContinuationSettings;

/* What was made of the prompt, and how it went since. */
typedef struct ContinuationReport {
    float sure;          /* 0..1: that it is one melody */
    size_t notes;        /* heard in it */
    double beat;         /* seconds; 0 before it is known */
    double surprise;     /* of its notes to the note tier, nats a note; NaN with few */
    uint64_t played;     /* notes planned so far */
    unsigned mended;     /* stuck notes, loops and strays that were put right so far */
    uint64_t recoveries; /* frames of 4 ms that the predictor had to do again so far */
} ContinuationReport;

typedef struct Continuation Continuation;

/* Seed 1, temperature 0.85, top-p 0.92, joined. */
ContinuationSettings continuation_defaults(void);

/* Ranges of the settings; -1 names the fault. */
int continuation_check(const ContinuationSettings *settings, Error *err);

/* Carries on prompt (n,), full scale 1; of a long one, its last CONTINUATION_HEARD seconds. The
 * model must outlive the continuation; `cancel` (or NULL) makes it give up soon when it becomes
 * true. NULL with a message when the prompt holds no melody that could be carried on (too short,
 * silent, noise, chords, speech), when cancelled, or out of memory. Takes 0.1 to 0.3 s for each
 * second of the prompt. */
#define CONTINUATION_HEARD 24
Continuation *continuation_create(const MelodyModel *model, const float *prompt, size_t n,
                                  const ContinuationSettings *settings, const atomic_bool *cancel,
                                  Error *err);
void continuation_destroy(Continuation *continuation);

/* The next n samples, finite, within +-1. Allocates nothing, and never ends. */
void continuation_read(Continuation *continuation, float *out, size_t n);

ContinuationReport continuation_report(const Continuation *continuation);

#endif
