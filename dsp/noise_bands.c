#include "dsp/noise_bands.h"

#include "dsp/kernel.h"
#include "dsp/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAPS NOISE_BANDS_TAPS
#define HALF (TAPS / 2)
#define HOP  NOISE_BANDS_HOP

static const size_t REACH = 3; /* frames either side that a level is taken over */

/* A frame this many times as strong as those about it is a click: it counts for itself alone, and
 * they are measured without it. */
static const float CLICK = 2.5F;

/* Share of white noise's power that each band takes: a quarter-wide filter passes a quarter. */
static const float SHARE[NOISE_BANDS] = {0.125F, 0.125F, 0.25F, 0.5F};

/* Windowed ideal low passes at 1, 2 and 4 kHz; each band is the difference of two. */
void noise_bands_filters(float *taps)
{
    static const double edge[NOISE_BANDS + 1] = {0.0, 1.0 / 16.0, 2.0 / 16.0, 4.0 / 16.0, 0.5};
    const double pi = 3.14159265358979323846;
    for (size_t b = 0; b < NOISE_BANDS; b++)
        for (size_t i = 0; i < TAPS; i++) {
            const double t = (double)i - HALF;
            const double window = 0.5 + 0.5 * cos(pi * t / (HALF + 1.0));
            double value = 2.0 * (edge[b + 1] - edge[b]);
            if (i != HALF)
                value = (sin(2.0 * pi * edge[b + 1] * t) - sin(2.0 * pi * edge[b] * t)) / (pi * t);
            taps[b * TAPS + i] = (float)(value * window);
        }
}

/* What a filter makes of HOP samples: x from TAPS / 2 before the first on. */
KERNEL static void filter(const float *restrict taps, const float *restrict x, float *restrict y)
{
    for (size_t t = 0; t < HOP; t++)
        y[t] = 0.0F;
    for (size_t i = 0; i < TAPS; i++)
        for (size_t t = 0; t < HOP; t++)
            y[t] += taps[i] * x[t + i];
}

/* Mean square of each frame in each band. */
static void frame_powers(const float *x, size_t n, const float *taps, float *power)
{
    for (size_t start = 0; start < n; start += HOP) {
        float near[HOP + TAPS], made[HOP];
        const size_t frame = start + HOP < n ? HOP : n - start;
        for (size_t i = 0; i < HOP + TAPS; i++)
            near[i] = start + i >= HALF && start + i - HALF < n ? x[start + i - HALF] : 0.0F;
        for (size_t b = 0; b < NOISE_BANDS; b++) {
            float sum = 0.0F;
            filter(taps + b * TAPS, near, made);
            for (size_t t = 0; t < frame; t++)
                sum += made[t] * made[t];
            power[start / HOP * NOISE_BANDS + b] = sum / (float)frame;
        }
    }
}

/* Mean of band b over the frames about f that belong to its part and are not above `most`. The
 * filters smear an onset into the frame before it: that one counts for itself alone. */
static float mean_about(const float *raw, const size_t *part, size_t frames, size_t f, size_t b,
                        float most)
{
    float sum = 0.0F, count = 0.0F;
    for (size_t i = f > REACH ? f - REACH : 0; i < frames && i <= f + REACH; i++)
        if (raw[i * NOISE_BANDS + b] <= most && part[i] == part[f] &&
            (i == f || i + 1 == frames || part[i + 1] == part[f])) {
            sum += raw[i * NOISE_BANDS + b];
            count += 1.0F;
        }
    return count > 0.0F ? sum / count : raw[f * NOISE_BANDS + b];
}

int noise_bands_measure(const float *x, size_t n, const size_t *onset, size_t onsets, float *power,
                        Error *err)
{
    const size_t frames = (n + HOP - 1) / HOP;
    float taps[NOISE_BANDS * TAPS];
    float *raw = malloc((frames + 1) * NOISE_BANDS * sizeof *raw);
    size_t *part = malloc((frames + 1) * sizeof *part);
    if (!raw || !part) {
        free(raw);
        free(part);
        return error_set(err, "out of memory for the noise of %zu frames", frames);
    }
    noise_bands_filters(taps);
    frame_powers(x, n, taps, raw);
    for (size_t f = 0, at = 0; f < frames; f++) {
        while (at < onsets && onset[at] / HOP <= f)
            at++;
        part[f] = at;
    }
    for (size_t f = 0; f < frames; f++)
        for (size_t b = 0; b < NOISE_BANDS; b++) {
            const float all = mean_about(raw, part, frames, f, b, INFINITY);
            const float most = CLICK * all, own = raw[f * NOISE_BANDS + b];
            power[f * NOISE_BANDS + b] =
                own > most ? own : mean_about(raw, part, frames, f, b, most);
        }
    free(raw);
    free(part);
    return 0;
}

/* Level of band b at sample t of the frames, along the lines between their middles. */
static float level_at(const float *power, size_t t, size_t b)
{
    const long frame = (long)((t + HOP / 2) / HOP) - 1;
    const float along = (float)((t + HOP / 2) % HOP) / HOP;
    const float before = sqrtf(power[frame * NOISE_BANDS + (long)b]);
    const float after = sqrtf(power[(frame + 1) * NOISE_BANDS + (long)b]);
    return (before + along * (after - before)) / sqrtf(SHARE[b]);
}

void noise_bands_make(const float *power, size_t frames, uint64_t seed, uint64_t stream,
                      uint64_t first, float *out)
{
    float taps[NOISE_BANDS * TAPS], white[HOP + TAPS];
    noise_bands_filters(taps);
    for (size_t f = 0; f < frames; f++) {
        random_gaussian(seed, stream, (first + f) * HOP, white, HOP + TAPS - 1);
        for (size_t t = 0; t < HOP; t++)
            for (size_t b = 0; b < NOISE_BANDS; b++) {
                float sum = 0.0F;
                for (size_t i = 0; i < TAPS; i++)
                    sum += taps[b * TAPS + i] * white[t + i];
                out[f * HOP + t] += sum * level_at(power, f * HOP + t, b);
            }
    }
}
