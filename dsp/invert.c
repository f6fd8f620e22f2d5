#include "dsp/invert_parts.h"

#include "dsp/bands_batch.h"
#include "dsp/kernel.h"
#include "dsp/pages.h"
#include "dsp/sine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OVERLAP = 4, STRIDE = LAPPED_STRIDE, TAIL = LAPPED_TAIL, LINE = 16 };

/* 5 rounds with it come as near to the energies asked for as 10 without. */
static const float MOMENTUM = 0.9f;

/* Samples that a block covers, and values of them when they are woven. */
static size_t span(const Inverter *inverter)
{
    return LAPPED_HOPS * inverter->hop;
}

static size_t woven(const Inverter *inverter)
{
    return STRIDE * inverter->hop;
}

/* 1 / (sum of squared windows) for frames first..FRAMES-1 of a block. The far edge, which only
 * look-ahead frames cover, is bounded so that a window's foot is not blown up. */
static void fill_norm(const Inverter *inverter, int first, float *norm)
{
    const float *window = lapped_window(inverter->lapped);
    float *sums = inverter->sound;
    memset(sums, 0, span(inverter) * sizeof *sums);
    for (int f = first; f < FRAMES; f++)
        for (size_t i = 0; i < inverter->size; i++) {
            const long at = f * (long)inverter->hop + (long)i;
            if (at >= 0)
                sums[at] += window[i] * window[i];
        }
    for (size_t i = 0; i < span(inverter); i++)
        sums[i] = 1.0f / (sums[i] > 0.1f ? sums[i] : 0.1f);
    lapped_weave(inverter->lapped, sums, norm);
}

/* The next n values of a block whose first `used` are taken, from the start of a cache line; NULL
 * while it is only counted. */
static float *take(float *block, size_t *used, size_t n)
{
    float *taken = block ? block + *used : NULL;
    *used += (n + LINE - 1) / LINE * LINE;
    return taken;
}

/* All tables in one block, so that they share its huge pages. Returns how many values it has. */
static size_t lay(Inverter *inverter, float *block)
{
    const size_t count = bands_count(inverter->bands), rows = FRAMES * (inverter->size + 2);
    const size_t singles = (FRAMES + 1) * inverter->single, tail = TAIL * inverter->hop;
    size_t used = 0;
    inverter->spectra = take(block, &used, rows);
    inverter->spare = take(block, &used, rows);
    inverter->laid = take(block, &used, FRAMES * 2 * inverter->single);
    inverter->target = take(block, &used, FRAMES * count);
    inverter->gains = take(block, &used, FOURIER_WIDE * count);
    inverter->led = take(block, &used, FOURIER_WIDE * count);
    inverter->rest = take(block, &used, FOURIER_WIDE * count);
    inverter->energy = take(block, &used, singles);
    inverter->angle = take(block, &used, singles);
    inverter->tail = take(block, &used, tail);
    inverter->heard = take(block, &used, tail);
    inverter->sound = take(block, &used, span(inverter));
    inverter->time = take(block, &used, woven(inverter));
    inverter->envelope = take(block, &used, woven(inverter));
    inverter->before = take(block, &used, woven(inverter));
    inverter->norm = take(block, &used, woven(inverter));
    inverter->first_norm = take(block, &used, woven(inverter));
    return used;
}

static int allocate(Inverter *inverter)
{
    inverter->values = lay(inverter, NULL);
    inverter->block = pages_alloc(inverter->values, sizeof *inverter->block);
    lay(inverter, inverter->block);
    return inverter->block ? 0 : -1;
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
    inverter->lapped = lapped_create(size, err);
    if (!inverter->lapped) {
        inverter_destroy(inverter);
        return NULL;
    }
    inverter->bins = size / 2 + 1;
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
    lapped_destroy(inverter->lapped);
    phase_destroy(inverter->phase);
    pages_free(inverter->block, inverter->values, sizeof *inverter->block);
    free(inverter);
}

void inverter_reset(Inverter *inverter)
{
    /* The frame before is not looked at in the stream's first block. */
    inverter->frame = 0;
    memset(inverter->tail, 0, TAIL * inverter->hop * sizeof *inverter->tail);
    memset(inverter->heard, 0, TAIL * inverter->hop * sizeof *inverter->heard);
}

size_t inverter_state_size(const Inverter *inverter)
{
    const size_t tail = TAIL * inverter->hop;
    return sizeof inverter->frame + (2 * tail + 2 * inverter->single) * sizeof(float);
}

void inverter_save(const Inverter *inverter, void *state)
{
    char *at = state;
    const size_t tail = TAIL * inverter->hop * sizeof(float);
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
    const size_t tail = TAIL * inverter->hop * sizeof(float);
    const size_t single = inverter->single * sizeof(float);
    memcpy(&inverter->frame, at, sizeof inverter->frame);
    memcpy(inverter->tail, at += sizeof inverter->frame, tail);
    memcpy(inverter->heard, at += tail, tail);
    memcpy(inverter->energy, at += tail, single);
    memcpy(inverter->angle, at + single, single);
}

/* Samples and phases of frames that were made are far within these; log energies too. */
static const float MOST_SOUND = 1e6f, MOST_ENERGY = 1e3f, MOST_ANGLE = 1e4f;

void inverter_pack(const Inverter *inverter, const void *state, Packer *packer)
{
    const float *at = (const void *)((const char *)state + sizeof inverter->frame);
    pack_floats(packer, at, 2 * TAIL * inverter->hop + 2 * inverter->single);
}

int inverter_unpack(Inverter *inverter, uint64_t frame, Unpacker *unpacker)
{
    const size_t tail = TAIL * inverter->hop;
    inverter->frame = frame;
    unpack_floats(unpacker, inverter->tail, tail, MOST_SOUND);
    unpack_floats(unpacker, inverter->heard, tail, MOST_SOUND);
    unpack_floats(unpacker, inverter->energy, inverter->single, MOST_ENERGY);
    unpack_floats(unpacker, inverter->angle, inverter->single, MOST_ANGLE);
    return unpacker->failed ? -1 : 0;
}

/* Log energies (FRAMES, count) -> target. */
static void set_target(Inverter *inverter, const float *log_energy)
{
    const size_t count = bands_count(inverter->bands);
    float *energy = inverter->gains;
    for (size_t b = 0; b < LAPPED_BATCHES; b++) {
        const size_t lanes = lapped_lanes(b), first = lapped_first(b);
        float *target = inverter->target + lapped_batch(b, count);
        for (size_t l = 0; l < lanes; l++) {
            bands_exp(inverter->bands, log_energy + (first + l) * count, energy);
            for (size_t i = 0; i < count; i++)
                target[i * lanes + l] = energy[i];
        }
    }
}

static void impose(Inverter *inverter)
{
    const size_t count = bands_count(inverter->bands), rows = inverter->size + 2;
    for (size_t b = 0; b < LAPPED_BATCHES; b++)
        bands_batch_impose(inverter->bands, lapped_lanes(b), lapped_rows(inverter->lapped),
                           inverter->target + lapped_batch(b, count),
                           inverter->spectra + lapped_batch(b, rows), inverter->gains);
}

/* Numbers of these lengths and phases, (n,). */
KERNEL static void turn(size_t n, const float *energy, const float *angle, float power,
                        float *restrict re, float *restrict im)
{
    for (size_t i = 0; i < n; i++) {
        float sine, cosine;
        const float length = sqrtf(energy[i] * power);
        sine_cosine(angle[i], &sine, &cosine);
        re[i] = cosine * length;
        im[i] = sine * length;
    }
}

/* Into `laid`: the single bins, with the energies asked for and phases integrated from these. */
static void lay_single_bins(Inverter *inverter, const float *log_energy)
{
    const size_t count = bands_count(inverter->bands), single = inverter->single;
    const float power = 0.375f * (float)inverter->size; /* of a bin in white noise */
    float *level = inverter->gains, *re = inverter->spare, *im = re + single;
    for (size_t f = 0; f < FRAMES; f++)
        memcpy(inverter->energy + (f + 1) * single, log_energy + f * count,
               single * sizeof *inverter->energy);
    phase_integrate(inverter->phase, inverter->energy, inverter->frame > 0, inverter->angle);
    for (size_t f = 0; f < FRAMES; f++) {
        const size_t b = f / FOURIER_WIDE, lanes = lapped_lanes(b), l = f - lapped_first(b);
        const float *target = inverter->target + lapped_batch(b, count);
        float *laid = inverter->laid + lapped_batch(b, 2 * single);
        for (size_t k = 0; k < single; k++)
            level[k] = target[k * lanes + l];
        turn(single, level, inverter->angle + (f + 1) * single, power, re, im);
        for (size_t k = 0; k < single; k++) {
            laid[2 * k * lanes + l] = re[k];
            laid[(2 * k + 1) * lanes + l] = im[k];
        }
    }
}

/* Bins first..single-1 of `laid` into spectra. */
static void put_single_bins(const Inverter *inverter, size_t first, float *spectra)
{
    const size_t *rows = lapped_rows(inverter->lapped);
    for (size_t b = 0; b < LAPPED_BATCHES; b++) {
        const size_t lanes = lapped_lanes(b);
        const float *laid = inverter->laid + lapped_batch(b, 2 * inverter->single);
        float *spectrum = spectra + lapped_batch(b, inverter->size + 2);
        for (size_t k = first; k < inverter->single; k++)
            memcpy(spectrum + rows[k] * lanes, laid + 2 * k * lanes, 2 * lanes * sizeof *laid);
    }
}

/* value -> norm -> its square, which stays clear of denormals in silence, too. Returns the sum. */
KERNEL static double square(size_t n, const float *norm, float *restrict value)
{
    double sums[STRIDE] = {0.0}, sum = 0.0;
    for (size_t i = 0; i < n; i += STRIDE)
        for (size_t h = 0; h < STRIDE; h++) {
            const float x = value[i + h] * norm[i + h];
            value[i + h] = x * x + 1e-20f;
            sums[h] += (double)value[i + h];
        }
    for (size_t h = 0; h < LAPPED_HOPS; h++)
        sum += sums[h];
    return sum;
}

/* Averages with weights falling by `keep` from each sample to the next. Every hop by itself first:
 * then what it is given by the hop before it, which is known from its last sample. `step` is 1, or
 * -1 and `value` at the last row. */
KERNEL static void smooth(size_t hop, long step, float keep, float *restrict value)
{
    float level[STRIDE] = {0.0f}, given[STRIDE] = {0.0f};
    for (size_t j = 0; j < hop; j++) {
        float *row = value + (long)j * step * STRIDE;
        for (size_t h = 0; h < STRIDE; h++)
            row[h] = level[h] = row[h] + keep * (level[h] - row[h]);
    }
    const float whole = powf(keep, (float)hop);
    for (size_t i = 1; i < LAPPED_HOPS; i++) {
        const size_t h = step > 0 ? i : LAPPED_HOPS - 1 - i, before = step > 0 ? h - 1 : h + 1;
        given[h] = level[before] + whole * given[before];
    }
    for (size_t j = 0; j < hop; j++) {
        float *row = value + (long)j * step * STRIDE;
        for (size_t h = 0; h < STRIDE; h++) {
            given[h] *= keep;
            row[h] += given[h];
        }
    }
}

KERNEL static void apply_envelope(size_t n, float scale, const float *envelope,
                                  float *restrict value)
{
    for (size_t i = 0; i < n; i++)
        value[i] *= sqrtf(envelope[i] * scale + 1e-3f);
}

/* Makes `time` loud and quiet as the upper half of the single bins is in the course of the block,
 * and as it was at their mean power. It never falls 30 dB under that: the bands' energies do the
 * rest. */
static void shape(Inverter *inverter)
{
    const size_t n = woven(inverter), hop = inverter->hop;
    const float keep = expf(-128.0f / (float)inverter->size);
    memset(inverter->envelope, 0, n * sizeof *inverter->envelope);
    memset(inverter->spare, 0, FRAMES * (inverter->size + 2) * sizeof *inverter->spare);
    put_single_bins(inverter, inverter->single / 2, inverter->spare);
    lapped_inverse(inverter->lapped, LAPPED_BATCHES, inverter->spare, inverter->envelope);
    const double sum = square(n, inverter->first_norm, inverter->envelope);
    smooth(hop, 1, keep, inverter->envelope);
    smooth(hop, -1, keep, inverter->envelope + (hop - 1) * STRIDE);
    apply_envelope(n, (float)((double)span(inverter) / sum), inverter->envelope, inverter->time);
}

/* First guess of a block's spectra. */
static void excite(Inverter *inverter, const float *log_energy)
{
    inverter->noise(inverter->user, inverter->frame * inverter->hop, inverter->sound,
                    span(inverter));
    lapped_weave(inverter->lapped, inverter->sound, inverter->time);
    if (inverter->phase) {
        lay_single_bins(inverter, log_energy);
        shape(inverter);
    }
    lapped_forward(inverter->lapped, inverter->time, inverter->spectra);
    put_single_bins(inverter, 0, inverter->spectra);
    impose(inverter);
}

/* Overlap-adds the first `batches` batches of `spectra`, which is overwritten, onto what earlier
 * frames left (hop, TAIL), into `time`. */
static void overlap_add(Inverter *inverter, size_t batches, float *spectra, const float *left)
{
    memset(inverter->time, 0, woven(inverter) * sizeof *inverter->time);
    for (size_t j = 0; j < inverter->hop; j++)
        memcpy(inverter->time + j * STRIDE, left + j * TAIL, TAIL * sizeof *left);
    lapped_inverse(inverter->lapped, batches, spectra, inverter->time);
}

/* Rounds of Griffin-Lim: the signal that the spectra add up to, analysed, its energies imposed
 * again. From the second on it moves on the way that it went, as in the fast algorithm of
 * Perraudin, Balazs, Soendergaard (2013). */
static void refine(Inverter *inverter, const float *norm)
{
    for (int i = 0; i < inverter->iterations; i++) {
        lapped_refine(inverter->lapped, inverter->tail, norm, i ? MOMENTUM : 0.0f, inverter->before,
                      inverter->spectra);
        impose(inverter);
    }
}

/* Keeps the last finished frame for the next block's phases to start from. */
static void keep_frame(Inverter *inverter)
{
    const size_t single = inverter->single, *rows = lapped_rows(inverter->lapped);
    const float *last = inverter->spectra + FOURIER_WIDE - 1;
    memcpy(inverter->energy, inverter->energy + INVERTER_BLOCK * single,
           single * sizeof *inverter->energy);
    for (size_t k = 0; k < single; k++)
        inverter->angle[k] =
            atan2f(last[(rows[k] + 1) * FOURIER_WIDE], last[rows[k] * FOURIER_WIDE]);
}

/* Overlap-adds the finished frames of `spectra`, which is overwritten; what they add to later
 * samples stays in `left`. */
static void finish_frames(Inverter *inverter, float *spectra, float *left)
{
    overlap_add(inverter, 1, spectra, left);
    for (size_t j = 0; j < inverter->hop; j++)
        memcpy(left + j * TAIL, inverter->time + j * STRIDE + INVERTER_BLOCK, TAIL * sizeof *left);
}

/* The finished frames as they are heard, into `spare`. */
static void weigh(Inverter *inverter, const float *gain)
{
    const size_t *rows = lapped_rows(inverter->lapped);
    memcpy(inverter->spare, inverter->spectra,
           FOURIER_WIDE * (inverter->size + 2) * sizeof *inverter->spare);
    for (size_t k = 0; gain && k < inverter->bins; k++)
        for (size_t l = 0; l < 2 * FOURIER_WIDE; l++)
            inverter->spare[rows[k] * FOURIER_WIDE + l] *= gain[k];
}

/* `gain` and `guide` may be NULL. */
static void make_block(Inverter *inverter, const float *log_energy, const float *gain,
                       const InverterGuide *guide, float *out)
{
    set_target(inverter, log_energy);
    excite(inverter, log_energy);
    const bool whole = guide && inverter_lead(inverter, guide);
    if (!whole)
        refine(inverter, inverter->frame ? inverter->norm : inverter->first_norm);
    keep_frame(inverter);

    /* The next block's rounds go on from frames as they are, its sound from frames as heard. */
    weigh(inverter, gain);
    finish_frames(inverter, inverter->spectra, inverter->tail);
    finish_frames(inverter, inverter->spare, inverter->heard);
    const float scale = 1.0f / 1.5f; /* four squared Hann windows a quarter apart */
    lapped_unweave(inverter->lapped, inverter->time, INVERTER_BLOCK, scale, out);
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
