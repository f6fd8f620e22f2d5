/* The best prediction of the next sample that adapts to the past alone, nothing trained: a cascade
 * as in lossless audio coders (Monkey's Audio; OptimFROG; Lehmann's Sac).
 *
 *   least squares over 32 past samples, slowly forgetting    -> whitens the sound
 *   Recall finds in that whitened past where it was heard before
 *   least squares over 32 past samples and the 9 around that place, quickly forgetting
 *   NLMS of 512, 256, 32 and 16 taps, each on what the ones before left
 *
 * The predictions of all stages, a windowed LPC and the sample a period ago stand beside the last
 * one as candidates. Deterministic; memory constant (about 4 MiB); any thread, one at a time per
 * object. */
#ifndef BRUME_DSP_CASCADE_H
#define BRUME_DSP_CASCADE_H

#include "dsp/error.h"

enum { CASCADE_CANDIDATES = 7 };

/* What is expected of the next sample. Full scale is 1. */
typedef struct CascadePrediction {
    float base;                           /* the last stage's prediction */
    float scale;                          /* logistic scale that fits its recent errors, > 0 */
    float trend;                          /* ln(mean error over 32 samples / over 512) */
    float candidates[CASCADE_CANDIDATES]; /* LPC, slow and joint least squares, NLMS 512, 256, 32,
                                             the sample a period ago (0 without a period) */
    float period, confidence;             /* of dsp/lag.h */
    float likeness;                       /* of dsp/recall.h */
} CascadePrediction;

typedef struct Cascade Cascade;

Cascade *cascade_create(Error *err);
void cascade_destroy(Cascade *cascade);

/* Forgets all. */
void cascade_reset(Cascade *cascade);

/* Predicts the next sample from those pushed. Always finite. Call once, then push. */
void cascade_predict(Cascade *cascade, CascadePrediction *prediction);

/* The next sample as it was, within +-1; one that is not finite counts as 0. */
void cascade_push(Cascade *cascade, float x);

#endif
