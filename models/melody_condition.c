#include "models/melody_condition.h"

#include <math.h>
#include <string.h>

static const float LOWEST = 30.0F, HIGHEST = 8000.0F, FLOOR = -4.0F;

static float mel(float hertz)
{
    return 2595.0F * log10f(1.0F + hertz / 700.0F);
}

/* Where on the row of bands a frequency lies: band b's centre is at b. */
static float place(float hertz)
{
    return (mel(hertz) - mel(LOWEST)) / (mel(HIGHEST) - mel(LOWEST)) * (float)(MELODY_MELS + 1) -
           1.0F;
}

static float frequency(float at)
{
    const float m =
        mel(LOWEST) + (at + 1.0F) / (float)(MELODY_MELS + 1) * (mel(HIGHEST) - mel(LOWEST));
    return 700.0F * (powf(10.0F, m / 2595.0F) - 1.0F);
}

static void put(float *bands, float at, float power)
{
    const float low = floorf(at);
    const long band = (long)low;
    if (band >= 0 && band < MELODY_MELS)
        bands[band] += power * (1.0F - (at - low));
    if (band + 1 >= 0 && band + 1 < MELODY_MELS)
        bands[band + 1] += power * (at - low);
}

void melody_condition_add(MelodyFrame *frame, float hertz, float amplitude)
{
    if (hertz > 0.0F && hertz < HIGHEST)
        put(frame->partials, place(hertz), 0.5F * amplitude * amplitude);
}

/* Spreads the noise of the four bands evenly over their frequencies. */
static void spread(const float *noise, float *bands)
{
    static const float edge[NOISE_BANDS + 1] = {0.0F, 1000.0F, 2000.0F, 4000.0F, 8000.0F};
    for (size_t m = 0; m < MELODY_MELS; m++) {
        const float low = frequency((float)m - 0.5F), high = frequency((float)m + 0.5F);
        for (size_t b = 0; b < NOISE_BANDS; b++) {
            const float shared = fminf(high, edge[b + 1]) - fmaxf(low, edge[b]);
            if (shared > 0.0F)
                bands[m] += noise[b] * shared / (edge[b + 1] - edge[b]);
        }
    }
}

static float relative(float power, float level)
{
    const float db = 10.0F * log10f(power + 1e-20F) - level;
    return fmaxf(FLOOR, db / 20.0F);
}

void melody_condition_make(const MelodyFrame *frame, float level, float *out)
{
    static const float ages[4] = {0.002F, 0.008F, 0.030F, 0.120F};
    float bands[MELODY_MELS], tonal = 0.0F, noise = 1e-12F;
    memcpy(bands, frame->partials, sizeof bands);
    spread(frame->noise, bands);
    memset(out, 0, MELODY_CONDITION * sizeof *out);
    for (size_t m = 0; m < MELODY_MELS; m++) {
        tonal += frame->partials[m];
        out[2 + m] = relative(bands[m], level);
    }
    for (size_t b = 0; b < NOISE_BANDS; b++) {
        noise += frame->noise[b];
        out[22 + b] = relative(frame->noise[b], level);
    }
    out[0] = frame->hertz > 0.0F ? log2f(frame->hertz / 440.0F) : 0.0F;
    out[1] = tonal / (tonal + noise);
    for (size_t i = 0; i < 4 && frame->age >= 0.0F; i++)
        out[26 + i] = expf(-frame->age / ages[i]);
    const int held = frame->age >= 0.0F && frame->since_off < 0.0F;
    out[30] = frame->age >= 0.0F && !held ? expf(-frame->since_off / 0.030F) : 0.0F;
    out[31] = held ? 1.0F : 0.0F;
    out[32] = 1.0F;
}
