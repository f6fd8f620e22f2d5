#include "dsp/recall.h"

#include "dsp/planner.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of BLOCK lags are correlated by transforms of twice that. */
enum {
    BLOCK = 4096,
    SIZE = 2 * BLOCK,
    BINS = SIZE / 2 + 1,
    BLOCKS = RECALL_HISTORY / BLOCK,
    /* The nearest place: the pitch period and what else is recent is for others to predict. */
    NEAREST = RECALL_TEMPLATE + RECALL_REACH
};

/* A new place must be this much likelier than the old one; a place less likely than this is none.
 */
static const float ADVANTAGE = 1.05f, LEAST_LIKENESS = 0.15f;

struct Recall {
    size_t count;           /* values pushed since the start */
    float *values;          /* (RECALL_HISTORY + BLOCK,): a ring of blocks */
    fftwf_complex *spectra; /* (BLOCKS + 1, BINS) of blocks and their successors */
    float *time;            /* (SIZE,) */
    fftwf_complex *spectrum, *template, *sum; /* (BINS,) */
    fftwf_plan forward, inverse;
    size_t lag; /* of the place; 0: none */
    float likeness;
};

Recall *recall_create(Error *err)
{
    Recall *recall = calloc(1, sizeof *recall);
    if (recall) {
        recall->values = calloc(RECALL_HISTORY + BLOCK, sizeof(float));
        recall->spectra = fftwf_alloc_complex((size_t)(BLOCKS + 1) * BINS);
        recall->time = fftwf_alloc_real(SIZE);
        recall->spectrum = fftwf_alloc_complex(BINS);
        recall->template = fftwf_alloc_complex(BINS);
        recall->sum = fftwf_alloc_complex(BINS);
    }
    if (!recall || !recall->values || !recall->spectra || !recall->time || !recall->spectrum ||
        !recall->template || !recall->sum) {
        error_set(err, "out of memory for a long past");
        recall_destroy(recall);
        return NULL;
    }
    /* ESTIMATE, since measured plans differ from run to run, and so would the rounding. */
    planner_lock();
    recall->forward = fftwf_plan_dft_r2c_1d(SIZE, recall->time, recall->spectrum, FFTW_ESTIMATE);
    recall->inverse = fftwf_plan_dft_c2r_1d(SIZE, recall->sum, recall->time, FFTW_ESTIMATE);
    planner_unlock();
    if (!recall->forward || !recall->inverse) {
        error_set(err, "FFTW cannot plan a transform of %d samples", SIZE);
        recall_destroy(recall);
        return NULL;
    }
    recall_reset(recall);
    return recall;
}

void recall_destroy(Recall *recall)
{
    if (!recall)
        return;
    planner_lock();
    if (recall->forward)
        fftwf_destroy_plan(recall->forward);
    if (recall->inverse)
        fftwf_destroy_plan(recall->inverse);
    planner_unlock();
    free(recall->values);
    fftwf_free(recall->spectra);
    fftwf_free(recall->time);
    fftwf_free(recall->spectrum);
    fftwf_free(recall->template);
    fftwf_free(recall->sum);
    free(recall);
}

void recall_reset(Recall *recall)
{
    memset(recall->values, 0, (RECALL_HISTORY + BLOCK) * sizeof(float));
    memset(recall->spectra, 0, (size_t)(BLOCKS + 1) * BINS * sizeof(fftwf_complex));
    recall->count = recall->lag = 0;
    recall->likeness = 0.0f;
}

static float value_at(const Recall *recall, size_t place)
{
    return recall->values[place % (RECALL_HISTORY + BLOCK)];
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Correlation of the template with the BLOCK places from a block's start on: to `time`. The last of
 * them reach into the next block, whose values the spectrum therefore holds too. */
static void correlate(Recall *recall, fftwf_complex *block)
{
    for (size_t i = 0; i < BINS; i++) {
        const float a = block[i][0], b = block[i][1];
        const float c = recall->template[i][0], d = recall->template[i][1];
        recall->sum[i][0] = a * c + b * d;
        recall->sum[i][1] = b * c - a * d;
    }
    fftwf_execute(recall->inverse);
}

/* Spectrum of values first .. first + count - 1, with zeros after them, as FFTW lays it out. */
static void transform(Recall *recall, size_t first, size_t count)
{
    memset(recall->time, 0, SIZE * sizeof(float));
    for (size_t i = 0; i < count; i++)
        recall->time[i] = value_at(recall, first + i);
    fftwf_execute(recall->forward);
}

/* A block is kept once the next one is complete. */
static void keep_block(Recall *recall)
{
    const size_t block = recall->count / BLOCK - 1;
    if (block < 1)
        return;
    transform(recall, (block - 1) * BLOCK, SIZE);
    memcpy(recall->spectra + (block - 1) % (BLOCKS + 1) * BINS, recall->spectrum,
           BINS * sizeof(fftwf_complex));
}

typedef struct Best {
    float score;
    size_t place;
} Best;

/* The best of the places first .. last - 1 of a block, given their correlations in `time`. */
static void look(const Recall *recall, size_t first, size_t last, double energy, Best *best)
{
    double stretch = 0.0;
    for (size_t i = 0; i < RECALL_TEMPLATE; i++)
        stretch += (double)value_at(recall, first + i) * (double)value_at(recall, first + i);
    for (size_t place = first; place < last; place++) {
        const float match = recall->time[place - first] / (float)SIZE;
        if (match > 0.0f && stretch > 0.0) {
            const float score = match / (float)sqrt(stretch * energy + 1e-20);
            if (score > best->score)
                *best = (Best){score, place};
        }
        const double in = (double)value_at(recall, place + RECALL_TEMPLATE);
        const double out = (double)value_at(recall, place);
        stretch = fmax(stretch + in * in - out * out, 0.0);
    }
}

/* Likeness of the place at `lag` to the newest template. */
static float likeness_at(const Recall *recall, size_t lag)
{
    double both = 0.0, here = 0.0, there = 0.0;
    for (size_t i = 1; i <= RECALL_TEMPLATE; i++) {
        const double a = (double)value_at(recall, recall->count - i);
        const double b = (double)value_at(recall, recall->count - lag - i);
        both += a * b;
        here += a * a;
        there += b * b;
    }
    return (float)(both / sqrt(here * there + 1e-20));
}

static void search(Recall *recall)
{
    const size_t start = recall->count - RECALL_TEMPLATE;
    const size_t oldest =
        recall->count > RECALL_HISTORY ? (recall->count - RECALL_HISTORY) / BLOCK + 1 : 0;
    double energy = 0.0;
    Best best = {0.0f, 0};
    for (size_t i = 0; i < RECALL_TEMPLATE; i++)
        energy += (double)value_at(recall, start + i) * (double)value_at(recall, start + i);
    transform(recall, start, RECALL_TEMPLATE);
    memcpy(recall->template, recall->spectrum, BINS * sizeof(fftwf_complex));
    const size_t last = recall->count - NEAREST, whole = recall->count / BLOCK;
    for (size_t block = oldest; block * BLOCK < last; block++) {
        if (block + 2 <= whole)
            correlate(recall, recall->spectra + block % (BLOCKS + 1) * BINS);
        else { /* not complete: as far as it goes */
            transform(recall, block * BLOCK, smaller(SIZE, recall->count - block * BLOCK));
            correlate(recall, recall->spectrum);
        }
        look(recall, block * BLOCK, smaller(last, (block + 1) * BLOCK), energy, &best);
    }
    const float old = recall->lag ? likeness_at(recall, recall->lag) : 0.0f;
    recall->likeness = fmaxf(old, 0.0f);
    if (best.score > ADVANTAGE * old) {
        recall->lag = start - best.place;
        recall->likeness = fminf(best.score, 1.0f);
    }
    if (recall->likeness < LEAST_LIKENESS || recall->lag > RECALL_HISTORY) {
        recall->lag = 0;
        recall->likeness = 0.0f;
    }
}

void recall_push(Recall *recall, float value)
{
    recall->values[recall->count % (RECALL_HISTORY + BLOCK)] = isfinite(value) ? value : 0.0f;
    recall->count++;
    if (recall->count % BLOCK == 0)
        keep_block(recall);
    if (recall->count % RECALL_HOP == 0 && recall->count > NEAREST)
        search(recall);
}

float recall_around(const Recall *recall, float *around)
{
    for (size_t i = 0; i <= 2 * RECALL_REACH; i++)
        around[i] =
            recall->lag ? value_at(recall, recall->count - recall->lag + i - RECALL_REACH) : 0.0f;
    return recall->likeness;
}
