#include "dsp/lag.h"

#include "dsp/products.h"

#include <math.h>

/* A shorter lag is taken whose peak comes this near to the highest; below LEAST_LIKENESS the past
 * does not repeat. */
static const float NEAR_ENOUGH = 0.93f, LEAST_LIKENESS = 0.3f;

/* Normalised cross-correlation of the newest LAG_WINDOW samples with those `lag` before. */
static void correlate(const float *past, float *likeness)
{
    const double newest = products_dot_double(LAG_WINDOW, past, past);
    double energy = newest;
    for (size_t lag = 1; lag <= LAG_MOST + 1; lag++) {
        const double in = (double)past[lag + LAG_WINDOW - 1], out = (double)past[lag - 1];
        energy += in * in - out * out;
        const double scale = newest * energy;
        likeness[lag] = lag + 1 < LAG_LEAST || !(scale > 1e-14)
                            ? 0.0f
                            : products_dot(LAG_WINDOW, past, past + lag) / (float)sqrt(scale);
    }
}

static int is_peak(const float *likeness, size_t lag)
{
    return likeness[lag] >= likeness[lag - 1] && likeness[lag] > likeness[lag + 1];
}

static void estimate(Lag *lag)
{
    float likeness[LAG_MOST + 2], best = LEAST_LIKENESS;
    correlate(past_values(&lag->past), likeness);
    lag->period = lag->confidence = 0.0f;
    for (size_t i = LAG_LEAST; i <= LAG_MOST; i++)
        if (is_peak(likeness, i) && likeness[i] > best)
            best = likeness[i];
    for (size_t i = LAG_LEAST; i <= LAG_MOST; i++)
        if (is_peak(likeness, i) && likeness[i] > LEAST_LIKENESS &&
            likeness[i] >= NEAR_ENOUGH * best) {
            const float before = likeness[i - 1], after = likeness[i + 1];
            const float bend = before - 2.0f * likeness[i] + after;
            lag->period = (float)i + (bend < 0.0f ? 0.5f * (before - after) / bend : 0.0f);
            lag->confidence = fminf(likeness[i], 1.0f);
            return;
        }
}

void lag_push(Lag *lag, float x)
{
    past_push(&lag->past, isfinite(x) ? x : 0.0f);
    if (++lag->since == LAG_HOP) {
        lag->since = 0;
        estimate(lag);
    }
}
