/* Causal multi-head self-attention (Vaswani et al. 2017, section 3.2) with a sliding window, and
 * rotary positions (Su et al. 2021), forward and backward.
 *
 * Rows are places of sequences, window after window, as in models/layers.h. A row attends to itself
 * and to the reach - 1 rows before it in its window. Nothing here allocates; any thread. */
#ifndef BRUME_MODELS_ATTENTION_H
#define BRUME_MODELS_ATTENTION_H

#include "models/real.h"

#include <stddef.h>

typedef struct AttentionShape {
    size_t windows, frames; /* rows = windows * frames */
    size_t heads, size;     /* of one head; channels = heads * size */
    size_t reach;           /* rows that one attends to, itself included; 1 or more */
} AttentionShape;

/* Values of scratch that forward and backward need. */
size_t attention_scratch(const AttentionShape *shape);

/* Values of attention weights: windows * heads * frames * frames. */
size_t attention_weights(const AttentionShape *shape);

/* qkv (rows, 3 * channels): queries, keys and values side by side, each (heads, size) ->
 * y (rows, channels) = softmax(q k^T / sqrt(size)) v, head by head. The softmax is kept in
 * weights (windows, heads, frames, frames), zero where a row does not attend. */
void attention_forward(const AttentionShape *shape, const real *qkv, real *weights, real *scratch,
                       real *y);

/* dy (rows, channels) -> dqkv (rows, 3 * channels); qkv and weights as forward had and left them.
 */
void attention_backward(const AttentionShape *shape, const real *qkv, const real *weights,
                        const real *dy, real *scratch, real *dqkv);

/* One query against a ring of keys and values: q (channels,), keys and values (rows, channels) of
 * which the first `rows` count, in any order; scores (rows,) is scratch; y (channels,). */
void attention_one(size_t heads, size_t size, size_t rows, const real *q, const real *keys,
                   const real *values, real *scores, real *y);

/* Turns pairs of x in place: in each of the `heads` heads of `size` values of a row, element p and
 * element p + size / 2 are turned by the angle whose cosine and sine are turns[row][p] and
 * turns[row][size / 2 + p]; turns (rows, size). From one row of x to the next are `stride` values.
 * A gradient goes back through it with `back`, which turns the other way. */
void rotate_pairs(size_t rows, size_t heads, size_t size, size_t stride, const real *turns,
                  int back, real *x);

#endif
