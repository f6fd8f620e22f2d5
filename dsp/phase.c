#include "dsp/phase.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A point of the spectrogram whose phase is known, and its neighbours' perhaps not yet. */
typedef struct Point {
    float level;
    uint32_t index; /* row * bins + bin */
} Point;

struct Phase {
    size_t size, bins, rows;
    Point *heap; /* (rows * bins,), the first `waiting` in use */
    size_t waiting;
    /* Phase advance from a frame to the next and from a bin to the next, (rows, bins). */
    float *along_time, *along_bins;
    unsigned char *done; /* (rows, bins) */
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
    const size_t points = phase->rows * bins;
    phase->heap = calloc(points, sizeof *phase->heap);
    phase->along_time = calloc(points, sizeof *phase->along_time);
    phase->along_bins = calloc(points, sizeof *phase->along_bins);
    phase->done = calloc(points, sizeof *phase->done);
    if (!phase->heap || !phase->along_time || !phase->along_bins || !phase->done) {
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
    free(phase->heap);
    free(phase->along_time);
    free(phase->along_bins);
    free(phase->done);
    free(phase);
}

/* Equal levels go by index, so that the order is one and the same everywhere. */
static inline bool goes_first(Point a, Point b)
{
    return a.level > b.level || (a.level == b.level && a.index < b.index);
}

static void push(Phase *phase, Point point)
{
    size_t hole = phase->waiting++;
    while (hole && goes_first(point, phase->heap[(hole - 1) / 2])) {
        phase->heap[hole] = phase->heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    phase->heap[hole] = point;
}

static Point pop(Phase *phase)
{
    const Point top = phase->heap[0], last = phase->heap[--phase->waiting];
    size_t hole = 0;
    for (;;) {
        size_t child = 2 * hole + 1;
        if (child >= phase->waiting)
            break;
        if (child + 1 < phase->waiting && goes_first(phase->heap[child + 1], phase->heap[child]))
            child++;
        if (!goes_first(phase->heap[child], last))
            break;
        phase->heap[hole] = phase->heap[child];
        hole = child;
    }
    phase->heap[hole] = last;
    return top;
}

/* Slope of `value` at i out of first..last, `step` apart: centred, one-sided at the ends. */
static inline float slope(const float *value, size_t i, size_t first, size_t last, size_t step)
{
    const size_t low = i > first ? i - 1 : i, high = i < last ? i + 1 : i;
    return high > low ? (value[high * step] - value[low * step]) / (float)(high - low) : 0.0f;
}

/* With window exp(-pi t^2 / gamma), log magnitude s, phase p counted from the window's centre, time
 * t in samples and angular frequency w: dp/dt = w + (2 pi / gamma) ds/dw and dp/dw = -(gamma /
 * (2 pi)) ds/dt. Counted from the frame's start, half a frame earlier, p loses pi a bin. */
static void find_advances(Phase *phase, const float *log_energy, size_t first)
{
    const float pi = 3.14159265f, gamma = 0.25645f; /* of a Hann window, in size^2 */
    const float hop = 0.25f;                        /* in sizes */
    const size_t bins = phase->bins, last = phase->rows - 1;
    for (size_t row = first; row <= last; row++) {
        const float *level = log_energy + row * bins;
        float *along_time = phase->along_time + row * bins;
        float *along_bins = phase->along_bins + row * bins;
        for (size_t bin = 0; bin < bins; bin++) {
            /* A log energy is twice a log magnitude. */
            along_time[bin] = 0.5f * pi * (float)(bin % 4) +
                              0.5f * (hop / gamma) * slope(level, bin, 0, bins - 1, 1);
            along_bins[bin] =
                -pi - 0.5f * (gamma / hop) * slope(log_energy + bin, row, first, last, bins);
        }
    }
}

/* Carries the phase from point `from` to `to` = from + (sign) one step along `advance`. */
static inline void carry(Phase *phase, const float *log_energy, float *angle, size_t from,
                         size_t to, const float *advance, float sign)
{
    if (phase->done[to])
        return;
    angle[to] = angle[from] + sign * 0.5f * (advance[from] + advance[to]);
    phase->done[to] = 1;
    push(phase, (Point){log_energy[to], (uint32_t)to});
}

/* Puts the points that the integration starts from on the heap. */
static void start(Phase *phase, const float *log_energy, bool known, float *angle)
{
    const size_t bins = phase->bins, points = phase->rows * bins;
    memset(phase->done, 0, points);
    phase->waiting = 0;
    if (known) {
        memset(phase->done, 1, bins);
        for (size_t bin = 0; bin < bins; bin++)
            push(phase, (Point){log_energy[bin], (uint32_t)bin});
        return;
    }
    size_t loudest = bins;
    for (size_t i = bins; i < points; i++)
        if (log_energy[i] > log_energy[loudest])
            loudest = i;
    angle[loudest] = 0.0f;
    phase->done[loudest] = 1;
    push(phase, (Point){log_energy[loudest], (uint32_t)loudest});
}

void phase_integrate(Phase *phase, const float *log_energy, bool known, float *angle)
{
    const size_t bins = phase->bins, rows = phase->rows, first = known ? 0 : 1;
    find_advances(phase, log_energy, first);
    start(phase, log_energy, known, angle);
    while (phase->waiting) {
        const size_t i = pop(phase).index, row = i / bins, bin = i % bins;
        if (row + 1 < rows)
            carry(phase, log_energy, angle, i, i + bins, phase->along_time, 1.0f);
        if (row > first)
            carry(phase, log_energy, angle, i, i - bins, phase->along_time, -1.0f);
        if (bin + 1 < bins)
            carry(phase, log_energy, angle, i, i + 1, phase->along_bins, 1.0f);
        if (bin > 0)
            carry(phase, log_energy, angle, i, i - 1, phase->along_bins, -1.0f);
    }
}
