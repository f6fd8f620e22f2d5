#include "dsp/lapped.h"

#include "dsp/kernel.h"

#include <math.h>
#include <stdlib.h>

#define INLINE static inline __attribute__((always_inline))

/* Lanes of a row that need not begin where a register would like it. */
typedef float Wide __attribute__((vector_size(4 * FOURIER_WIDE), aligned(4), may_alias));
typedef float Narrow __attribute__((vector_size(4 * FOURIER_NARROW), aligned(4), may_alias));

INLINE Wide *wide_at(float *row)
{
    return (Wide *)row;
}

INLINE const Wide *wide_in(const float *row)
{
    return (const Wide *)row;
}

INLINE Narrow *narrow_at(float *row)
{
    return (Narrow *)row;
}

INLINE const Narrow *narrow_in(const float *row)
{
    return (const Narrow *)row;
}

struct Lapped {
    Fourier *fourier;
    size_t size, hop;
    float *window, *back; /* (size,): of the analysis; of the synthesis, with its scale */
};

Lapped *lapped_create(size_t size, Error *err)
{
    Lapped *lapped = calloc(1, sizeof *lapped);
    if (!lapped) {
        error_set(err, "out of memory for lapped frames");
        return NULL;
    }
    lapped->size = size;
    lapped->hop = size / 4;
    lapped->fourier = fourier_create(size, err);
    if (!lapped->fourier) {
        lapped_destroy(lapped);
        return NULL;
    }
    lapped->window = calloc(size, sizeof *lapped->window);
    lapped->back = calloc(size, sizeof *lapped->back);
    if (!lapped->window || !lapped->back) {
        lapped_destroy(lapped);
        error_set(err, "out of memory for lapped frames");
        return NULL;
    }
    const double pi = acos(-1.0);
    for (size_t i = 0; i < size; i++) {
        lapped->window[i] = (float)(0.5 - 0.5 * cos(2.0 * pi * (double)i / (double)size));
        lapped->back[i] = lapped->window[i] * (1.0f / (float)size);
    }
    return lapped;
}

void lapped_destroy(Lapped *lapped)
{
    if (!lapped)
        return;
    fourier_destroy(lapped->fourier);
    free(lapped->window);
    free(lapped->back);
    free(lapped);
}

size_t lapped_first(size_t batch)
{
    return batch ? FOURIER_WIDE : 0;
}

size_t lapped_lanes(size_t batch)
{
    return batch ? FOURIER_NARROW : FOURIER_WIDE;
}

size_t lapped_batch(size_t batch, size_t rows)
{
    return lapped_first(batch) * rows;
}

const size_t *lapped_rows(const Lapped *lapped)
{
    return fourier_rows(lapped->fourier);
}

const float *lapped_window(const Lapped *lapped)
{
    return lapped->window;
}

void lapped_weave(const Lapped *lapped, const float *sound, float *woven)
{
    for (size_t j = 0; j < lapped->hop; j++)
        for (size_t h = 0; h < LAPPED_HOPS; h++)
            woven[j * LAPPED_STRIDE + h] = sound[h * lapped->hop + j];
}

void lapped_unweave(const Lapped *lapped, const float *woven, size_t hops, float scale,
                    float *sound)
{
    for (size_t h = 0; h < hops; h++)
        for (size_t j = 0; j < lapped->hop; j++)
            sound[h * lapped->hop + j] = woven[j * LAPPED_STRIDE + h] * scale;
}

KERNEL static void take_wide(size_t size, const float *window, const float *woven, float *rows)
{
    for (size_t i = 0; i < size; i++)
        *wide_at(rows + i * FOURIER_WIDE) =
            *wide_in(woven + i % (size / 4) * LAPPED_STRIDE + i / (size / 4)) * window[i];
}

KERNEL static void take_narrow(size_t size, const float *window, const float *woven, float *rows)
{
    for (size_t i = 0; i < size; i++)
        *narrow_at(rows + i * FOURIER_NARROW) =
            *narrow_in(woven + i % (size / 4) * LAPPED_STRIDE + i / (size / 4)) * window[i];
}

KERNEL static void add_wide(size_t size, const float *window, const float *rows, float *woven)
{
    for (size_t i = 0; i < size; i++)
        *wide_at(woven + i % (size / 4) * LAPPED_STRIDE + i / (size / 4)) +=
            *wide_in(rows + i * FOURIER_WIDE) * window[i];
}

KERNEL static void add_narrow(size_t size, const float *window, const float *rows, float *woven)
{
    for (size_t i = 0; i < size; i++)
        *narrow_at(woven + i % (size / 4) * LAPPED_STRIDE + i / (size / 4)) +=
            *narrow_in(rows + i * FOURIER_NARROW) * window[i];
}

/* Sound of TILE samples of each hop, a row each, as it is woven. */
enum { TILE = 8, TILE_STRIDE = 32 };
typedef float Tile[TILE][TILE_STRIDE];

/* Overlap-adds these samples of all frames, rows i, i + hop, ... of both batches, onto `left`. */
INLINE void add_tile(size_t hop, const float *window, const float *left, const float *wide,
                     const float *narrow, Tile tile)
{
    for (size_t j = 0; j < TILE; j++) {
        *wide_at(tile[j]) = *wide_at(tile[j] + FOURIER_WIDE) = (Wide){0.0f};
        for (size_t h = 0; h < LAPPED_TAIL; h++)
            tile[j][h] = left[j * LAPPED_TAIL + h];
    }
    for (size_t q = 0; q < 4; q++)
        for (size_t j = 0; j < TILE; j++) {
            const size_t i = q * hop + j;
            *wide_at(tile[j] + q) += *wide_in(wide + i * FOURIER_WIDE) * window[i];
        }
    for (size_t q = 0; q < 4; q++)
        for (size_t j = 0; j < TILE; j++) {
            const size_t i = q * hop + j;
            *narrow_at(tile[j] + FOURIER_WIDE + q) +=
                *narrow_in(narrow + i * FOURIER_NARROW) * window[i];
        }
}

/* Scales the sound of a tile and carries it on the way that it has gone since `before`. */
INLINE void move_tile(const float *norm, float momentum, float *before, Tile tile)
{
    for (size_t j = 0; j < TILE; j++)
        for (size_t h = 0; h < LAPPED_STRIDE; h += FOURIER_NARROW) {
            Narrow *last = narrow_at(before + j * LAPPED_STRIDE + h);
            const Narrow now = *narrow_in(tile[j] + h) * *narrow_in(norm + j * LAPPED_STRIDE + h);
            *narrow_at(tile[j] + h) = now + momentum * (now - *last);
            *last = now;
        }
}

INLINE void take_tile(size_t hop, const float *window, Tile tile, float *wide, float *narrow)
{
    for (size_t q = 0; q < 4; q++)
        for (size_t j = 0; j < TILE; j++) {
            const size_t i = q * hop + j;
            *wide_at(wide + i * FOURIER_WIDE) = *wide_in(tile[j] + q) * window[i];
            *narrow_at(narrow + i * FOURIER_NARROW) =
                *narrow_in(tile[j] + FOURIER_WIDE + q) * window[i];
        }
}

/* Frames -> their sound -> its frames, all in place. A few samples of each hop at a time, so that
 * what is added up stays near. */
KERNEL static void relap(const Lapped *lapped, const float *left, const float *norm, float momentum,
                         float *before, float *wide, float *narrow)
{
    for (size_t j = 0; j < lapped->hop; j += TILE) {
        Tile tile;
        float *own_wide = wide + j * FOURIER_WIDE, *own_narrow = narrow + j * FOURIER_NARROW;
        add_tile(lapped->hop, lapped->back + j, left + j * LAPPED_TAIL, own_wide, own_narrow, tile);
        move_tile(norm + j * LAPPED_STRIDE, momentum, before + j * LAPPED_STRIDE, tile);
        take_tile(lapped->hop, lapped->window + j, tile, own_wide, own_narrow);
    }
}

void lapped_forward(const Lapped *lapped, const float *woven, float *spectra)
{
    float *narrow = spectra + lapped_batch(1, lapped->size + 2);
    take_wide(lapped->size, lapped->window, woven, spectra);
    fourier_forward(lapped->fourier, FOURIER_WIDE, spectra);
    take_narrow(lapped->size, lapped->window, woven + FOURIER_WIDE, narrow);
    fourier_forward(lapped->fourier, FOURIER_NARROW, narrow);
}

void lapped_inverse(const Lapped *lapped, size_t batches, float *spectra, float *woven)
{
    fourier_inverse(lapped->fourier, FOURIER_WIDE, spectra);
    add_wide(lapped->size, lapped->back, spectra, woven);
    if (batches < LAPPED_BATCHES)
        return;
    float *narrow = spectra + lapped_batch(1, lapped->size + 2);
    fourier_inverse(lapped->fourier, FOURIER_NARROW, narrow);
    add_narrow(lapped->size, lapped->back, narrow, woven + FOURIER_WIDE);
}

void lapped_refine(const Lapped *lapped, const float *left, const float *norm, float momentum,
                   float *before, float *spectra)
{
    float *narrow = spectra + lapped_batch(1, lapped->size + 2);
    fourier_inverse(lapped->fourier, FOURIER_WIDE, spectra);
    fourier_inverse(lapped->fourier, FOURIER_NARROW, narrow);
    relap(lapped, left, norm, momentum, before, spectra, narrow);
    fourier_forward(lapped->fourier, FOURIER_WIDE, spectra);
    fourier_forward(lapped->fourier, FOURIER_NARROW, narrow);
}
