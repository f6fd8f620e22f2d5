/* Matrix products over OpenBLAS, row-major. */
#ifndef BRUME_MODELS_MATRIX_H
#define BRUME_MODELS_MATRIX_H

#include "models/real.h"

#include <stddef.h>

/* c (m, n) = a (m, k) b^T (n, k) + beta c: a layer forward, b its weights (out, in). */
void matrix_times_transposed(size_t m, size_t n, size_t k, const real *a, const real *b, real beta,
                             real *c);

/* c (m, n) = a (m, k) b (k, n) + beta c: a gradient back through weights b (out, in). */
void matrix_times(size_t m, size_t n, size_t k, const real *a, const real *b, real beta, real *c);

/* c (m, n) += a^T (k, m) b (k, n): the gradient of weights. */
void matrix_transposed_times_add(size_t m, size_t n, size_t k, const real *a, const real *b,
                                 real *c);

#endif
