#include "models/attention.h"

#include "models/matrix.h"

#include <math.h>
#include <string.h>

size_t attention_weights(const AttentionShape *shape)
{
    return shape->windows * shape->heads * shape->frames * shape->frames;
}

/* One head's queries, keys, values, outputs, and a square of scores. */
size_t attention_scratch(const AttentionShape *shape)
{
    return 4 * shape->frames * shape->size + shape->frames * shape->frames;
}

/* Rows of one head out of, and into, rows of all. */
static void gather(size_t rows, size_t size, size_t stride, const real *from, real *to)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * size, from + r * stride, size * sizeof *to);
}

static void scatter(size_t rows, size_t size, size_t stride, const real *from, real *to)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * stride, from + r * size, size * sizeof *to);
}

/* scores (n,) -> softmax(scale * scores), in place. The largest is taken away first, so that
 * nothing overflows. */
static void softmax(size_t n, real scale, real *scores)
{
    real most = scores[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = scores[i] > most ? scores[i] : most;
    for (size_t i = 0; i < n; i++) {
        scores[i] = (real)exp((double)(scale * (scores[i] - most)));
        sum += scores[i];
    }
    for (size_t i = 0; i < n; i++)
        scores[i] /= sum;
}

static size_t first_of(const AttentionShape *shape, size_t row)
{
    return row + 1 > shape->reach ? row + 1 - shape->reach : 0;
}

void attention_forward(const AttentionShape *shape, const real *qkv, real *weights, real *scratch,
                       real *y)
{
    const size_t frames = shape->frames, size = shape->size, channels = shape->heads * size;
    const real scale = (real)(1.0 / sqrt((double)size));
    real *q = scratch, *k = q + frames * size, *v = k + frames * size, *out = v + frames * size;
    for (size_t w = 0; w < shape->windows; w++)
        for (size_t h = 0; h < shape->heads; h++, weights += frames * frames) {
            const real *at = qkv + w * frames * 3 * channels + h * size;
            gather(frames, size, 3 * channels, at, q);
            gather(frames, size, 3 * channels, at + channels, k);
            gather(frames, size, 3 * channels, at + 2 * channels, v);
            matrix_times_transposed(frames, frames, size, q, k, 0, weights);
            for (size_t r = 0; r < frames; r++) {
                const size_t first = first_of(shape, r);
                real *row = weights + r * frames;
                softmax(r + 1 - first, scale, row + first);
                memset(row, 0, first * sizeof *row);
                memset(row + r + 1, 0, (frames - r - 1) * sizeof *row);
            }
            matrix_times(frames, size, frames, weights, v, 0, out);
            scatter(frames, size, channels, out, y + w * frames * channels + h * size);
        }
}

/* Gradient by the scores of one row (n,) before the softmax, in place of that by its weights. */
static void softmax_backward(size_t n, real scale, const real *weights, real *d)
{
    real along = 0;
    for (size_t i = 0; i < n; i++)
        along += weights[i] * d[i];
    for (size_t i = 0; i < n; i++)
        d[i] = scale * weights[i] * (d[i] - along);
}

void attention_backward(const AttentionShape *shape, const real *qkv, const real *weights,
                        const real *dy, real *scratch, real *dqkv)
{
    const size_t frames = shape->frames, size = shape->size, channels = shape->heads * size;
    const size_t head = frames * size, bytes = head * sizeof(real);
    const real scale = (real)(1.0 / sqrt((double)size));
    real *in = scratch, *dout = in + head, *dk = dout + head, *dv = dk + head, *d = dv + head;
    for (size_t w = 0; w < shape->windows; w++)
        for (size_t h = 0; h < shape->heads; h++, weights += frames * frames) {
            const real *at = qkv + w * frames * 3 * channels + h * size;
            real *to = dqkv + w * frames * 3 * channels + h * size;
            gather(frames, size, channels, dy + w * frames * channels + h * size, dout);
            gather(frames, size, 3 * channels, at + 2 * channels, in);
            matrix_times_transposed(frames, frames, size, dout, in, 0, d);
            memset(dv, 0, bytes);
            matrix_transposed_times_add(frames, size, frames, weights, dout, dv);
            scatter(frames, size, 3 * channels, dv, to + 2 * channels);
            /* A weight that is zero lets no gradient through: rows need no bounds here. */
            for (size_t r = 0; r < frames; r++)
                softmax_backward(frames, scale, weights + r * frames, d + r * frames);
            gather(frames, size, 3 * channels, at, in);
            memset(dk, 0, bytes);
            matrix_transposed_times_add(frames, size, frames, d, in, dk);
            scatter(frames, size, 3 * channels, dk, to + channels);
            gather(frames, size, 3 * channels, at + channels, in);
            matrix_times(frames, size, frames, d, in, 0, dout);
            scatter(frames, size, 3 * channels, dout, to);
        }
}

void attention_one(size_t heads, size_t size, size_t rows, const real *q, const real *keys,
                   const real *values, real *scores, real *y)
{
    const size_t channels = heads * size;
    const real scale = (real)(1.0 / sqrt((double)size));
    memset(y, 0, channels * sizeof *y);
    for (size_t h = 0; h < heads; h++) {
        const size_t at = h * size;
        for (size_t r = 0; r < rows; r++) {
            scores[r] = 0;
            for (size_t i = 0; i < size; i++)
                scores[r] += q[at + i] * keys[r * channels + at + i];
        }
        softmax(rows, scale, scores);
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < size; i++)
                y[at + i] += scores[r] * values[r * channels + at + i];
    }
}

void rotate_pairs(size_t rows, size_t heads, size_t size, size_t stride, const real *turns,
                  int back, real *x)
{
    const size_t pairs = size / 2;
    const real sign = back ? -1 : 1;
    for (size_t r = 0; r < rows; r++, turns += size)
        for (size_t h = 0; h < heads; h++) {
            real *one = x + r * stride + h * size, *other = one + pairs;
            for (size_t p = 0; p < pairs; p++) {
                const real cosine = turns[p], sine = sign * turns[pairs + p];
                const real a = one[p], b = other[p];
                one[p] = a * cosine - b * sine;
                other[p] = a * sine + b * cosine;
            }
        }
}
