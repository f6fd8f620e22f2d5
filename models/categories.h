/* Layers for categories, forward and backward: tables that are looked up, and the softmax with its
 * cross-entropy. Rows as in models/layers.h. Nothing here allocates; any thread. */
#ifndef BRUME_MODELS_CATEGORIES_H
#define BRUME_MODELS_CATEGORIES_H

#include "models/real.h"

#include <stddef.h>

/* A target that does not count. */
enum { CATEGORY_NONE = -1 };

/* y (rows, width) += table[index], a row's index in 0..(rows of the table) - 1; CATEGORY_NONE adds
 * nothing. */
void lookup_add(size_t rows, size_t width, const int *indices, const real *table, real *y);

/* dtable[index] += dy (rows, width). */
void lookup_backward(size_t rows, size_t width, const int *indices, const real *dy, real *dtable);

/* Cross-entropy of the softmax: the sum over rows of -ln p(target), in nats, with
 * ln p = logit - largest - ln(sum of exp(logit - largest)), which neither overflows nor takes the
 * logarithm of nothing. logits (rows, classes); targets (rows,), CATEGORY_NONE counts nothing.
 * dlogits (rows, classes), unless NULL, becomes scale times the gradient; it may be logits. */
double softmax_loss(size_t rows, size_t classes, const real *logits, const int *targets, real scale,
                    real *dlogits);

#endif
