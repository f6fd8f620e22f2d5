#include "dsp/phase.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A point of the spectrogram. Points lie in a grid with a border of points that are never asked. */
typedef struct Point {
    float angle;
    float along_time, along_bins; /* phase advance from a frame to the next, a bin to the next */
    uint32_t rank;                /* 0: the loudest of all */
} Point;

/* What the points are sorted by: the loudest has the least. */
typedef struct Key {
    uint32_t level, index; /* index: row * bins + bin */
} Key;

enum { DIGIT = 11, DIGITS = 3, VALUES = 1 << DIGIT, WORD = 64 };

struct Phase {
    size_t size, bins, rows, stride; /* of the grid, bins + 2 */
    Point *points;                   /* (rows + 2, stride) */
    unsigned char *done;             /* (rows + 2, stride): its phase is known */
    Key *keys, *sorted;              /* (rows * bins,) */
    uint32_t *place;                 /* (rows * bins,): in the grid, by rank */
    /* The points that wait, by rank, a bit each, and a bit for each word of these that is not 0. */
    uint64_t *waiting, *words;
    size_t first; /* no word before this one of `words` is set */
};

Phase *phase_create(size_t size, size_t bins, size_t frames, Error *err)
{
    if (size < 16 || size > 65536 || bins < 2 || bins > size / 2 + 1 || !frames || frames > 1024) {
        error_set(err,
                  "phases of %zu bins and %zu frames of %zu samples: give 2 to size / 2 + 1 bins, "
                  "1 to 1024 frames, 16 to 65536 samples",
                  bins, frames, size);
        return NULL;
    }
    Phase *phase = calloc(1, sizeof *phase);
    if (!phase) {
        error_set(err, "out of memory for phases");
        return NULL;
    }
    phase->size = size;
    phase->bins = bins;
    phase->rows = frames + 1;
    phase->stride = bins + 2;
    const size_t points = phase->rows * bins, grid = (phase->rows + 2) * phase->stride;
    phase->points = calloc(grid, sizeof *phase->points);
    phase->done = calloc(grid, sizeof *phase->done);
    phase->keys = calloc(points, sizeof *phase->keys);
    phase->sorted = calloc(points, sizeof *phase->sorted);
    phase->place = calloc(points, sizeof *phase->place);
    phase->waiting = calloc(points / WORD + 1, sizeof *phase->waiting);
    phase->words = calloc(points / (WORD * WORD) + 1, sizeof *phase->words);
    if (!phase->points || !phase->done || !phase->keys || !phase->sorted || !phase->place ||
        !phase->waiting || !phase->words) {
        phase_destroy(phase);
        error_set(err, "out of memory for phases");
        return NULL;
    }
    return phase;
}

void phase_destroy(Phase *phase)
{
    if (!phase)
        return;
    free(phase->points);
    free(phase->done);
    free(phase->keys);
    free(phase->sorted);
    free(phase->place);
    free(phase->waiting);
    free(phase->words);
    free(phase);
}

static size_t place_of(const Phase *phase, size_t row, size_t bin)
{
    return (row + 1) * phase->stride + bin + 1;
}

/* A whole number that falls as the level rises. The sum makes one zero of the two. */
static uint32_t level_key(float level)
{
    const float value = level + 0.0f;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? bits : ~(bits | 0x80000000u);
}

/* Sorts keys (n,) into `sorted` by one digit of their levels; equal ones stay in order. */
static void sort_digit(const Key *keys, size_t n, unsigned shift, Key *sorted)
{
    uint32_t at[VALUES] = {0};
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        at[keys[i].level >> shift & (VALUES - 1)]++;
    for (size_t v = 0; v < VALUES; v++) {
        const uint32_t count = at[v];
        at[v] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        sorted[at[keys[i].level >> shift & (VALUES - 1)]++] = keys[i];
}

/* Ranks the points of rows `first` and later by their levels. Equal levels go by index, so that the
 * order is one and the same everywhere. */
static void rank_points(Phase *phase, const float *log_energy, size_t first)
{
    const size_t bins = phase->bins, n = (phase->rows - first) * bins;
    for (size_t i = 0; i < n; i++)
        phase->keys[i] = (Key){level_key(log_energy[first * bins + i]), (uint32_t)i};
    for (unsigned d = 0; d < DIGITS; d++) {
        sort_digit(phase->keys, n, d * DIGIT, phase->sorted);
        Key *keys = phase->keys;
        phase->keys = phase->sorted;
        phase->sorted = keys;
    }
    for (size_t rank = 0; rank < n; rank++) {
        const size_t index = phase->keys[rank].index;
        const size_t place = place_of(phase, first + index / bins, index % bins);
        phase->place[rank] = (uint32_t)place;
        phase->points[place].rank = (uint32_t)rank;
    }
}

static inline void push(Phase *phase, uint32_t rank)
{
    const size_t word = rank / WORD, group = word / WORD;
    phase->waiting[word] |= UINT64_C(1) << rank % WORD;
    phase->words[group] |= UINT64_C(1) << word % WORD;
    phase->first = group < phase->first ? group : phase->first;
}

/* The place of the loudest point that waits. */
static inline size_t pop(Phase *phase)
{
    while (!phase->words[phase->first])
        phase->first++;
    const size_t group = phase->first;
    const size_t word = group * WORD + (size_t)__builtin_ctzll(phase->words[group]);
    const size_t rank = word * WORD + (size_t)__builtin_ctzll(phase->waiting[word]);
    phase->waiting[word] &= phase->waiting[word] - 1;
    if (!phase->waiting[word])
        phase->words[group] &= phase->words[group] - 1;
    return phase->place[rank];
}

/* With window exp(-pi t^2 / gamma), log magnitude s, phase p counted from the window's centre, time
 * t in samples and angular frequency w: dp/dt = w + (2 pi / gamma) ds/dw and dp/dw = -(gamma /
 * (2 pi)) ds/dt. Counted from the frame's start, half a frame earlier, p loses pi a bin. Slopes are
 * centred, and one-sided at the ends. */
static void find_advances(Phase *phase, const float *log_energy, size_t first)
{
    const float pi = 3.14159265f, gamma = 0.25645f; /* of a Hann window, in size^2 */
    const float hop = 0.25f;                        /* in sizes */
    const size_t bins = phase->bins, last = phase->rows - 1;
    for (size_t row = first; row <= last; row++) {
        const float *level = log_energy + row * bins;
        const float *before = row > first ? level - bins : level;
        const float *after = row < last ? level + bins : level;
        const float per_time = row > first && row < last ? 0.5f : 1.0f;
        Point *points = phase->points + place_of(phase, row, 0);
        for (size_t bin = 0; bin < bins; bin++) {
            const size_t low = bin > 0 ? bin - 1 : bin, high = bin + 1 < bins ? bin + 1 : bin;
            const float per_bin = high - low == 2 ? 0.5f : 1.0f;
            /* A log energy is twice a log magnitude. */
            points[bin].along_time = 0.5f * pi * (float)(bin % 4) +
                                     0.5f * (hop / gamma) * ((level[high] - level[low]) * per_bin);
            points[bin].along_bins =
                -pi - 0.5f * (gamma / hop) * ((after[bin] - before[bin]) * per_time);
        }
    }
}

/* Gives a point its phase, and lets it wait to give its neighbours theirs. */
static inline void reach(Phase *phase, size_t place, float angle)
{
    phase->points[place].angle = angle;
    phase->done[place] = 1;
    push(phase, phase->points[place].rank);
}

/* Makes the points that the integration starts from wait. */
static void start(Phase *phase, bool known, const float *angle)
{
    memset(phase->done, 1, (phase->rows + 2) * phase->stride);
    for (size_t row = known ? 0 : 1; row < phase->rows; row++)
        memset(phase->done + place_of(phase, row, 0), 0, phase->bins);
    phase->first = 0;
    if (!known)
        reach(phase, phase->place[0], 0.0f);
    for (size_t bin = 0; known && bin < phase->bins; bin++)
        reach(phase, place_of(phase, 0, bin), angle[bin]);
}

void phase_integrate(Phase *phase, const float *log_energy, bool known, float *angle)
{
    const size_t bins = phase->bins, stride = phase->stride, first = known ? 0 : 1;
    Point *points = phase->points;
    const unsigned char *done = phase->done;
    find_advances(phase, log_energy, first);
    rank_points(phase, log_energy, first);
    start(phase, known, angle);
    for (size_t left = (phase->rows - first) * bins; left > 0; left--) {
        const size_t i = pop(phase);
        const Point at = points[i];
        if (!done[i + stride])
            reach(phase, i + stride,
                  at.angle + 0.5f * (at.along_time + points[i + stride].along_time));
        if (!done[i - stride])
            reach(phase, i - stride,
                  at.angle - 0.5f * (at.along_time + points[i - stride].along_time));
        if (!done[i + 1])
            reach(phase, i + 1, at.angle + 0.5f * (at.along_bins + points[i + 1].along_bins));
        if (!done[i - 1])
            reach(phase, i - 1, at.angle - 0.5f * (at.along_bins + points[i - 1].along_bins));
    }
    for (size_t row = 1; row < phase->rows; row++)
        for (size_t bin = 0; bin < bins; bin++)
            angle[row * bins + bin] = points[place_of(phase, row, bin)].angle;
}
