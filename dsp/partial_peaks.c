#include "dsp/partial_peaks.h"

#include "dsp/pitch.h"
#include "dsp/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIZE      PARTIAL_PEAKS_SIZE
#define BINS      (SIZE / 2 + 1)
#define LONGEST   4096
#define HARMONICS 64
#define TRACK     64

static const float PER_BIN = (float)PITCH_RATE / SIZE, TOP = 0.495F * PITCH_RATE;

typedef struct Spectrum {
    float amplitude[BINS];
    float lobe; /* bins from a peak to the next zero */
    float most;
} Spectrum;

static float between(const float *x, size_t n, double at)
{
    const size_t i = (size_t)at;
    if (i < 1 || i + 2 >= n)
        return i < n ? x[i] : 0.0F;
    const float u = (float)(at - (double)i), a = x[i - 1], b = x[i], c = x[i + 1], d = x[i + 2];
    return b + u * ((c - a / 3.0F - b / 2.0F - d / 6.0F) +
                    u * ((a + c) / 2.0F - b + u * ((d - a) / 6.0F + (b - c) / 2.0F)));
}

/* Spectrum with the note's own vibrato taken out: time runs so that its frequency stands at `mean`.
 */
static void analyse(const float *x, size_t n, const float *hertz, float mean, Stft *stft,
                    Spectrum *out)
{
    float in[SIZE] = {0.0F};
    float complex bins[BINS];
    const size_t size = n < LONGEST ? n : LONGEST, first = (SIZE - size) / 2;
    double at = 0.0, weight = 0.0;
    for (size_t i = 0; i < size; i++) {
        const float window = 0.5F - 0.5F * cosf(6.2831853F * ((float)i + 0.5F) / (float)size);
        in[first + i] = window * between(x, n, at);
        weight += (double)(window * stft_window(stft)[first + i]);
        const size_t now = (size_t)at < n ? (size_t)at / TRACK : n / TRACK;
        at += (double)(mean / hertz[now]);
    }
    stft_forward(stft, in, bins);
    out->most = 0.0F;
    for (size_t k = 0; k < BINS; k++) {
        out->amplitude[k] = 2.0F * cabsf(bins[k]) / (float)weight;
        out->most = fmaxf(out->most, out->amplitude[k]);
    }
    out->lobe = 2.0F * SIZE / (float)size;
}

/* What lies about bin k when its peak is left out: the 40th percentile within `reach` bins. */
static float floor_about(const Spectrum *s, size_t k, size_t reach)
{
    float values[512];
    size_t count = 0;
    const size_t first = k > reach ? k - reach : 1, end = k + reach < BINS ? k + reach : BINS - 1;
    const size_t step = (end - first) / 256 + 1;
    for (size_t i = first; i <= end; i += step)
        if (fabsf((float)i - (float)k) > s->lobe)
            values[count++] = s->amplitude[i];
    if (count == 0)
        return 0.0F;
    rank_sort(values, count);
    return values[count * 2 / 5];
}

/* The highest local maximum within `reach` bins of `centre`: its bin, or 0. */
static size_t highest(const Spectrum *s, float centre, float reach)
{
    size_t best = 0;
    for (size_t k = (size_t)fmaxf(2.0F, centre - reach); k + 1 < BINS && (float)k <= centre + reach;
         k++)
        if (s->amplitude[k] > s->amplitude[k - 1] && s->amplitude[k] >= s->amplitude[k + 1] &&
            (best == 0 || s->amplitude[k] > s->amplitude[best]))
            best = k;
    return best;
}

static float exact(const Spectrum *s, size_t k)
{
    const float a = logf(s->amplitude[k - 1] + 1e-12F), b = logf(s->amplitude[k] + 1e-12F),
                c = logf(s->amplitude[k + 1] + 1e-12F);
    const float bend = a - 2.0F * b + c;
    return (float)k + (bend < 0.0F ? 0.5F * (a - c) / bend : 0.0F);
}

static void add(Peaks *out, float ratio, float amplitude)
{
    if (out->count == PARTIAL_PEAKS_MOST)
        return;
    out->ratio[out->count] = ratio;
    out->amplitude[out->count++] = amplitude;
}

static int is_near(float at, const float *list, size_t count, float scale, float reach)
{
    for (size_t i = 0; i < count; i++)
        if (fabsf(at - list[i] * scale) < reach)
            return 1;
    return 0;
}

/* The peak that stands for a harmonic expected at `centre`: the highest close to it, unless that is
 * but the slope of a much higher one within a tenth of the spacing. 0 if there is none. */
static size_t harmonic_peak(const Spectrum *s, float centre, float spacing)
{
    const float close = fminf(0.3F * spacing, fmaxf(2.0F, 0.006F * centre + 0.5F));
    const size_t near = highest(s, centre, close);
    const size_t far = highest(s, centre, fmaxf(close, 0.1F * spacing));
    const size_t at = near ? near : (size_t)(centre + 0.5F);
    return far && s->amplitude[far] > 6.0F * s->amplitude[at < BINS ? at : BINS - 1] ? far : near;
}

/* Harmonics, stretched as the lower ones are. */
static void find_harmonics(const Spectrum *s, float mean, Peaks *out)
{
    const float spacing = mean / PER_BIN;
    const int coarse = spacing < 3.0F * s->lobe;
    const size_t reach = (size_t)fmaxf(1.3F * spacing, 3.0F * s->lobe);
    float stretch = 0.0F; /* ratio = p sqrt(1 + stretch p^2), as of stiff strings */
    for (size_t p = 1; p <= HARMONICS; p++) {
        const float guess = (float)p * sqrtf(1.0F + stretch * (float)(p * p));
        if (guess * mean > TOP)
            return;
        const float centre = guess * spacing;
        const size_t k = harmonic_peak(s, centre, spacing);
        const size_t at = k ? k : (size_t)(centre + 0.5F);
        const float level = s->amplitude[at < BINS ? at : BINS - 1];
        const int clear = level > 2.0F * floor_about(s, at, reach);
        if (level < 2e-4F * s->most || !(clear || coarse))
            continue;
        const float ratio = k && clear && !coarse ? exact(s, k) / spacing : guess;
        if (is_near(ratio, out->ratio, out->count, 1.0F, 0.3F))
            continue;
        add(out, ratio, level);
        if (k && clear && p >= 3 && level > 0.003F * s->most) {
            const float found = (ratio * ratio / (float)(p * p) - 1.0F) / (float)(p * p);
            stretch += 0.5F * (fmaxf(0.0F, fminf(0.002F, found)) - stretch);
        }
    }
}

/* Up to 14 peaks that stand out between the harmonics, the highest first. */
static void find_others(const Spectrum *s, float mean, const float *old, size_t olds, Peaks *out)
{
    const float spacing = mean / PER_BIN, apart = fmaxf(1.5F * s->lobe, 0.1F * spacing);
    if (spacing < 6.0F * s->lobe)
        return;
    const size_t reach = (size_t)fminf(250.0F, fmaxf(0.6F * spacing, 6.0F * s->lobe));
    size_t peak[256], peaks = 0;
    for (size_t k = 8; k + 1 < BINS && (float)k * PER_BIN < TOP && peaks < 256; k++) {
        const float a = s->amplitude[k];
        if (a > s->amplitude[k - 1] && a >= s->amplitude[k + 1] && a > 0.003F * s->most &&
            !is_near((float)k, old, olds, 1.0F / PER_BIN, s->lobe) &&
            a > 6.0F * floor_about(s, k, reach))
            peak[peaks++] = k;
    }
    for (size_t found = 0; found < 14;) {
        size_t best = peaks;
        for (size_t i = 0; i < peaks; i++)
            if (peak[i] && (best == peaks || s->amplitude[peak[i]] > s->amplitude[peak[best]]))
                best = i;
        if (best == peaks)
            return;
        if (!is_near((float)peak[best], out->ratio, out->count, spacing, apart)) {
            add(out, exact(s, peak[best]) / spacing, s->amplitude[peak[best]]);
            found++;
        }
        peak[best] = 0;
    }
}

void partial_peaks_find(const float *x, size_t n, const float *hertz, const float *old, size_t olds,
                        Stft *stft, Peaks *out)
{
    Spectrum spectrum;
    out->count = 0;
    if (n < 64)
        return;
    const size_t tracked = (n < LONGEST ? n : LONGEST) / TRACK + 1;
    float mean = 0.0F;
    for (size_t i = 0; i < tracked && i <= n / TRACK; i++)
        mean += hertz[i] / (float)tracked;
    analyse(x, n, hertz, mean, stft, &spectrum);
    find_harmonics(&spectrum, mean, out);
    find_others(&spectrum, mean, old, olds, out);
}
