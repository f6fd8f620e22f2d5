#include "dsp/note_pitch.h"

#include "dsp/pitch.h"

#include <math.h>

#define BINS (NOTE_PITCH_SIZE / 2 + 1)

static const float LOWEST = 33.0F, HIGHEST = 104.0F, FINE = 0.2F; /* semitones */
static const size_t SKIP = 128, SHORTEST = 512, LONGEST = 1600;   /* samples */
static const float PER_BIN = (float)PITCH_RATE / NOTE_PITCH_SIZE;

static float hertz_of(float pitch)
{
    return 440.0F * exp2f((pitch - 69.0F) / 12.0F);
}

/* Amplitudes (BINS,) of x[first .. first + size - 1] under a Hann window. */
static void amplitudes(const float *x, size_t n, long first, size_t size, Stft *stft, float *out)
{
    float in[NOTE_PITCH_SIZE] = {0.0F};
    float complex spectrum[BINS];
    for (size_t i = 0; i < size; i++) {
        const long at = first + (long)i;
        const float window = 0.5F - 0.5F * cosf(6.2831853F * ((float)i + 0.5F) / (float)size);
        in[(NOTE_PITCH_SIZE - size) / 2 + i] = at >= 0 && (size_t)at < n ? x[at] * window : 0.0F;
    }
    stft_forward(stft, in, spectrum);
    for (size_t k = 0; k < BINS; k++)
        out[k] = cabsf(spectrum[k]);
}

/* The square root of the largest new amplitude within 2 % or a bin and a half of `hertz`. */
static float near(const float *fresh, float hertz)
{
    const float reach = fmaxf(1.5F, 0.008F * hertz / PER_BIN), centre = hertz / PER_BIN;
    const size_t first = (size_t)fmaxf(1.0F, centre - reach + 0.5F);
    float most = 0.0F;
    for (size_t k = first; k < BINS && (float)k <= centre + reach; k++)
        most = fmaxf(most, fresh[k]);
    return sqrtf(most);
}

static float salience(const float *fresh, float pitch)
{
    const float hertz = hertz_of(pitch);
    float sum = 0.0F;
    for (size_t p = 1; p <= 12 && (float)p * hertz < 0.48F * PITCH_RATE; p++)
        sum += (hertz + 52.0F) / ((float)p * hertz + 320.0F) * near(fresh, (float)p * hertz);
    return sum;
}

/* The pitch near `pitch` on which the peaks of the lowest partials agree, weighted by amplitude. */
static float settle(const float *fresh, float pitch)
{
    const float hertz = hertz_of(pitch);
    float sum = 0.0F, weights = 1e-20F;
    for (size_t p = 1; p <= 5; p++) {
        const float centre = (float)p * hertz / PER_BIN, reach = fmaxf(2.0F, 0.012F * centre);
        size_t best = 0;
        for (size_t k = (size_t)fmaxf(2.0F, centre - reach);
             k + 1 < BINS && (float)k <= centre + reach; k++)
            if (fresh[k] > fresh[k - 1] && fresh[k] >= fresh[k + 1] &&
                (best == 0 || fresh[k] > fresh[best]))
                best = k;
        if (best == 0)
            continue;
        const float a = logf(fresh[best - 1] + 1e-9F), b = logf(fresh[best] + 1e-9F),
                    c = logf(fresh[best + 1] + 1e-9F);
        const float bend = a - 2.0F * b + c;
        const float at = (float)best + (bend < 0.0F ? 0.5F * (a - c) / bend : 0.0F);
        sum += fresh[best] * 12.0F * log2f(at / centre);
        weights += fresh[best];
    }
    return pitch + sum / weights;
}

/* Whether `found` is a harmonic of a pitch that sounds: `heard`, of which the fundamental is there.
 * Where two notes make a common sub-octave, it is not. */
static int is_harmonic(const float *whole, float most, float heard, float found)
{
    const float ratio = exp2f((found - heard) / 12.0F), number = roundf(ratio);
    return number >= 2.0F && fabsf(ratio - number) < 0.03F * number &&
           near(whole, hertz_of(heard)) > 0.2F * sqrtf(most);
}

float note_pitch(const float *x, size_t n, size_t onset, size_t end, float heard, int struck,
                 Stft *stft)
{
    size_t size = end > onset + SKIP ? end - onset - SKIP : 0;
    size = size < SHORTEST ? SHORTEST : size > LONGEST ? LONGEST : size;
    float whole[BINS], fresh[BINS], old[BINS], most = 0.0F, all = 0.0F;
    amplitudes(x, n, (long)(onset + SKIP), size, stft, whole);
    amplitudes(x, n, (long)onset - (long)size, size, stft, old);
    for (size_t k = 0; k < BINS; k++) {
        all = fmaxf(all, whole[k]);
        fresh[k] = fmaxf(0.0F, whole[k] - old[k]);
        most = fmaxf(most, fresh[k]);
    }
    /* Nothing much is new: the same note again. */
    if (most < 0.05F * all || all <= 0.0F)
        return heard;
    for (size_t k = 0; k < BINS; k++)
        fresh[k] = fmaxf(0.0F, fresh[k] - 0.004F * most);
    float best = 0.0F, found = heard;
    for (float pitch = LOWEST; pitch <= HIGHEST; pitch += FINE) {
        const float value = salience(fresh, pitch);
        if (value > best) {
            best = value;
            found = pitch;
        }
    }
    /* What is new may also be a clatter: then it explains little of the whole. */
    if (salience(fresh, heard) >= 0.85F * best ||
        (!struck && is_harmonic(whole, all, heard, found)) ||
        salience(whole, found) < 0.7F * salience(whole, heard))
        return heard;
    return settle(fresh, found);
}
