/* Layers over a grid of patches: a spectrogram cut into overlapping patches along its bands, and
 * convolutions over frames and patches. They see that a chirp moved up by a few bands is the same
 * chirp, which layers with bands as channels (models/layers.h) can't.
 *
 * A grid has `positions` patches a frame; x is (windows * frames, positions, channels), row-major.
 * As in models/layers.h backward functions write dx and ADD to weights' gradients; nothing
 * allocates; all may run on any thread. */
#ifndef BRUME_MODELS_GRID_H
#define BRUME_MODELS_GRID_H

#include "models/real.h"

#include <stddef.h>

/* Patches of 2 * stride bands, `stride` apart, that cover each of `bands` bands twice. */
size_t grid_positions(size_t bands, size_t stride);

/* x (rows, bands) -> patches (rows, positions, 2 * stride): patch p holds bands (p - 1) * stride to
 * (p + 1) * stride - 1, zero outside. */
void grid_cut(size_t rows, size_t bands, size_t stride, const real *x, real *patches);

/* The transpose: patches are summed where they overlap, added to x (rows, bands). */
void grid_paste(size_t rows, size_t bands, size_t stride, const real *patches, real *x);

/* The shape of a convolution of 3 frames, `dilation` apart, by 3 neighbouring positions. */
typedef struct GridShape {
    size_t windows, frames, positions, channels, dilation;
} GridShape;

/* Values of scratch that the two functions below need. */
size_t grid_scratch(size_t positions, size_t channels);

/* x -> y, both of `shape`, zero outside windows and positions; w (channels, 9 * channels), frame
 * taps outermost, then positions; bias (channels,). */
void grid_convolve(GridShape shape, const real *x, const real *w, const real *bias, real *scratch,
                   real *y);

/* dy -> dx, dw, dbias; x as it went in. dx must not be x or dy. */
void grid_convolve_backward(GridShape shape, const real *x, const real *w, const real *dy,
                            real *scratch, real *dx, real *dw, real *dbias);

#endif
