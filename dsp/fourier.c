#include "dsp/fourier.h"

#include "dsp/kernel.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* In a loop whose number of lanes is a constant, once it is inlined. */
#define INLINE static inline __attribute__((always_inline))

/* One turn of the circle, exp(-2 pi i k / n), and its square and cube. */
typedef struct Turn {
    float re, im, re2, im2, re3, im3;
} Turn;

struct Fourier {
    size_t size, half; /* samples; complex values */
    size_t *rows;      /* (half + 1,) */
    Turn *turns; /* (half / 4,) for passes over all; passes over a quarter take every fourth */
    float *real; /* (half / 2 + 1, 2): exp(-2 pi i k / size) */
};

static size_t row_of(size_t k, size_t n)
{
    if (n <= 2)
        return k;
    return k % 4 * (n / 4) + row_of(k / 4, n / 4);
}

static void fill(Fourier *fourier)
{
    const double pi = acos(-1.0);
    const size_t half = fourier->half;
    for (size_t k = 0; k < half; k++)
        fourier->rows[k] = 2 * row_of(k, half);
    fourier->rows[half] = 2 * half;
    for (size_t k = 0; k < half / 4; k++) {
        const double angle = -2.0 * pi * (double)k / (double)half;
        fourier->turns[k] =
            (Turn){(float)cos(angle),       (float)sin(angle),       (float)cos(2.0 * angle),
                   (float)sin(2.0 * angle), (float)cos(3.0 * angle), (float)sin(3.0 * angle)};
    }
    for (size_t k = 0; k <= half / 2; k++) {
        const double angle = -2.0 * pi * (double)k / (double)fourier->size;
        fourier->real[2 * k] = (float)cos(angle);
        fourier->real[2 * k + 1] = (float)sin(angle);
    }
}

Fourier *fourier_create(size_t size, Error *err)
{
    if (size < 16 || size > 65536 || (size & (size - 1))) {
        error_set(err, "a frame of %zu samples: give a power of two from 16 to 65536", size);
        return NULL;
    }
    Fourier *fourier = calloc(1, sizeof *fourier);
    if (!fourier) {
        error_set(err, "out of memory for a Fourier transform");
        return NULL;
    }
    fourier->size = size;
    fourier->half = size / 2;
    fourier->rows = calloc(fourier->half + 1, sizeof *fourier->rows);
    fourier->turns = calloc(fourier->half / 4, sizeof *fourier->turns);
    fourier->real = calloc(fourier->half + 2, sizeof *fourier->real);
    if (!fourier->rows || !fourier->turns || !fourier->real) {
        fourier_destroy(fourier);
        error_set(err, "out of memory for a Fourier transform");
        return NULL;
    }
    fill(fourier);
    return fourier;
}

void fourier_destroy(Fourier *fourier)
{
    if (!fourier)
        return;
    free(fourier->rows);
    free(fourier->turns);
    free(fourier->real);
    free(fourier);
}

const size_t *fourier_rows(const Fourier *fourier)
{
    return fourier->rows;
}

/* A butterfly of four: a, b, c, d are pairs of rows, a quarter of the pass apart. */
INLINE void spread_four(size_t lanes, bool turned, Turn w, float *restrict a, float *restrict b,
                        float *restrict c, float *restrict d)
{
    for (size_t l = 0; l < lanes; l++) {
        const float ar = a[l], ai = a[lanes + l], br = b[l], bi = b[lanes + l];
        const float cr = c[l], ci = c[lanes + l], dr = d[l], di = d[lanes + l];
        const float even_r = ar + cr, even_i = ai + ci, odd_r = br + dr, odd_i = bi + di;
        const float from_r = ar - cr, from_i = ai - ci, to_r = br - dr, to_i = bi - di;
        const float b_r = from_r + to_i, b_i = from_i - to_r;
        const float c_r = even_r - odd_r, c_i = even_i - odd_i;
        const float d_r = from_r - to_i, d_i = from_i + to_r;
        a[l] = even_r + odd_r;
        a[lanes + l] = even_i + odd_i;
        b[l] = turned ? b_r * w.re - b_i * w.im : b_r;
        b[lanes + l] = turned ? b_r * w.im + b_i * w.re : b_i;
        c[l] = turned ? c_r * w.re2 - c_i * w.im2 : c_r;
        c[lanes + l] = turned ? c_r * w.im2 + c_i * w.re2 : c_i;
        d[l] = turned ? d_r * w.re3 - d_i * w.im3 : d_r;
        d[lanes + l] = turned ? d_r * w.im3 + d_i * w.re3 : d_i;
    }
}

/* The same back again. */
INLINE void gather_four(size_t lanes, bool turned, Turn w, float *restrict a, float *restrict b,
                        float *restrict c, float *restrict d)
{
    for (size_t l = 0; l < lanes; l++) {
        const float ar = a[l], ai = a[lanes + l];
        const float br = turned ? b[l] * w.re + b[lanes + l] * w.im : b[l];
        const float bi = turned ? b[lanes + l] * w.re - b[l] * w.im : b[lanes + l];
        const float cr = turned ? c[l] * w.re2 + c[lanes + l] * w.im2 : c[l];
        const float ci = turned ? c[lanes + l] * w.re2 - c[l] * w.im2 : c[lanes + l];
        const float dr = turned ? d[l] * w.re3 + d[lanes + l] * w.im3 : d[l];
        const float di = turned ? d[lanes + l] * w.re3 - d[l] * w.im3 : d[lanes + l];
        const float even_r = ar + cr, even_i = ai + ci, odd_r = br + dr, odd_i = bi + di;
        const float from_r = ar - cr, from_i = ai - ci, to_r = br - dr, to_i = bi - di;
        a[l] = even_r + odd_r;
        a[lanes + l] = even_i + odd_i;
        b[l] = from_r - to_i;
        b[lanes + l] = from_i + to_r;
        c[l] = even_r - odd_r;
        c[lanes + l] = even_i - odd_i;
        d[l] = from_r + to_i;
        d[lanes + l] = from_i - to_r;
    }
}

INLINE void swap_two(size_t lanes, float *restrict a, float *restrict b)
{
    for (size_t l = 0; l < 2 * lanes; l++) {
        const float sum = a[l] + b[l], difference = a[l] - b[l];
        a[l] = sum;
        b[l] = difference;
    }
}

/* A pass over n values; its turns are `stride` apart. */
INLINE void spread_pass(const Fourier *fourier, size_t lanes, size_t n, size_t stride, float *rows)
{
    const size_t quarter = n / 4 * 2 * lanes;
    for (size_t k = 0; k < n / 4; k++) {
        float *at = rows + k * 2 * lanes;
        spread_four(lanes, true, fourier->turns[k * stride], at, at + quarter, at + 2 * quarter,
                    at + 3 * quarter);
    }
}

INLINE void gather_pass(const Fourier *fourier, size_t lanes, size_t n, size_t stride, float *rows)
{
    const size_t quarter = n / 4 * 2 * lanes;
    for (size_t k = 0; k < n / 4; k++) {
        float *at = rows + k * 2 * lanes;
        gather_four(lanes, true, fourier->turns[k * stride], at, at + quarter, at + 2 * quarter,
                    at + 3 * quarter);
    }
}

/* The shortest pass is over 4 values or 2, and turns nothing. */
static const Turn none = {1.0f, 0.0f, 1.0f, 0.0f, 1.0f, 0.0f};

INLINE void spread_least(size_t lanes, size_t part, float *rows)
{
    if (part == 4)
        spread_four(lanes, false, none, rows, rows + 2 * lanes, rows + 4 * lanes, rows + 6 * lanes);
    else
        swap_two(lanes, rows, rows + 2 * lanes);
}

INLINE void gather_least(size_t lanes, size_t part, float *rows)
{
    if (part == 4)
        gather_four(lanes, false, none, rows, rows + 2 * lanes, rows + 4 * lanes, rows + 6 * lanes);
    else
        swap_two(lanes, rows, rows + 2 * lanes);
}

/* All passes over n values: what fits the nearest cache goes through them while it is there. */
INLINE void spread_all(const Fourier *fourier, size_t lanes, size_t n, float *rows)
{
    size_t part = n;
    for (; part > 4; part /= 4)
        for (size_t at = 0; at < n; at += part)
            spread_pass(fourier, lanes, part, fourier->half / part, rows + at * 2 * lanes);
    for (size_t at = 0; at < n; at += part)
        spread_least(lanes, part, rows + at * 2 * lanes);
}

INLINE void gather_all(const Fourier *fourier, size_t lanes, size_t n, float *rows)
{
    size_t part = n;
    while (part > 4)
        part /= 4;
    for (size_t at = 0; at < n; at += part)
        gather_least(lanes, part, rows + at * 2 * lanes);
    for (part *= 4; part <= n; part *= 4)
        for (size_t at = 0; at < n; at += part)
            gather_pass(fourier, lanes, part, fourier->half / part, rows + at * 2 * lanes);
}

INLINE void spread_halves(const Fourier *fourier, size_t lanes, float *rows)
{
    const size_t quarter = fourier->half / 4;
    spread_pass(fourier, lanes, fourier->half, 1, rows);
    for (size_t q = 0; q < 4; q++)
        spread_all(fourier, lanes, quarter, rows + q * quarter * 2 * lanes);
}

INLINE void gather_halves(const Fourier *fourier, size_t lanes, float *rows)
{
    const size_t quarter = fourier->half / 4;
    for (size_t q = 0; q < 4; q++)
        gather_all(fourier, lanes, quarter, rows + q * quarter * 2 * lanes);
    gather_pass(fourier, lanes, fourier->half, 1, rows);
}

/* Of the transform of even + i odd samples at bins k and half - k: the transform of them all. */
INLINE void part_pair(size_t lanes, float w_re, float w_im, float *restrict low,
                      float *restrict high)
{
    for (size_t l = 0; l < lanes; l++) {
        const float even_r = 0.5f * (low[l] + high[l]);
        const float even_i = 0.5f * (low[lanes + l] - high[lanes + l]);
        const float odd_r = 0.5f * (low[lanes + l] + high[lanes + l]);
        const float odd_i = 0.5f * (high[l] - low[l]);
        const float turned_r = odd_r * w_re - odd_i * w_im;
        const float turned_i = odd_r * w_im + odd_i * w_re;
        low[l] = even_r + turned_r;
        low[lanes + l] = even_i + turned_i;
        high[l] = even_r - turned_r;
        high[lanes + l] = turned_i - even_i;
    }
}

/* Back again, times two. */
INLINE void join_pair(size_t lanes, float w_re, float w_im, float *restrict low,
                      float *restrict high)
{
    for (size_t l = 0; l < lanes; l++) {
        const float even_r = low[l] + high[l], even_i = low[lanes + l] - high[lanes + l];
        const float turned_r = low[l] - high[l], turned_i = low[lanes + l] + high[lanes + l];
        const float odd_r = turned_r * w_re + turned_i * w_im;
        const float odd_i = turned_i * w_re - turned_r * w_im;
        low[l] = even_r - odd_i;
        low[lanes + l] = even_i + odd_r;
        high[l] = even_r + odd_i;
        high[lanes + l] = odd_r - even_i;
    }
}

INLINE void part(const Fourier *fourier, size_t lanes, float *rows)
{
    const size_t half = fourier->half;
    float *last = rows + 2 * half * lanes, *middle = rows + fourier->rows[half / 2] * lanes;
    for (size_t l = 0; l < lanes; l++) {
        const float even = rows[l], odd = rows[lanes + l];
        rows[l] = even + odd;
        last[l] = even - odd;
        rows[lanes + l] = last[lanes + l] = 0.0f;
        middle[lanes + l] = -middle[lanes + l];
    }
    for (size_t k = 1; k < half / 2; k++)
        part_pair(lanes, fourier->real[2 * k], fourier->real[2 * k + 1],
                  rows + fourier->rows[k] * lanes, rows + fourier->rows[half - k] * lanes);
}

INLINE void join(const Fourier *fourier, size_t lanes, float *rows)
{
    const size_t half = fourier->half;
    float *last = rows + 2 * half * lanes, *middle = rows + fourier->rows[half / 2] * lanes;
    for (size_t l = 0; l < lanes; l++) {
        const float even = rows[l] + last[l], odd = rows[l] - last[l];
        rows[l] = even;
        rows[lanes + l] = odd;
        middle[l] = 2.0f * middle[l];
        middle[lanes + l] = -2.0f * middle[lanes + l];
    }
    for (size_t k = 1; k < half / 2; k++)
        join_pair(lanes, fourier->real[2 * k], fourier->real[2 * k + 1],
                  rows + fourier->rows[k] * lanes, rows + fourier->rows[half - k] * lanes);
}

KERNEL static void forward_wide(const Fourier *fourier, float *rows)
{
    spread_halves(fourier, FOURIER_WIDE, rows);
    part(fourier, FOURIER_WIDE, rows);
}

KERNEL static void forward_narrow(const Fourier *fourier, float *rows)
{
    spread_halves(fourier, FOURIER_NARROW, rows);
    part(fourier, FOURIER_NARROW, rows);
}

KERNEL static void inverse_wide(const Fourier *fourier, float *rows)
{
    join(fourier, FOURIER_WIDE, rows);
    gather_halves(fourier, FOURIER_WIDE, rows);
}

KERNEL static void inverse_narrow(const Fourier *fourier, float *rows)
{
    join(fourier, FOURIER_NARROW, rows);
    gather_halves(fourier, FOURIER_NARROW, rows);
}

void fourier_forward(const Fourier *fourier, size_t lanes, float *rows)
{
    if (lanes == FOURIER_WIDE)
        forward_wide(fourier, rows);
    else
        forward_narrow(fourier, rows);
}

void fourier_inverse(const Fourier *fourier, size_t lanes, float *rows)
{
    if (lanes == FOURIER_WIDE)
        inverse_wide(fourier, rows);
    else
        inverse_narrow(fourier, rows);
}
