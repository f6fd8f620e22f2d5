/* One recording, ready for training the sample tier: its samples, the true features of the melody
 * in it, and what the cascade of adaptive predictors said before each sample; about 28 bytes a
 * sample, 1.5 GiB an hour. Predictions are the same whenever the same samples come, so they are
 * made once. */
#ifndef BRUME_MODELS_PREDICTOR_CLIP_H
#define BRUME_MODELS_PREDICTOR_CLIP_H

#include "dsp/error.h"
#include "models/predictor_inputs.h"

#include <stdint.h>

typedef struct PredictorClip {
    size_t samples, frames; /* whole frames of 64 samples */
    int16_t *x;             /* (samples,) */
    float *base;            /* (samples,): the cascade's prediction, steps of 16 bits */
    uint16_t *past;         /* (samples, 2 + CASCADE_CANDIDATES): binary16 of ln scale, trend,
                               candidates less base */
    float *told;            /* (frames, 3): backward period, its confidence, likeness */
    float level;            /* dBFS that the condition is relative to */
    bool planned;           /* whether what follows is there */
    float *anchor;          /* (samples,), steps */
    float *condition;       /* (frames, MELODY_CONDITION) */
    float *period;          /* (frames,) */
} PredictorClip;

/* Analyses x (n,), full scale 1, 16 kHz: rounds it to 16 bits and leaves out what is over a whole
 * frame. With `plan` the melody is analysed too (0.2 s for each second), and where it isn't surely
 * one, `planned` is false. -1 with a message when it is shorter than a second, the analysis fails
 * or memory runs out; then *clip is empty. A pure function of x. */
int predictor_clip_make(const float *x, size_t n, bool plan, PredictorClip *clip, Error *err);

void predictor_clip_clear(PredictorClip *clip);

/* The cascade's prediction before sample t, in steps as a view wants it. */
void predictor_clip_past(const PredictorClip *clip, size_t t, CascadePrediction *past);

/* Frame number `frame` with its plan. */
void predictor_clip_plan(const PredictorClip *clip, size_t frame, PredictorFrame *out);

#endif
