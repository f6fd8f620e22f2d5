#include "models/corpus_parts.h"

#include "models/half.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A middle quieter than this under its channels is noise: it is not brought up any further. */
static const float LEAST_MIDDLE = 0.05f;

/* Sums of energies (bands,) of frames first..first+count-1 of a take, added. */
static void add_energy(const Corpus *corpus, const CorpusTake *take, size_t first, size_t count,
                       float *frame, double *sum)
{
    for (size_t f = first; f < first + count; f++) {
        half_to_float(take->values + f * corpus->bands, frame, corpus->bands);
        for (size_t b = 0; b < corpus->bands; b++)
            sum[b] += (double)expf(frame[b]);
    }
}

/* The middle's share of the energy in a recording whose left take this is, over frames
 * first..first+count-1 -> share (bands,); sums (2, bands). */
static void measure(const Corpus *corpus, const CorpusTake *left, size_t first, size_t count,
                    float *frame, double *sums, float *share)
{
    const size_t bands = corpus->bands;
    memset(sums, 0, 2 * bands * sizeof *sums);
    add_energy(corpus, left, first, count, frame, sums);
    add_energy(corpus, left + 1, first, count, frame, sums);
    add_energy(corpus, left + 2, first, count, frame, sums + bands);
    for (size_t b = 0; b < bands; b++)
        share[b] = (float)fmin(1.0, 2.0 * sums[bands + b] / (sums[b] + 1e-30));
}

/* Brings a middle to the level of its channels. */
static void raise_middle(const Corpus *corpus, CorpusTake *middle, const float *share, float *frame)
{
    for (size_t f = 0; f < middle->frames; f++) {
        uint16_t *values = middle->values + f * corpus->bands;
        half_to_float(values, frame, corpus->bands);
        for (size_t b = 0; b < corpus->bands; b++)
            frame[b] -= logf(fmaxf(share[b], LEAST_MIDDLE));
        half_from_float(frame, values, corpus->bands);
    }
}

/* What one class is known to have: sums over frames, and how many. */
typedef struct Image {
    float *sums; /* (bands,) */
    float *weight;
} Image;

static void add_image(Image image, const float *share, size_t bands, size_t count)
{
    for (size_t b = 0; b < bands; b++)
        image.sums[b] += (float)count * (share ? share[b] : 1.0f);
    *image.weight += (float)count;
}

/* Whether take i is the left one of a recording of which right and middle are there as well: they
 * may have been refused, for want of memory. */
static bool has_all(const Corpus *corpus, size_t i)
{
    const CorpusTake *take = &corpus->takes[i];
    return take->channel == CORPUS_LEFT && i + 2 < corpus->take_count &&
           take[1].channel == CORPUS_RIGHT && take[2].channel == CORPUS_MIDDLE &&
           take[1].frames == take->frames && take[2].frames == take->frames;
}

/* Measures all recordings of two channels: adds to sums (classes, bands) and weights (classes,). */
static void measure_all(Corpus *corpus, float *frame, double *energies, float *share, float *sums,
                        float *weights)
{
    const size_t bands = corpus->bands;
    for (size_t i = 0; i < corpus->take_count; i++) {
        CorpusTake *take = &corpus->takes[i];
        const size_t c = corpus->groups[take->group].class_index;
        const Image image = {sums + c * bands, weights + c};
        size_t first;
        const size_t count = corpus_take_side(corpus, take, 0, &first);
        if (take->channel == CORPUS_ALIKE)
            add_image(image, NULL, bands, count);
        if (!has_all(corpus, i))
            continue;
        if (count) {
            measure(corpus, take, first, count, frame, energies, share);
            add_image(image, share, bands, count);
        }
        measure(corpus, take, 0, take->frames, frame, energies, share);
        raise_middle(corpus, take + 2, share, frame);
    }
}

/* What classes without a stereo recording get: usual (bands,). */
static void find_usual(const Corpus *corpus, const float *sums, const float *weights, float *usual)
{
    const size_t bands = corpus->bands;
    float known = 0.0f;
    memset(usual, 0, bands * sizeof *usual);
    for (size_t c = 0; c < corpus->class_count; c++) {
        if (weights[c] <= 0.0f)
            continue;
        known++;
        for (size_t b = 0; b < bands; b++)
            usual[b] += sums[c * bands + b] / weights[c];
    }
    for (size_t b = 0; b < bands; b++)
        usual[b] =
            known > 0.0f ? usual[b] / known : 0.75f + 0.25f * expf(-8.0f * (float)b / (float)bands);
}

int corpus_image(Corpus *corpus, float *middle, Error *err)
{
    const size_t bands = corpus->bands;
    float *frame = malloc(3 * bands * sizeof *frame);
    float *weights = calloc(corpus->class_count, sizeof *weights);
    double *energies = malloc(2 * bands * sizeof *energies);
    const int failed = !frame || !weights || !energies;
    if (!failed) {
        float *share = frame + bands, *usual = frame + 2 * bands;
        memset(middle, 0, corpus->class_count * bands * sizeof *middle);
        measure_all(corpus, frame, energies, share, middle, weights);
        find_usual(corpus, middle, weights, usual);
        for (size_t c = 0; c < corpus->class_count; c++)
            for (size_t b = 0; b < bands; b++)
                middle[c * bands + b] =
                    weights[c] > 0.0f ? middle[c * bands + b] / weights[c] : usual[b];
    }
    free(frame);
    free(weights);
    free(energies);
    return failed ? error_set(err, "out of memory for the stereo image") : 0;
}
