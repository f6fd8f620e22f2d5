/* What the sample tier's network is shown before each sample, and what its answer means.
 *
 * Samples are in steps of 16 bits. There are two situations:
 *  - without a plan, the cascade of adaptive predictors says what the past alone lets expect, and
 *    the network corrects that;
 *  - with a plan, the anchor is the expectation, and an autoregressive model of the planned noise
 *    says how what was played besides it goes on. Levels then come from the plan alone, and the
 *    density's mean stays within a few times the planned noise of the anchor: noise that the
 *    predictor made itself can't make it louder. */
#ifndef BRUME_MODELS_PREDICTOR_INPUTS_H
#define BRUME_MODELS_PREDICTOR_INPUTS_H

#include "dsp/cascade.h"
#include "models/logistic_mixture.h"
#include "models/melody_condition.h"
#include "models/real.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    PREDICTOR_CONDITION = MELODY_CONDITION,
    PREDICTOR_NEWEST = 16, /* past values shown one by one */
    PREDICTOR_AHEAD = 16,  /* samples of the anchor on both sides */
    PREDICTOR_TAPS = 16,   /* values that the network may mix into the mean */
    PREDICTOR_SCALARS = 8,
    PREDICTOR_AROUND = 5, /* samples a period ago */
    PREDICTOR_INPUTS = 3 * PREDICTOR_NEWEST + 2 * PREDICTOR_AHEAD + 1 + CASCADE_CANDIDATES +
                       3 * PREDICTOR_AROUND + PREDICTOR_SCALARS,
    PREDICTOR_OUTPUTS = LOGISTIC_PARAMETERS + PREDICTOR_TAPS,
    PREDICTOR_REACH = 640 /* past samples that must be there (zeros at the start) */
};

/* What holds for a frame. */
typedef struct PredictorFrame {
    bool planned;
    size_t period; /* samples, 1..PREDICTOR_REACH - 8; as told to the network */
    float known;   /* 1 if that is a measured or planned period, else 0 */
    float level;   /* RMS, steps: of the plan, or of the past; > 0 */
    float noise;   /* with a plan: RMS of the planned noise, steps; > 0 */
    float scale;   /* with a plan: logistic scale of its innovation; > 0 */
    float coefficients[PREDICTOR_TAPS];   /* with a plan: of the noise's autoregression */
    float scalars[PREDICTOR_SCALARS];     /* with a plan: as the network is shown them */
    float condition[PREDICTOR_CONDITION]; /* zeros without a plan */
} PredictorFrame;

/* What is known before a sample. Pointers are at the sample: [-1] is the newest past value. */
typedef struct PredictorView {
    const float *x;                /* past, [-PREDICTOR_REACH..-1], steps */
    const float *error;            /* without a plan: x less the cascade's base, likewise */
    const float *anchor;           /* with a plan: [-PREDICTOR_REACH..PREDICTOR_AHEAD] */
    const CascadePrediction *past; /* without a plan; in steps, candidates less the base */
} PredictorView;

/* What turns the network's output into a density: the row's base and what it is measured in. */
typedef struct PredictorHead {
    real base, scale;  /* steps */
    real log_scale;    /* ln of scale */
    real anchor, most; /* the mean stays within `most` of the anchor; most 0: no bound */
    real taps[PREDICTOR_TAPS];
} PredictorHead;

/* Sum of PREDICTOR_TAPS products, halved again and again: an order that waits for few additions. */
static inline real predictor_taps_sum(const real *restrict a, const real *restrict b)
{
    real sums[PREDICTOR_TAPS];
    for (int i = 0; i < PREDICTOR_TAPS; i++)
        sums[i] = a[i] * b[i];
    for (int n = PREDICTOR_TAPS / 2; n > 0; n /= 2)
        for (int i = 0; i < n; i++)
            sums[i] += sums[i + n];
    return sums[0];
}

/* A frame without a plan, from the PREDICTOR_REACH past samples before it (x at its first sample)
 * and the backward period (0: none). */
void predictor_frame_past(const float *x, float period, PredictorFrame *frame);

/* A frame of a plan: its condition (MELODY_CONDITION,), the level (dBFS) that it is relative to,
 * and its period (samples, 0: none). */
void predictor_frame_plan(const float *condition, float level, float period, PredictorFrame *frame);

/* A cascade's prediction in the units that a view wants. */
void predictor_past_steps(const CascadePrediction *prediction, CascadePrediction *steps);

/* frame, view -> inputs (PREDICTOR_INPUTS,) and the head. */
void predictor_inputs_make(const PredictorFrame *frame, const PredictorView *view, real *inputs,
                           PredictorHead *head);

/* out (rows, PREDICTOR_OUTPUTS) -> parameters (rows, LOGISTIC_PARAMETERS) of the density. */
void predictor_heads_forward(size_t rows, const PredictorHead *heads, const real *out,
                             real *parameters);

/* The way back, with the same heads and out: gradient by parameters -> dout. */
void predictor_heads_backward(size_t rows, const PredictorHead *heads, const real *out,
                              const real *gradient, real *dout);

#endif
