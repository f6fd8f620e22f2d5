#include "dsp/invert.h"

#include "dsp/stft.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = INVERTER_BLOCK + INVERTER_AHEAD, OVERLAP = 4 };

struct Inverter {
    const Bands *bands;
    Stft *stft;
    size_t size, hop, bins;
    int iterations;
    InverterNoise noise;
    void *user;
    uint64_t frame;          /* number of the next block's first frame */
    float complex *spectra;  /* (FRAMES, bins); at rest the first AHEAD hold last block's guess */
    float *target, *scratch; /* (FRAMES, count), (count,) */
    float *tail;             /* (size - hop,): what finished frames add to the coming samples */
    float *time;             /* (FRAMES + OVERLAP - 1) * hop */
    float *norm;             /* the same length: sum of squared windows over each sample */
    float *first_norm;       /* norm for the stream's first block, which has no frames before it */
};

static size_t span(const Inverter *inverter)
{
    return (FRAMES + OVERLAP - 1) * inverter->hop;
}

/* 1 / (sum of squared windows) for frames first..FRAMES-1 of a block. The far edge, which only
 * look-ahead frames cover, is bounded so that a window's foot is not blown up. */
static void fill_norm(const Inverter *inverter, int first, float *norm)
{
    const float *window = stft_window(inverter->stft);
    memset(norm, 0, span(inverter) * sizeof *norm);
    for (int f = first; f < FRAMES; f++)
        for (size_t i = 0; i < inverter->size; i++) {
            const long at = f * (long)inverter->hop + (long)i;
            if (at >= 0)
                norm[at] += window[i] * window[i];
        }
    for (size_t i = 0; i < span(inverter); i++)
        norm[i] = 1.0f / (norm[i] > 0.1f ? norm[i] : 0.1f);
}

Inverter *inverter_create(const Bands *bands, size_t size, int iterations, InverterNoise noise,
                          void *user, Error *err)
{
    if (iterations < 0 || iterations > 64) {
        error_set(err, "%d rounds of inversion: give 0 to 64", iterations);
        return NULL;
    }
    Stft *stft = stft_create(size, err);
    if (!stft)
        return NULL;
    Inverter *inverter = calloc(1, sizeof *inverter);
    if (!inverter) {
        stft_destroy(stft);
        error_set(err, "out of memory for the inversion");
        return NULL;
    }
    inverter->bands = bands;
    inverter->stft = stft;
    inverter->size = size;
    inverter->hop = size / OVERLAP;
    inverter->bins = stft_bins(stft);
    inverter->iterations = iterations;
    inverter->noise = noise;
    inverter->user = user;
    const size_t count = bands_count(bands);
    inverter->spectra = calloc(FRAMES * inverter->bins, sizeof *inverter->spectra);
    inverter->target = calloc(FRAMES * count, sizeof *inverter->target);
    inverter->scratch = calloc(count, sizeof *inverter->scratch);
    inverter->tail = calloc(size - inverter->hop, sizeof *inverter->tail);
    inverter->time = calloc(span(inverter), sizeof *inverter->time);
    inverter->norm = calloc(span(inverter), sizeof *inverter->norm);
    inverter->first_norm = calloc(span(inverter), sizeof *inverter->first_norm);
    if (!inverter->spectra || !inverter->target || !inverter->scratch || !inverter->tail ||
        !inverter->time || !inverter->norm || !inverter->first_norm) {
        inverter_destroy(inverter);
        error_set(err, "out of memory for the inversion");
        return NULL;
    }
    fill_norm(inverter, 1 - OVERLAP, inverter->norm);
    fill_norm(inverter, 0, inverter->first_norm);
    return inverter;
}

void inverter_destroy(Inverter *inverter)
{
    if (!inverter)
        return;
    stft_destroy(inverter->stft);
    free(inverter->spectra);
    free(inverter->target);
    free(inverter->scratch);
    free(inverter->tail);
    free(inverter->time);
    free(inverter->norm);
    free(inverter->first_norm);
    free(inverter);
}

void inverter_reset(Inverter *inverter)
{
    inverter->frame = 0;
    memset(inverter->tail, 0, (inverter->size - inverter->hop) * sizeof *inverter->tail);
}

/* First guess of frames first..FRAMES-1: noise, with the bands' energies imposed. */
static void excite(Inverter *inverter, int first)
{
    const size_t count = bands_count(inverter->bands);
    float *noise = inverter->time;
    const size_t from = (size_t)first * inverter->hop;
    inverter->noise(inverter->user, inverter->frame * inverter->hop + from, noise + from,
                    span(inverter) - from);
    for (int f = first; f < FRAMES; f++) {
        float complex *spectrum = inverter->spectra + (size_t)f * inverter->bins;
        stft_forward(inverter->stft, noise + (size_t)f * inverter->hop, spectrum);
        bands_impose(inverter->bands, inverter->target + (size_t)f * count, spectrum,
                     inverter->scratch);
    }
}

/* Overlap-adds frames 0..frames-1 onto the tail, into `time` (span,). */
static void overlap_add(Inverter *inverter, int frames)
{
    const size_t tail = inverter->size - inverter->hop;
    memcpy(inverter->time, inverter->tail, tail * sizeof *inverter->time);
    memset(inverter->time + tail, 0, (span(inverter) - tail) * sizeof *inverter->time);
    for (int f = 0; f < frames; f++)
        stft_inverse(inverter->stft, inverter->spectra + (size_t)f * inverter->bins,
                     inverter->time + (size_t)f * inverter->hop);
}

/* One round of Griffin-Lim: the signal that the spectra add up to, analysed, its energies imposed
 * again. */
static void refine(Inverter *inverter, const float *norm)
{
    const size_t count = bands_count(inverter->bands);
    overlap_add(inverter, FRAMES);
    for (size_t i = 0; i < span(inverter); i++)
        inverter->time[i] *= norm[i];
    for (int f = 0; f < FRAMES; f++) {
        float complex *spectrum = inverter->spectra + (size_t)f * inverter->bins;
        stft_forward(inverter->stft, inverter->time + (size_t)f * inverter->hop, spectrum);
        bands_impose(inverter->bands, inverter->target + (size_t)f * count, spectrum,
                     inverter->scratch);
    }
}

void inverter_block(Inverter *inverter, const float *log_energy, float *out)
{
    const size_t count = bands_count(inverter->bands), made = INVERTER_BLOCK * inverter->hop;
    for (size_t f = 0; f < FRAMES; f++)
        bands_exp(inverter->bands, log_energy + f * count, inverter->target + f * count);
    const float *norm = inverter->frame ? inverter->norm : inverter->first_norm;
    excite(inverter, inverter->frame ? INVERTER_AHEAD : 0);
    for (int i = 0; i < inverter->iterations; i++)
        refine(inverter, norm);

    overlap_add(inverter, INVERTER_BLOCK);
    const float scale = 1.0f / 1.5f; /* four squared Hann windows a quarter apart */
    for (size_t i = 0; i < made; i++)
        out[i] = inverter->time[i] * scale;
    memcpy(inverter->tail, inverter->time + made,
           (inverter->size - inverter->hop) * sizeof *inverter->tail);
    memmove(inverter->spectra, inverter->spectra + INVERTER_BLOCK * inverter->bins,
            INVERTER_AHEAD * inverter->bins * sizeof *inverter->spectra);
    inverter->frame += INVERTER_BLOCK;
}
