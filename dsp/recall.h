/* Where the past resembled the present: the place, up to RECALL_HISTORY samples back, whose
 * continuation is likely to be heard again, because the same note was struck there, the same loop
 * went round. Long-term prediction as in speech coders, but over seconds instead of a pitch period;
 * to be given a whitened signal, so that what correlates is the sound's detail and not its pitch.
 *
 * Every RECALL_HOP samples the newest RECALL_TEMPLATE values are correlated with all of the
 * history, by Fourier transforms of blocks whose spectra are kept. Deterministic; memory constant;
 * any thread, one at a time per object. */
#ifndef BRUME_DSP_RECALL_H
#define BRUME_DSP_RECALL_H

#include "dsp/error.h"

#include <stddef.h>

enum {
    RECALL_HISTORY = 1 << 18, /* 16 s at 16 kHz */
    RECALL_TEMPLATE = 512,
    RECALL_HOP = 256,
    RECALL_REACH = 16 /* samples around the place that are to be had */
};

typedef struct Recall Recall;

Recall *recall_create(Error *err);
void recall_destroy(Recall *recall);

/* Forgets all. */
void recall_reset(Recall *recall);

/* The next value of the whitened signal. */
void recall_push(Recall *recall, float value);

/* What stood around the place that answers to the next value: around (2 RECALL_REACH + 1,), the
 * middle one is the match of the value to be pushed next. Returns the likeness of the place
 * (normalised correlation, 0..1); 0 with zeros where there is none. */
float recall_around(const Recall *recall, float *around);

#endif
