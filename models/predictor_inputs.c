#include "models/predictor_inputs.h"

#include "dsp/lpc.h"

#include <math.h>
#include <string.h>

static const float STEP = 1.0f / 32768.0f;

/* Where no period is known, the network looks back this far. */
enum { PERIOD_UNKNOWN = 256, LEVEL_WINDOW = 512 };

/* Floors, in steps: silence has a level too. */
static const float LEAST_LEVEL = 4.0f, LEAST_NOISE = 0.5f, LEAST_SCALE = 0.15f;

/* Under the planned noise, since bands with walls would be predictable without end. */
static const double RIDGE = 1e-5;

/* Of a logistic: its scale over its standard deviation. */
static const float LOGISTIC = 0.5513289f;

static const float TAP_MOST = 64.0f;

/* How far from the anchor a density's mean may go, in RMS of the planned noise. */
static const float BOUND = 4.0f;

static void set_period(float period, PredictorFrame *frame)
{
    const long whole = lrintf(period);
    frame->known = whole >= 1 && whole <= PREDICTOR_REACH - 128 ? 1.0f : 0.0f;
    frame->period = frame->known > 0.0f ? (size_t)whole : PERIOD_UNKNOWN;
}

static float bounded(float x, float most)
{
    return x > most ? most : x > -most ? x : -most;
}

/* What is told in single numbers; `past` if there is no plan. log_scale: of what the density is
 * measured in. */
static void scalars(const PredictorFrame *frame, const CascadePrediction *past, float log_scale,
                    float *out)
{
    const float log_level = logf(frame->level);
    out[0] = 0.25f * log_scale;
    out[1] = 0.125f * log_level;
    out[2] = 0.25f * (log_scale - log_level);
    out[3] = past ? bounded(past->trend, 4.0f) : 0.0f;
    out[4] = past ? past->confidence : 0.0f;
    out[5] = past ? past->likeness : 0.0f;
    out[6] = past ? 0.0f : 0.5f * (logf(frame->noise) - log_scale);
    out[7] = frame->known * 0.25f * logf((float)frame->period);
}

void predictor_frame_past(const float *x, float period, PredictorFrame *frame)
{
    double energy = 0.0;
    memset(frame, 0, sizeof *frame);
    for (size_t i = 1; i <= LEVEL_WINDOW; i++)
        energy += (double)x[-(ptrdiff_t)i] * (double)x[-(ptrdiff_t)i];
    frame->level = LEAST_LEVEL + (float)sqrt(energy / LEVEL_WINDOW);
    frame->noise = frame->scale = 1.0f;
    set_period(period, frame);
}

/* Autocorrelation of noise with flat power in each of the four bands. */
static void noise_correlation(const float *condition, double gain, size_t lags, double *r)
{
    static const double edges[NOISE_BANDS + 1] = {0.0, 1000.0, 2000.0, 4000.0, 8000.0};
    const double turn = 2.0 * 3.14159265358979323846 / MELODY_RATE;
    for (size_t k = 0; k < lags; k++)
        r[k] = 0.0;
    for (size_t b = 0; b < NOISE_BANDS; b++) {
        const double power = gain * pow(10.0, 2.0 * (double)condition[22 + b]);
        const double low = turn * edges[b], high = turn * edges[b + 1];
        for (size_t k = 0; k < lags; k++)
            r[k] += k ? power * (sin(high * (double)k) - sin(low * (double)k)) /
                            ((double)k * (high - low))
                      : power;
    }
}

void predictor_frame_plan(const float *condition, float level, float period, PredictorFrame *frame)
{
    const double gain = pow(10.0, (double)level / 10.0) / ((double)STEP * (double)STEP);
    double r[PREDICTOR_TAPS + 1], coefficients[PREDICTOR_TAPS], power = 0.0;
    memset(frame, 0, sizeof *frame);
    frame->planned = true;
    memcpy(frame->condition, condition, sizeof frame->condition);
    for (size_t m = 0; m < MELODY_MELS; m++)
        power += gain * pow(10.0, 2.0 * (double)condition[2 + m]);
    noise_correlation(condition, gain, PREDICTOR_TAPS + 1, r);
    r[0] += (double)LEAST_NOISE * (double)LEAST_NOISE;
    frame->level = LEAST_LEVEL + (float)sqrt(power);
    frame->noise = (float)sqrt(r[0]);
    const double innovation = lpc_solve(PREDICTOR_TAPS, r, RIDGE, coefficients);
    frame->scale = LEAST_SCALE + LOGISTIC * (float)sqrt(innovation);
    for (size_t k = 0; k < PREDICTOR_TAPS; k++)
        frame->coefficients[k] = (float)coefficients[k];
    set_period(period, frame);
    scalars(frame, NULL, logf(frame->scale), frame->scalars);
}

void predictor_past_steps(const CascadePrediction *prediction, CascadePrediction *steps)
{
    *steps = *prediction;
    steps->base = prediction->base / STEP;
    steps->scale = prediction->scale / STEP;
    for (size_t i = 0; i < CASCADE_CANDIDATES; i++)
        steps->candidates[i] = (prediction->candidates[i] - prediction->base) / STEP;
}

/* Grows as a root: large values are still told apart, but do not rule. */
static float squash(float x)
{
    x = bounded(x, TAP_MOST);
    return x / sqrtf(1.0f + fabsf(x));
}

KERNEL static void squash_all(size_t n, float sharpness, const float *restrict x,
                              real *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (real)squash(sharpness * x[i]);
}

/* Newest first: x[-1], x[-2], ... */
static void newest(size_t n, const float *x, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[-1 - (ptrdiff_t)i];
}

/* Places of the parts of the inputs. */
enum {
    AT_ERRORS = 0,
    AT_SAMPLES = AT_ERRORS + PREDICTOR_NEWEST,
    AT_DIFFERENCES = AT_SAMPLES + PREDICTOR_NEWEST,
    AT_ANCHOR = AT_DIFFERENCES + PREDICTOR_NEWEST,
    AT_CANDIDATES = AT_ANCHOR + 2 * PREDICTOR_AHEAD + 1,
    AT_PERIOD = AT_CANDIDATES + CASCADE_CANDIDATES,
    AT_PERIOD_ERRORS = AT_PERIOD + PREDICTOR_AROUND,
    AT_PERIOD_DIFFERENCES = AT_PERIOD_ERRORS + PREDICTOR_AROUND,
    AT_SCALARS = AT_PERIOD_DIFFERENCES + PREDICTOR_AROUND
};

static void past_inputs(const PredictorFrame *frame, const PredictorView *view, real *inputs,
                        PredictorHead *head)
{
    const CascadePrediction *past = view->past;
    const float sharpness = 1.0f / past->scale;
    const ptrdiff_t ago = -(ptrdiff_t)frame->period - PREDICTOR_AROUND / 2;
    float errors[PREDICTOR_NEWEST], samples[PREDICTOR_NEWEST], around[PREDICTOR_AROUND];
    newest(PREDICTOR_NEWEST, view->error, errors);
    newest(PREDICTOR_NEWEST, view->x, samples);
    squash_all(PREDICTOR_NEWEST, sharpness, errors, inputs + AT_ERRORS);
    squash_all(PREDICTOR_NEWEST, 1.0f / frame->level, samples, inputs + AT_SAMPLES);
    squash_all(CASCADE_CANDIDATES, sharpness, past->candidates, inputs + AT_CANDIDATES);
    /* A period of one or two samples has no future to show. */
    for (ptrdiff_t i = 0; i < PREDICTOR_AROUND; i++)
        around[i] = ago + i < 0 ? view->x[ago + i] - past->base : 0.0f;
    squash_all(PREDICTOR_AROUND, sharpness, around, inputs + AT_PERIOD);
    for (size_t i = 0; i < CASCADE_CANDIDATES; i++)
        head->taps[i] = (real)bounded(sharpness * past->candidates[i], TAP_MOST);
    for (size_t i = 0; i < PREDICTOR_AROUND; i++)
        head->taps[CASCADE_CANDIDATES + i] = (real)bounded(sharpness * around[i], TAP_MOST);
    for (size_t i = CASCADE_CANDIDATES + PREDICTOR_AROUND, k = 0; i < PREDICTOR_TAPS; i++, k++)
        head->taps[i] = (real)bounded(sharpness * errors[k], TAP_MOST);
    for (ptrdiff_t i = 0; i < PREDICTOR_AROUND; i++)
        around[i] = ago + i < 0 ? view->error[ago + i] : 0.0f;
    squash_all(PREDICTOR_AROUND, sharpness, around, inputs + AT_PERIOD_ERRORS);
    head->base = (real)past->base;
    head->scale = (real)past->scale;
    head->log_scale = (real)logf(past->scale);
    scalars(frame, past, head->log_scale, inputs + AT_SCALARS);
}

static void plan_inputs(const PredictorFrame *frame, const PredictorView *view, real *inputs,
                        PredictorHead *head)
{
    const float sharpness = 1.0f / frame->scale;
    const ptrdiff_t ago = -(ptrdiff_t)frame->period - PREDICTOR_AROUND / 2;
    float differences[PREDICTOR_NEWEST], around[PREDICTOR_AROUND];
    for (ptrdiff_t i = 0; i < PREDICTOR_NEWEST; i++)
        differences[i] = view->x[-1 - i] - view->anchor[-1 - i];
    squash_all(PREDICTOR_NEWEST, sharpness, differences, inputs + AT_DIFFERENCES);
    for (ptrdiff_t i = 0; i < PREDICTOR_AROUND; i++)
        around[i] = ago + i < 0 ? view->x[ago + i] - view->anchor[ago + i] : 0.0f;
    squash_all(PREDICTOR_AROUND, sharpness, around, inputs + AT_PERIOD_DIFFERENCES);
    squash_all(2 * PREDICTOR_AHEAD + 1, 1.0f / frame->level, view->anchor - PREDICTOR_AHEAD,
               inputs + AT_ANCHOR);
    for (size_t k = 0; k < PREDICTOR_TAPS; k++)
        head->taps[k] = (real)bounded(sharpness * differences[k], TAP_MOST);
    memcpy(inputs + AT_SCALARS, frame->scalars, sizeof frame->scalars);
    head->base = view->anchor[0] + predictor_taps_sum(frame->coefficients, differences);
    head->scale = frame->scale;
    head->log_scale = frame->scalars[0] * 4.0f;
    head->anchor = view->anchor[0];
    head->most = BOUND * frame->noise;
}

void predictor_inputs_make(const PredictorFrame *frame, const PredictorView *view, real *inputs,
                           PredictorHead *head)
{
    memset(inputs, 0, PREDICTOR_INPUTS * sizeof *inputs);
    memset(head, 0, sizeof *head);
    if (frame->planned)
        plan_inputs(frame, view, inputs, head);
    else
        past_inputs(frame, view, inputs, head);
}
