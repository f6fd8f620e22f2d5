#include "models/layers.h"

#include "models/exponential.h"
#include "models/matrix.h"

#include <math.h>
#include <string.h>

/* Sums run in LANES partial sums in a fixed order, so that compilers can use wide registers and
 * every instruction set adds in the same order. */
enum { LANES = 16 };

KERNEL static void add_bias(size_t rows, size_t n, const real *bias, real *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++)
            y[r * n + i] += bias[i];
}

KERNEL static void add_rows(size_t rows, size_t n, const real *dy, real *dbias)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++)
            dbias[i] += dy[r * n + i];
}

void linear_forward(size_t rows, size_t in, size_t out, const real *x, const real *w,
                    const real *bias, real *y)
{
    matrix_times_transposed(rows, out, in, x, w, 0, y);
    if (bias)
        add_bias(rows, out, bias, y);
}

void linear_backward(size_t rows, size_t in, size_t out, const real *x, const real *w,
                     const real *dy, real *dx, real *dw, real *dbias)
{
    if (dx)
        matrix_times(rows, in, out, dy, w, 0, dx);
    if (dw)
        matrix_transposed_times_add(out, in, rows, dy, x, dw);
    if (dbias)
        add_rows(rows, out, dy, dbias);
}

void taps_forward(size_t windows, size_t frames, size_t channels, size_t dilation, const real *x,
                  real *columns)
{
    const size_t bytes = channels * sizeof *x;
    for (size_t w = 0; w < windows; w++)
        for (size_t t = 0; t < frames; t++) {
            const real *at = x + (w * frames + t) * channels;
            real *column = columns + (w * frames + t) * 3 * channels;
            if (t >= dilation)
                memcpy(column, at - dilation * channels, bytes);
            else
                memset(column, 0, bytes);
            memcpy(column + channels, at, bytes);
            if (t + dilation < frames)
                memcpy(column + 2 * channels, at + dilation * channels, bytes);
            else
                memset(column + 2 * channels, 0, bytes);
        }
}

KERNEL void accumulate(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

void taps_backward(size_t windows, size_t frames, size_t channels, size_t dilation,
                   const real *dcolumns, real *dx)
{
    for (size_t w = 0; w < windows; w++)
        for (size_t t = 0; t < frames; t++) {
            const real *row = dcolumns + (w * frames + t) * 3 * channels;
            const size_t step = dilation * 3 * channels;
            real *at = dx + (w * frames + t) * channels;
            memcpy(at, row + channels, channels * sizeof *at);
            if (t >= dilation)
                accumulate(channels, row - step + 2 * channels, at);
            if (t + dilation < frames)
                accumulate(channels, row + step, at);
        }
}

static inline real lanes_sum(const real *lanes)
{
    real sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += lanes[i];
    return sum;
}

KERNEL static real sum_of(size_t n, const real *x)
{
    real lanes[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += x[i + (size_t)l];
    for (; i < n; i++)
        rest += x[i];
    return lanes_sum(lanes) + rest;
}

KERNEL static real dot(size_t n, const real *x, const real *y)
{
    real lanes[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lanes[l] += x[i + (size_t)l] * y[i + (size_t)l];
    for (; i < n; i++)
        rest += x[i] * y[i];
    return lanes_sum(lanes) + rest;
}

KERNEL static void affine(size_t n, real factor, real offset, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * factor + offset;
}

void norm_forward(size_t rows, size_t channels, const real *x, real *y, real *inverse)
{
    const real n = (real)channels;
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        const real mean = sum_of(channels, x) / n;
        affine(channels, 1, -mean, x, y);
        const real variance = dot(channels, y, y) / n;
        inverse[r] = 1 / (real)sqrt((double)variance + 1e-5);
        affine(channels, inverse[r], 0, y, y);
    }
}

KERNEL static void norm_row_backward(size_t n, real inverse, real mean, real along, const real *y,
                                     const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = inverse * (dy[i] - mean - y[i] * along);
}

void norm_backward(size_t rows, size_t channels, const real *y, const real *inverse, const real *dy,
                   real *dx)
{
    const real n = (real)channels;
    for (size_t r = 0; r < rows; r++, y += channels, dy += channels, dx += channels) {
        const real mean = sum_of(channels, dy) / n;
        const real along = dot(channels, dy, y) / n;
        norm_row_backward(channels, inverse[r], mean, along, y, dy, dx);
    }
}

KERNEL static void film_window(size_t frames, size_t channels, const real *scale, const real *shift,
                               const real *x, real *y)
{
    for (size_t t = 0; t < frames; t++)
        for (size_t i = 0; i < channels; i++)
            y[t * channels + i] = x[t * channels + i] * (1 + scale[i]) + shift[i];
}

void film_forward(size_t windows, size_t frames, size_t channels, size_t stride, const real *scale,
                  const real *shift, const real *x, real *y)
{
    const size_t size = frames * channels;
    for (size_t w = 0; w < windows; w++)
        film_window(frames, channels, scale + w * stride, shift + w * stride, x + w * size,
                    y + w * size);
}

KERNEL static void film_window_backward(size_t frames, size_t channels, const real *scale,
                                        const real *x, const real *dy, real *dx, real *dscale,
                                        real *dshift)
{
    for (size_t t = 0; t < frames; t++)
        for (size_t i = 0; i < channels; i++) {
            const real d = dy[t * channels + i];
            dscale[i] += d * x[t * channels + i];
            dshift[i] += d;
            dx[t * channels + i] = d * (1 + scale[i]);
        }
}

void film_backward(size_t windows, size_t frames, size_t channels, size_t stride, const real *scale,
                   const real *x, const real *dy, real *dx, real *dscale, real *dshift)
{
    const size_t size = frames * channels;
    for (size_t w = 0; w < windows; w++)
        film_window_backward(frames, channels, scale + w * stride, x + w * size, dy + w * size,
                             dx + w * size, dscale + w * stride, dshift + w * stride);
}

KERNEL static void gate_window(size_t frames, size_t channels, const real *gate, const real *y,
                               real *x)
{
    for (size_t t = 0; t < frames; t++)
        for (size_t i = 0; i < channels; i++)
            x[t * channels + i] += y[t * channels + i] * (1 + gate[i]);
}

void gate_forward(size_t windows, size_t frames, size_t channels, size_t stride, const real *gate,
                  const real *y, real *x)
{
    const size_t size = frames * channels;
    for (size_t w = 0; w < windows; w++)
        gate_window(frames, channels, gate + w * stride, y + w * size, x + w * size);
}

KERNEL static void gate_window_backward(size_t frames, size_t channels, const real *gate,
                                        const real *y, const real *dx, real *dy, real *dgate)
{
    for (size_t t = 0; t < frames; t++)
        for (size_t i = 0; i < channels; i++) {
            dgate[i] += dx[t * channels + i] * y[t * channels + i];
            dy[t * channels + i] = dx[t * channels + i] * (1 + gate[i]);
        }
}

void gate_backward(size_t windows, size_t frames, size_t channels, size_t stride, const real *gate,
                   const real *y, const real *dx, real *dy, real *dgate)
{
    const size_t size = frames * channels;
    for (size_t w = 0; w < windows; w++)
        gate_window_backward(frames, channels, gate + w * stride, y + w * size, dx + w * size,
                             dy + w * size, dgate + w * stride);
}

KERNEL static void silu(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] / (1 + exponential(-x[i]));
}

KERNEL static void silu_slope(size_t n, const real *x, const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++) {
        const real s = 1 / (1 + exponential(-x[i]));
        dx[i] = dy[i] * s * (1 + x[i] * (1 - s));
    }
}

void silu_forward(size_t n, const real *x, real *y)
{
    silu(n, x, y);
}

void silu_backward(size_t n, const real *x, const real *dy, real *dx)
{
    silu_slope(n, x, dy, dx);
}

void sinusoid_forward(double position, double longest, size_t half, real *out)
{
    for (size_t i = 0; i < half; i++) {
        const double angle = position * exp(-log(longest) * (double)i / (double)half);
        out[i] = (real)cos(angle);
        out[half + i] = (real)sin(angle);
    }
}

void embedding_forward(size_t rows, size_t classes, size_t out, const real *mix, const real *table,
                       real *y)
{
    matrix_times(rows, out, classes, mix, table, 0, y);
}

void embedding_backward(size_t rows, size_t classes, size_t out, const real *mix, const real *dy,
                        real *dtable)
{
    matrix_transposed_times_add(classes, out, rows, mix, dy, dtable);
}
