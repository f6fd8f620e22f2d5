#include "dsp/cascade.h"

#include "dsp/lag.h"
#include "dsp/least_squares.h"
#include "dsp/lpc.h"
#include "dsp/nlms.h"
#include "dsp/recall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Chosen on renders of tunes for seven instruments. */
enum { ORDER = 32, NEAR = 4, JOINT = ORDER + 2 * NEAR + 1, EVERY = 8, STAGES = 4 };
static const double SLOW_FORGET = 0.9995, JOINT_FORGET = 0.997, RIDGE = 1e-9;
static const size_t STAGE_ORDER[STAGES] = {512, 256, 32, 16};
static const float STAGE_RATE[STAGES] = {0.006f, 0.008f, 0.008f, 0.01f};
static const float STAGE_FLOOR = 1e-9f; /* one step of 16 bits */

/* Half a logistic's mean absolute value over its scale is ln 2; a step of 16 bits adds to it. */
static const float SCALE_OF_ERROR = 0.55f, QUANTUM = 1.0f / 32768.0f, LEAST_SCALE = 0.15f;

struct Cascade {
    Past past;
    Lpc lpc;
    Lag lag;
    LeastSquares slow, joint;
    Recall *recall;
    Nlms stages[STAGES];
    float after[STAGES + 1]; /* predictions of the joint least squares and after each stage */
    float slow_prediction;
    float fast_error, slow_error;
};

Cascade *cascade_create(Error *err)
{
    Cascade *cascade = calloc(1, sizeof *cascade);
    if (!cascade) {
        error_set(err, "out of memory for a cascade of predictors");
        return NULL;
    }
    cascade->recall = recall_create(err);
    if (!cascade->recall) {
        free(cascade);
        return NULL;
    }
    cascade_reset(cascade);
    return cascade;
}

void cascade_destroy(Cascade *cascade)
{
    if (!cascade)
        return;
    recall_destroy(cascade->recall);
    free(cascade);
}

void cascade_reset(Cascade *cascade)
{
    Recall *recall = cascade->recall;
    memset(cascade, 0, sizeof *cascade);
    cascade->recall = recall;
    recall_reset(recall);
    lpc_reset(&cascade->lpc);
    least_squares_reset(&cascade->slow, ORDER, EVERY, SLOW_FORGET, RIDGE);
    least_squares_reset(&cascade->joint, JOINT, EVERY, JOINT_FORGET, RIDGE);
    for (size_t i = 0; i < STAGES; i++)
        nlms_reset(&cascade->stages[i], STAGE_ORDER[i], STAGE_RATE[i], STAGE_FLOOR);
    cascade->fast_error = cascade->slow_error = 8.0f * QUANTUM;
}

/* A prediction out of range helps nobody. */
static float bounded(float x)
{
    return x > 1.0f ? 1.0f : x > -1.0f ? x : -1.0f;
}

static float a_period_ago(const Cascade *cascade)
{
    const size_t period = (size_t)lrintf(cascade->lag.period);
    return period ? past_values(&cascade->past)[period - 1] : 0.0f;
}

void cascade_predict(Cascade *cascade, CascadePrediction *prediction)
{
    float around[2 * RECALL_REACH + 1], inputs[JOINT];
    const float *past = past_values(&cascade->past);
    prediction->likeness = recall_around(cascade->recall, around);
    memcpy(inputs, past, ORDER * sizeof *inputs);
    memcpy(inputs + ORDER, around + RECALL_REACH - NEAR, (2 * NEAR + 1) * sizeof *inputs);
    cascade->slow_prediction = bounded(least_squares_predict(&cascade->slow, past));
    float sum = cascade->after[0] = bounded(least_squares_predict(&cascade->joint, inputs));
    for (size_t i = 0; i < STAGES; i++)
        sum = cascade->after[i + 1] = bounded(sum + nlms_predict(&cascade->stages[i]));

    const float error = 0.5f * (cascade->fast_error + cascade->slow_error);
    prediction->base = sum;
    prediction->scale = SCALE_OF_ERROR * error + LEAST_SCALE * QUANTUM;
    prediction->trend = logf((cascade->fast_error + LEAST_SCALE * QUANTUM) /
                             (cascade->slow_error + LEAST_SCALE * QUANTUM));
    prediction->candidates[0] = bounded(lpc_predict(&cascade->lpc));
    prediction->candidates[1] = cascade->slow_prediction;
    memcpy(prediction->candidates + 2, cascade->after, STAGES * sizeof(float));
    prediction->candidates[6] = a_period_ago(cascade);
    prediction->period = cascade->lag.period;
    prediction->confidence = cascade->lag.confidence;
}

void cascade_push(Cascade *cascade, float x)
{
    x = isfinite(x) ? bounded(x) : 0.0f;
    const float error = fabsf(x - cascade->after[STAGES]);
    cascade->fast_error += (error - cascade->fast_error) / 32.0f;
    cascade->slow_error += (error - cascade->slow_error) / 512.0f;
    for (size_t i = 0; i < STAGES; i++)
        nlms_push(&cascade->stages[i], x - cascade->after[i], x - cascade->after[i + 1]);
    recall_push(cascade->recall, x - cascade->slow_prediction);
    least_squares_push(&cascade->slow, x);
    least_squares_push(&cascade->joint, x);
    lpc_push(&cascade->lpc, x);
    lag_push(&cascade->lag, x);
    past_push(&cascade->past, x);
}
