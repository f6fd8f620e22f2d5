/* A gated recurrent unit (Cho et al. 2014, with the reset gate after the recurrent product as in
 * cuDNN), forward and backward through time, for several sequences at once.
 *
 *   r = sigmoid(Wr x + Ur h + br)    z = sigmoid(Wz x + Uz h + bz)
 *   n = tanh(Wn x + bn + r (Un h + c))    h' = n + z (h - n)
 *
 * Arrays are time first: x (steps, lanes, in), h (steps + 1, lanes, hidden) with the start in row
 * 0. Weights: w (3 hidden, in), u (3 hidden, hidden), b (3 hidden,) in the order r, z, n; c
 * (hidden,). Nothing here allocates; any thread. */
#ifndef BRUME_MODELS_GRU_H
#define BRUME_MODELS_GRU_H

#include "models/real.h"

#include <stddef.h>

enum { GRU_MOST = 1024 }; /* hidden units of gru_cell */

typedef struct GruWeights {
    const real *w, *u, *b, *c;
} GruWeights;

typedef struct GruGradients {
    real *w, *u, *b, *c;
} GruGradients;

typedef struct GruSize {
    size_t steps, lanes, in, hidden;
} GruSize;

/* h's row 0 is read, rows 1..steps are written. gates (steps, lanes, 3 hidden) gets r, z, n and
 * recurrent (steps, lanes, 3 hidden) what U made of h (with c in its last third): both are kept for
 * the way back. */
void gru_forward(const GruSize *size, const GruWeights *weights, const real *x, real *h,
                 real *gates, real *recurrent);

/* dh (steps, lanes, hidden): gradient by h's rows 1..steps from outside. Writes dx (steps, lanes,
 * in) unless NULL; overwrites gates and recurrent with their gradients, dh with the whole gradient;
 * ADDS to the weights' gradients. */
void gru_backward(const GruSize *size, const GruWeights *weights, const real *x, const real *h,
                  real *gates, real *recurrent, real *dh, real *dx, GruGradients *gradients);

/* The gates of one step, from wx = W x + b and uh = U h (c not yet in it): h in place. */
void gru_cell(size_t hidden, const real *wx, const real *uh, const real *c, real *h);

#endif
