#include "models/predictor_clip.h"

#include "models/half.h"
#include "models/melody_features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 2 + CASCADE_CANDIDATES, FRAME = MELODY_HOP, TOLD = 3, LEAST = MELODY_RATE };
static const float STEPS = 32768.0f, MOST = 60000.0f; /* binary16 ends at 65504 */

void predictor_clip_clear(PredictorClip *clip)
{
    free(clip->x);
    free(clip->base);
    free(clip->past);
    free(clip->told);
    free(clip->anchor);
    free(clip->condition);
    free(clip->period);
    *clip = (PredictorClip){0};
}

static int16_t rounded(float x)
{
    const float steps = isfinite(x) ? x * STEPS : 0.0f;
    return (int16_t)lrintf(fmaxf(-32768.0f, fminf(32767.0f, steps)));
}

static void keep(const CascadePrediction *prediction, PredictorClip *clip, size_t t)
{
    CascadePrediction steps;
    float values[KEPT];
    predictor_past_steps(prediction, &steps);
    values[0] = logf(steps.scale);
    values[1] = steps.trend;
    for (size_t i = 0; i < CASCADE_CANDIDATES; i++)
        values[2 + i] = fmaxf(-MOST, fminf(MOST, steps.candidates[i]));
    half_from_float(values, clip->past + t * KEPT, KEPT);
    clip->base[t] = steps.base;
    if (t % FRAME == 0) {
        float *told = clip->told + t / FRAME * TOLD;
        told[0] = steps.period;
        told[1] = steps.confidence;
        told[2] = steps.likeness;
    }
}

static int predict(PredictorClip *clip, Error *err)
{
    Cascade *cascade = cascade_create(err);
    if (!cascade)
        return -1;
    for (size_t t = 0; t < clip->samples; t++) {
        CascadePrediction prediction;
        cascade_predict(cascade, &prediction);
        keep(&prediction, clip, t);
        cascade_push(cascade, (float)clip->x[t] / STEPS);
    }
    cascade_destroy(cascade);
    return 0;
}

static int analyse(PredictorClip *clip, Error *err)
{
    MelodyFeatures features;
    float *x = malloc(clip->samples * sizeof *x);
    if (!x)
        return error_set(err, "out of memory for a clip of %zu samples", clip->samples);
    for (size_t t = 0; t < clip->samples; t++)
        x[t] = (float)clip->x[t] / STEPS;
    const int failed = melody_features_make(x, clip->samples, &features, err);
    free(x);
    if (failed)
        return -1;
    clip->planned = features.sure >= (float)NOTES_UNSURE;
    clip->level = features.level;
    clip->anchor = features.anchor;
    clip->condition = features.condition;
    clip->period = features.period;
    for (size_t t = 0; t < clip->samples; t++)
        clip->anchor[t] *= STEPS;
    return 0;
}

int predictor_clip_make(const float *x, size_t n, bool plan, PredictorClip *clip, Error *err)
{
    const size_t frames = n / FRAME, samples = frames * FRAME;
    *clip = (PredictorClip){.samples = samples, .frames = frames};
    if (n < LEAST)
        return error_set(err, "%zu samples: a clip of a second is the least to learn from", n);
    clip->x = malloc(samples * sizeof *clip->x);
    clip->base = malloc(samples * sizeof *clip->base);
    clip->past = malloc(samples * KEPT * sizeof *clip->past);
    clip->told = malloc(frames * TOLD * sizeof *clip->told);
    if (!clip->x || !clip->base || !clip->past || !clip->told) {
        predictor_clip_clear(clip);
        return error_set(err, "out of memory for a clip of %zu samples", n);
    }
    for (size_t t = 0; t < samples; t++)
        clip->x[t] = rounded(x[t]);
    if (predict(clip, err) || (plan && analyse(clip, err))) {
        predictor_clip_clear(clip);
        return -1;
    }
    return 0;
}

void predictor_clip_past(const PredictorClip *clip, size_t t, CascadePrediction *past)
{
    const float *told = clip->told + t / FRAME * TOLD;
    float values[KEPT];
    half_to_float(clip->past + t * KEPT, values, KEPT);
    past->base = clip->base[t];
    past->scale = expf(values[0]);
    past->trend = values[1];
    memcpy(past->candidates, values + 2, sizeof past->candidates);
    past->period = told[0];
    past->confidence = told[1];
    past->likeness = told[2];
}

void predictor_clip_plan(const PredictorClip *clip, size_t frame, PredictorFrame *out)
{
    predictor_frame_plan(clip->condition + frame * MELODY_CONDITION, clip->level,
                         clip->period[frame], out);
}
