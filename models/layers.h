/* Layers, forward and backward, over plain arrays.
 *
 * Rows are frames, columns channels: x is (rows, channels), row-major. Where a layer treats several
 * windows at once, rows = windows * frames, window after window. Backward functions write the
 * gradient of their input (dx) and ADD to the gradients of their weights. Nothing here allocates;
 * all may run on any thread. */
#ifndef BRUME_MODELS_LAYERS_H
#define BRUME_MODELS_LAYERS_H

#include "models/real.h"

#include <stddef.h>

/* y (rows, out) = x (rows, in) w^T + bias; w (out, in), bias (out,) or NULL. */
void linear_forward(size_t rows, size_t in, size_t out, const real *x, const real *w,
                    const real *bias, real *y);

/* dy (rows, out) -> dx (rows, in) unless NULL; dw (out, in) and dbias (out,) unless NULL. */
void linear_backward(size_t rows, size_t in, size_t out, const real *x, const real *w,
                     const real *dy, real *dx, real *dw, real *dbias);

/* The three taps of a dilated convolution side by side: columns (rows, 3 * channels) holds frames
 * t - dilation, t, t + dilation of x (rows, channels), zero outside the window. A convolution is
 * this and linear_forward with w (out, 3 * channels), taps outermost. */
void taps_forward(size_t windows, size_t frames, size_t channels, size_t dilation, const real *x,
                  real *columns);

/* dcolumns (rows, 3 * channels) -> dx (rows, channels). */
void taps_backward(size_t windows, size_t frames, size_t channels, size_t dilation,
                   const real *dcolumns, real *dx);

/* Layer normalisation (Ba et al. 2016) over channels, without scale and shift (FiLM supplies them):
 * y = (x - mean) / sqrt(variance + 1e-5). inverse (rows,) keeps 1 / sqrt(...) for the way back. */
void norm_forward(size_t rows, size_t channels, const real *x, real *y, real *inverse);

/* y and inverse as norm_forward left them; dy -> dx (may be the same array). */
void norm_backward(size_t rows, size_t channels, const real *y, const real *inverse, const real *dy,
                   real *dx);

/* FiLM (Perez et al. 2018): y = x (1 + scale) + shift, one scale and shift (channels,) a window,
 * `stride` values from one window's to the next. */
void film_forward(size_t windows, size_t frames, size_t channels, size_t stride, const real *scale,
                  const real *shift, const real *x, real *y);

/* dx may be dy; dscale and dshift (windows, stride) are added to. */
void film_backward(size_t windows, size_t frames, size_t channels, size_t stride, const real *scale,
                   const real *x, const real *dy, real *dx, real *dscale, real *dshift);

/* Gated residual: x += y (1 + gate), gate (channels,) a window as in film_forward. */
void gate_forward(size_t windows, size_t frames, size_t channels, size_t stride, const real *gate,
                  const real *y, real *x);

/* dx (the gradient of the sum) -> dy; dgate is added to. */
void gate_backward(size_t windows, size_t frames, size_t channels, size_t stride, const real *gate,
                   const real *y, const real *dx, real *dy, real *dgate);

/* y += x; n values. */
void accumulate(size_t n, const real *x, real *y);

/* SiLU: y = x / (1 + exp(-x)); n values. */
void silu_forward(size_t n, const real *x, real *y);

/* x as it went in; dy -> dx (may be the same array). */
void silu_backward(size_t n, const real *x, const real *dy, real *dx);

/* Sinusoidal embedding of a position (Vaswani et al. 2017): out (2 * half,) = cos, then sin, of
 * position * frequency, frequencies from 1 down to 1 / longest, evenly in the logarithm. */
void sinusoid_forward(double position, double longest, size_t half, real *out);

/* Embedding as a mixture: y (rows, out) = mix (rows, classes) table; table (classes, out). */
void embedding_forward(size_t rows, size_t classes, size_t out, const real *mix, const real *table,
                       real *y);
void embedding_backward(size_t rows, size_t classes, size_t out, const real *mix, const real *dy,
                        real *dtable);

#endif
