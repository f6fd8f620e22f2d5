#include "models/normaliser.h"

#include "dsp/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Knots rise at least this much (in nepers of energy), so that the map can be turned round where a
 * recording is silent and all quantiles are the floor. */
static const float LEAST_RISE = 1e-3f;

struct Normaliser {
    size_t classes, bands;
    float *table;
};

static float knot_position(size_t k)
{
    return -NORMALISER_RANGE + 2.0f * NORMALISER_RANGE * (float)k / (float)(NORMALISER_KNOTS - 1);
}

Normaliser *normaliser_create(size_t classes, size_t bands, Error *err)
{
    if (classes < 1 || classes > 256 || bands < 1 || bands > 4096) {
        error_set(err, "a normaliser for %zu classes and %zu bands: up to 256 and 4096", classes,
                  bands);
        return NULL;
    }
    Normaliser *normaliser = calloc(1, sizeof *normaliser);
    if (normaliser)
        normaliser->table = calloc(classes * bands * NORMALISER_KNOTS, sizeof(float));
    if (!normaliser || !normaliser->table) {
        free(normaliser);
        error_set(err, "out of memory for a normaliser");
        return NULL;
    }
    normaliser->classes = classes;
    normaliser->bands = bands;
    for (size_t i = 0; i < classes * bands; i++)
        for (size_t k = 0; k < NORMALISER_KNOTS; k++)
            normaliser->table[i * NORMALISER_KNOTS + k] = knot_position(k);
    return normaliser;
}

void normaliser_destroy(Normaliser *normaliser)
{
    if (!normaliser)
        return;
    free(normaliser->table);
    free(normaliser);
}

/* Value at share p of sorted values (n,), value i standing for share (i + 0.5) / n. */
static float quantile(const float *sorted, size_t n, double p)
{
    const double at = p * (double)n - 0.5;
    if (at <= 0.0)
        return sorted[0];
    if (at >= (double)(n - 1))
        return sorted[n - 1];
    const size_t i = (size_t)at;
    const float share = (float)(at - (double)i);
    return sorted[i] + share * (sorted[i + 1] - sorted[i]);
}

/* Makes knots rise. A run of equal ones is spread about its middle, so that a value which many
 * frames share (silence) becomes the middle of their ranks. */
static void spread_ties(float *knots)
{
    for (size_t first = 0, end; first < NORMALISER_KNOTS; first = end) {
        for (end = first + 1; end < NORMALISER_KNOTS && knots[end] == knots[first];)
            end++;
        const float middle = 0.5f * (float)(first + end - 1), value = knots[first];
        for (size_t k = first; k < end; k++)
            knots[k] = value + LEAST_RISE * ((float)k - middle);
    }
    for (size_t k = 1; k < NORMALISER_KNOTS; k++)
        if (knots[k] < knots[k - 1] + 0.5f * LEAST_RISE)
            knots[k] = knots[k - 1] + 0.5f * LEAST_RISE;
}

int normaliser_fit(Normaliser *normaliser, size_t class_index, const float *frames, size_t n,
                   Error *err)
{
    const size_t bands = normaliser->bands;
    float *column = malloc(n * sizeof *column);
    if (!column)
        return error_set(err, "out of memory for the quantiles of %zu frames", n);
    for (size_t b = 0; b < bands; b++) {
        float *knots = normaliser->table + (class_index * bands + b) * NORMALISER_KNOTS;
        for (size_t i = 0; i < n; i++)
            column[i] = frames[i * bands + b];
        rank_sort(column, n);
        for (size_t k = 0; k < NORMALISER_KNOTS; k++)
            knots[k] = quantile(column, n, 0.5 * erfc(-(double)knot_position(k) / sqrt(2.0)));
        spread_ties(knots);
    }
    free(column);
    return 0;
}

const float *normaliser_table(const Normaliser *normaliser)
{
    return normaliser->table;
}

int normaliser_set_table(Normaliser *normaliser, const float *table, Error *err)
{
    const size_t maps = normaliser->classes * normaliser->bands;
    for (size_t i = 0; i < maps; i++)
        for (size_t k = 0; k < NORMALISER_KNOTS; k++) {
            const float *knots = table + i * NORMALISER_KNOTS;
            if (!(fabsf(knots[k]) < 100.0f) || (k && !(knots[k] > knots[k - 1])))
                return error_set(err,
                                 "the quantiles of class %zu, band %zu do not rise at knot %zu",
                                 i / normaliser->bands, i % normaliser->bands, k);
        }
    memcpy(normaliser->table, table, maps * NORMALISER_KNOTS * sizeof *table);
    return 0;
}

static float to_gaussian(const float *knots, float value)
{
    size_t low = 0, high = NORMALISER_KNOTS - 1;
    if (!(value > knots[low]))
        return -NORMALISER_RANGE;
    if (value >= knots[high])
        return NORMALISER_RANGE;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (knots[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    const float share = (value - knots[low]) / (knots[high] - knots[low]);
    return knot_position(low) + share * (knot_position(high) - knot_position(low));
}

void normaliser_forward(const Normaliser *normaliser, size_t class_index, float *frames, size_t n)
{
    const size_t bands = normaliser->bands;
    const float *table = normaliser->table + class_index * bands * NORMALISER_KNOTS;
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < bands; b++)
            frames[i * bands + b] =
                to_gaussian(table + b * NORMALISER_KNOTS, frames[i * bands + b]);
}

/* The knots of band b in a mixture of classes, (NORMALISER_KNOTS,). */
static void mix_knots(const Normaliser *normaliser, const float *mix, size_t b, float *knots)
{
    memset(knots, 0, NORMALISER_KNOTS * sizeof *knots);
    for (size_t c = 0; c < normaliser->classes; c++) {
        const float *own = normaliser->table + (c * normaliser->bands + b) * NORMALISER_KNOTS;
        for (size_t k = 0; mix[c] != 0.0f && k < NORMALISER_KNOTS; k++)
            knots[k] += mix[c] * own[k];
    }
}

void normaliser_forward_mix(const Normaliser *normaliser, const float *mix, float *frames, size_t n)
{
    float knots[NORMALISER_KNOTS];
    for (size_t b = 0; b < normaliser->bands; b++) {
        mix_knots(normaliser, mix, b, knots);
        for (size_t i = 0; i < n; i++)
            frames[i * normaliser->bands + b] =
                to_gaussian(knots, frames[i * normaliser->bands + b]);
    }
}

void normaliser_backward(const Normaliser *normaliser, const float *mix, float *frames, size_t n)
{
    const size_t bands = normaliser->bands;
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < bands; b++) {
            float at = (frames[i * bands + b] + NORMALISER_RANGE) * (float)(NORMALISER_KNOTS - 1) /
                       (2.0f * NORMALISER_RANGE);
            at = fminf(fmaxf(at, 0.0f), (float)(NORMALISER_KNOTS - 1));
            const size_t k = at < (float)(NORMALISER_KNOTS - 2) ? (size_t)at : NORMALISER_KNOTS - 2;
            const float share = at - (float)k;
            float value = 0.0f;
            for (size_t c = 0; c < normaliser->classes; c++) {
                if (mix[c] == 0.0f)
                    continue;
                const float *knots = normaliser->table + (c * bands + b) * NORMALISER_KNOTS + k;
                value += mix[c] * (knots[0] + share * (knots[1] - knots[0]));
            }
            frames[i * bands + b] = value;
        }
}
