#include "dsp/invert.h"

#include "dsp/phase.h"
#include "dsp/stft.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = INVERTER_BLOCK + INVERTER_AHEAD, OVERLAP = 4 };

struct Inverter {
    const Bands *bands;
    Stft *stft;
    Phase *phase; /* NULL when under an eighth of the bins are single */
    size_t size, hop, bins, single;
    int iterations;
    InverterNoise noise;
    void *user;
    uint64_t frame;          /* number of the next block's first frame */
    float complex *spectra;  /* (FRAMES, bins) */
    float complex *part;     /* (bins,) */
    float *target, *scratch; /* (FRAMES, count), (count,) */
    float *led, *rest;       /* (count,): energies of the guide, and of what is beside it */
    float *energy, *angle; /* (FRAMES + 1, single) log energies, phases; row 0: the frame before */
    float *tail;           /* (size - hop,): what finished frames add to the coming samples */
    float *heard;          /* (size - hop,): the same of what is heard, weighed by the gains */
    float *time;           /* (FRAMES + OVERLAP - 1) * hop */
    float *envelope;       /* the same length, and so the next two */
    float *norm;           /* 1 / (sum of squared windows over each sample) */
    float *first_norm;     /* the same with no frames before the block */
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

static int allocate(Inverter *inverter)
{
    const size_t count = bands_count(inverter->bands), tail = inverter->size - inverter->hop;
    inverter->spectra = calloc(FRAMES * inverter->bins, sizeof *inverter->spectra);
    inverter->part = calloc(inverter->bins, sizeof *inverter->part);
    inverter->target = calloc(FRAMES * count, sizeof *inverter->target);
    inverter->scratch = calloc(count, sizeof *inverter->scratch);
    inverter->led = calloc(count, sizeof *inverter->led);
    inverter->rest = calloc(count, sizeof *inverter->rest);
    /* One more, since there may be no single bins at all. */
    inverter->energy = calloc((FRAMES + 1) * inverter->single + 1, sizeof *inverter->energy);
    inverter->angle = calloc((FRAMES + 1) * inverter->single + 1, sizeof *inverter->angle);
    inverter->tail = calloc(tail, sizeof *inverter->tail);
    inverter->heard = calloc(tail, sizeof *inverter->heard);
    inverter->time = calloc(span(inverter), sizeof *inverter->time);
    inverter->envelope = calloc(span(inverter), sizeof *inverter->envelope);
    inverter->norm = calloc(span(inverter), sizeof *inverter->norm);
    inverter->first_norm = calloc(span(inverter), sizeof *inverter->first_norm);
    return inverter->spectra && inverter->part && inverter->target && inverter->scratch &&
                   inverter->led && inverter->rest && inverter->energy && inverter->angle &&
                   inverter->tail && inverter->heard && inverter->time && inverter->envelope &&
                   inverter->norm && inverter->first_norm
               ? 0
               : -1;
}

Inverter *inverter_create(const Bands *bands, size_t size, int iterations, InverterNoise noise,
                          void *user, Error *err)
{
    if (iterations < 0 || iterations > 64) {
        error_set(err, "%d rounds of inversion: give 0 to 64", iterations);
        return NULL;
    }
    Inverter *inverter = calloc(1, sizeof *inverter);
    if (!inverter) {
        error_set(err, "out of memory for the inversion");
        return NULL;
    }
    inverter->bands = bands;
    inverter->size = size;
    inverter->hop = size / OVERLAP;
    inverter->iterations = iterations;
    inverter->noise = noise;
    inverter->user = user;
    inverter->stft = stft_create(size, err);
    if (!inverter->stft) {
        inverter_destroy(inverter);
        return NULL;
    }
    inverter->bins = stft_bins(inverter->stft);
    if (8 * bands_single(bands) >= inverter->bins) {
        inverter->single = bands_single(bands);
        inverter->phase = phase_create(size, inverter->single, FRAMES, err);
        if (!inverter->phase) {
            inverter_destroy(inverter);
            return NULL;
        }
    }
    if (allocate(inverter)) {
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
    phase_destroy(inverter->phase);
    free(inverter->spectra);
    free(inverter->part);
    free(inverter->target);
    free(inverter->scratch);
    free(inverter->led);
    free(inverter->rest);
    free(inverter->energy);
    free(inverter->angle);
    free(inverter->tail);
    free(inverter->heard);
    free(inverter->time);
    free(inverter->envelope);
    free(inverter->norm);
    free(inverter->first_norm);
    free(inverter);
}

void inverter_reset(Inverter *inverter)
{
    /* The frame before is not looked at in the stream's first block. */
    inverter->frame = 0;
    memset(inverter->tail, 0, (inverter->size - inverter->hop) * sizeof *inverter->tail);
    memset(inverter->heard, 0, (inverter->size - inverter->hop) * sizeof *inverter->heard);
}

size_t inverter_state_size(const Inverter *inverter)
{
    const size_t tail = inverter->size - inverter->hop;
    return sizeof inverter->frame + (2 * tail + 2 * inverter->single) * sizeof(float);
}

void inverter_save(const Inverter *inverter, void *state)
{
    char *at = state;
    const size_t tail = (inverter->size - inverter->hop) * sizeof(float);
    const size_t single = inverter->single * sizeof(float);
    memcpy(at, &inverter->frame, sizeof inverter->frame);
    memcpy(at += sizeof inverter->frame, inverter->tail, tail);
    memcpy(at += tail, inverter->heard, tail);
    memcpy(at += tail, inverter->energy, single);
    memcpy(at + single, inverter->angle, single);
}

void inverter_load(Inverter *inverter, const void *state)
{
    const char *at = state;
    const size_t tail = (inverter->size - inverter->hop) * sizeof(float);
    const size_t single = inverter->single * sizeof(float);
    memcpy(&inverter->frame, at, sizeof inverter->frame);
    memcpy(inverter->tail, at += sizeof inverter->frame, tail);
    memcpy(inverter->heard, at += tail, tail);
    memcpy(inverter->energy, at += tail, single);
    memcpy(inverter->angle, at + single, single);
}

/* Gives the single bins of `spectra` their phases and energies, and the bins above nothing. */
static void lay_single_bins(Inverter *inverter, const float *log_energy)
{
    const size_t count = bands_count(inverter->bands), single = inverter->single;
    for (size_t f = 0; f < FRAMES; f++)
        memcpy(inverter->energy + (f + 1) * single, log_energy + f * count,
               single * sizeof *inverter->energy);
    phase_integrate(inverter->phase, inverter->energy, inverter->frame > 0, inverter->angle);
    for (size_t f = 0; f < FRAMES; f++) {
        float complex *spectrum = inverter->spectra + f * inverter->bins;
        const float *angle = inverter->angle + (f + 1) * single;
        for (size_t k = 0; k < single; k++)
            spectrum[k] = cosf(angle[k]) + sinf(angle[k]) * I;
        memset(spectrum + single, 0, (inverter->bins - single) * sizeof *spectrum);
        bands_impose(inverter->bands, inverter->target + f * count, spectrum, inverter->scratch);
    }
}

/* Averages with weights falling by `keep` from each sample to the next, on both sides. */
static void smooth(float *value, size_t n, float keep)
{
    float level = 0.0f;
    for (size_t i = 0; i < n; i++)
        value[i] = level = value[i] + keep * (level - value[i]);
    level = 0.0f;
    for (size_t i = n; i-- > 0;)
        value[i] = level = value[i] + keep * (level - value[i]);
}

/* Into `envelope`: the loudness of the upper half of the single bins in the course of the block,
 * 1 at its mean power. It never falls 30 dB under that: the bands' energies do the rest. */
static void find_envelope(Inverter *inverter)
{
    const size_t half = inverter->single / 2, n = span(inverter);
    float *envelope = inverter->envelope;
    memset(envelope, 0, n * sizeof *envelope);
    memset(inverter->part, 0, inverter->bins * sizeof *inverter->part);
    for (size_t f = 0; f < FRAMES; f++) {
        memcpy(inverter->part + half, inverter->spectra + f * inverter->bins + half,
               (inverter->single - half) * sizeof *inverter->part);
        stft_inverse(inverter->stft, inverter->part, envelope + f * inverter->hop);
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        envelope[i] *= inverter->first_norm[i];
        /* In silence, too, it must stay clear of denormals and of a division by nothing. */
        envelope[i] = envelope[i] * envelope[i] + 1e-20f;
        sum += (double)envelope[i];
    }
    smooth(envelope, n, expf(-128.0f / (float)inverter->size));
    const float scale = (float)((double)n / sum);
    for (size_t i = 0; i < n; i++)
        envelope[i] = sqrtf(envelope[i] * scale + 1e-3f);
}

/* First guess of a block's spectra. */
static void excite(Inverter *inverter, const float *log_energy)
{
    const size_t count = bands_count(inverter->bands), single = inverter->single;
    float *noise = inverter->time;
    inverter->noise(inverter->user, inverter->frame * inverter->hop, noise, span(inverter));
    if (inverter->phase) {
        lay_single_bins(inverter, log_energy);
        find_envelope(inverter);
        for (size_t i = 0; i < span(inverter); i++)
            noise[i] *= inverter->envelope[i];
    }
    for (size_t f = 0; f < FRAMES; f++) {
        float complex *spectrum = inverter->spectra + f * inverter->bins;
        stft_forward(inverter->stft, noise + f * inverter->hop, inverter->part);
        memcpy(spectrum + single, inverter->part + single,
               (inverter->bins - single) * sizeof *spectrum);
        bands_impose(inverter->bands, inverter->target + f * count, spectrum, inverter->scratch);
    }
}

/* Puts the guide's share into one frame of the first guess. */
static void lead(Inverter *inverter, const float complex *guide, float share, size_t f)
{
    const Bands *bands = inverter->bands;
    const size_t count = bands_count(bands);
    const float *target = inverter->target + f * count;
    float complex *spectrum = inverter->spectra + f * inverter->bins;
    memcpy(inverter->part, guide, inverter->bins * sizeof *guide);
    bands_energy(bands, guide, inverter->led);
    for (size_t b = 0; b < count; b++) {
        inverter->led[b] = share * share * fminf(inverter->led[b], target[b]);
        inverter->rest[b] = target[b] - inverter->led[b];
    }
    bands_impose(bands, inverter->led, inverter->part, inverter->scratch);
    bands_impose(bands, inverter->rest, spectrum, inverter->scratch);
    for (size_t k = 0; k < inverter->bins; k++)
        spectrum[k] += inverter->part[k];
    bands_impose(bands, target, spectrum, inverter->scratch);
}

/* The guide into all frames. True if it is all that is heard. */
static bool lead_all(Inverter *inverter, const InverterGuide *guide)
{
    bool whole = true;
    for (size_t f = 0; f < FRAMES; f++) {
        if (guide->share[f] > 0.0f)
            lead(inverter, guide->spectra + f * inverter->bins, guide->share[f], f);
        whole = whole && guide->share[f] >= 1.0f;
    }
    return whole;
}

/* Overlap-adds frames 0..frames-1 onto what earlier ones left (size - hop,), into `time` (span,).
 */
static void overlap_add(Inverter *inverter, int frames, const float *left)
{
    const size_t tail = inverter->size - inverter->hop;
    memcpy(inverter->time, left, tail * sizeof *inverter->time);
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
    overlap_add(inverter, FRAMES, inverter->tail);
    for (size_t i = 0; i < span(inverter); i++)
        inverter->time[i] *= norm[i];
    for (int f = 0; f < FRAMES; f++) {
        float complex *spectrum = inverter->spectra + (size_t)f * inverter->bins;
        stft_forward(inverter->stft, inverter->time + (size_t)f * inverter->hop, spectrum);
        bands_impose(inverter->bands, inverter->target + (size_t)f * count, spectrum,
                     inverter->scratch);
    }
}

/* Keeps the last finished frame for the next block's phases to start from. */
static void keep_frame(Inverter *inverter)
{
    const size_t single = inverter->single;
    const float complex *last = inverter->spectra + (INVERTER_BLOCK - 1) * inverter->bins;
    memcpy(inverter->energy, inverter->energy + INVERTER_BLOCK * single,
           single * sizeof *inverter->energy);
    for (size_t k = 0; k < single; k++)
        inverter->angle[k] = cargf(last[k]);
}

/* Overlap-adds the finished frames; what they add to later samples stays in `left` (size - hop,).
 */
static void finish_frames(Inverter *inverter, float *left)
{
    overlap_add(inverter, INVERTER_BLOCK, left);
    memcpy(left, inverter->time + INVERTER_BLOCK * inverter->hop,
           (inverter->size - inverter->hop) * sizeof *left);
}

static void weigh(Inverter *inverter, const float *gain)
{
    for (size_t f = 0; f < INVERTER_BLOCK; f++)
        for (size_t k = 0; k < inverter->bins; k++)
            inverter->spectra[f * inverter->bins + k] *= gain[k];
}

/* `gain` and `guide` may be NULL. */
static void make_block(Inverter *inverter, const float *log_energy, const float *gain,
                       const InverterGuide *guide, float *out)
{
    const size_t count = bands_count(inverter->bands);
    for (size_t f = 0; f < FRAMES; f++)
        bands_exp(inverter->bands, log_energy + f * count, inverter->target + f * count);
    excite(inverter, log_energy);
    const bool whole = guide && lead_all(inverter, guide);
    for (int i = 0; i < (whole ? 0 : inverter->iterations); i++)
        refine(inverter, inverter->frame ? inverter->norm : inverter->first_norm);
    keep_frame(inverter);

    /* The next block's rounds go on from frames as they are, its sound from frames as heard. */
    finish_frames(inverter, inverter->tail);
    if (gain)
        weigh(inverter, gain);
    finish_frames(inverter, inverter->heard);
    const float scale = 1.0f / 1.5f; /* four squared Hann windows a quarter apart */
    for (size_t i = 0; i < INVERTER_BLOCK * inverter->hop; i++)
        out[i] = inverter->time[i] * scale;
    inverter->frame += INVERTER_BLOCK;
}

void inverter_block(Inverter *inverter, const float *log_energy, const float *gain, float *out)
{
    make_block(inverter, log_energy, gain, NULL, out);
}

void inverter_block_guided(Inverter *inverter, const float *log_energy, const InverterGuide *guide,
                           float *out)
{
    make_block(inverter, log_energy, NULL, guide, out);
}
