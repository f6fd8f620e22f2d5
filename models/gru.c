#include "models/gru.h"

#include "models/exponential.h"
#include "models/layers.h"
#include "models/matrix.h"

#include <string.h>

/* Gates that hold W x + b become r, z, n; c is added to from_h, what U made of h for n. */
KERNEL static void turn(size_t n, real *restrict r, real *restrict z, real *restrict new,
                        const real *restrict r_from_h, const real *restrict z_from_h,
                        real *restrict from_h, const real *restrict c, const real *restrict before,
                        real *restrict after)
{
    for (size_t i = 0; i < n; i++) {
        r[i] = sigmoid(r[i] + r_from_h[i]);
        z[i] = sigmoid(z[i] + z_from_h[i]);
        from_h[i] += c[i];
        new[i] = hyperbolic(new[i] + r[i] * from_h[i]);
        after[i] = new[i] + z[i] * (before[i] - new[i]);
    }
}

/* One row: gates (3 n,), recurrent (3 n,) holds U h. before and after are apart. */
static void cell(size_t n, real *gates, real *recurrent, const real *c, const real *before,
                 real *after)
{
    turn(n, gates, gates + n, gates + 2 * n, recurrent, recurrent + n, recurrent + 2 * n, c, before,
         after);
}

/* dh: gradient by the row's new state; dbefore (may be dh) gets the part of the gradient by the old
 * one that does not go through U. gates and recurrent become their gradients. */
KERNEL static void cell_backward(size_t n, real *gates, real *recurrent, const real *before,
                                 const real *dh, real *dbefore)
{
    real *r = gates, *z = gates + n, *new = gates + 2 * n;
    real *from_h = recurrent + 2 * n;
    for (size_t i = 0; i < n; i++) {
        const real dz = dh[i] * (before[i] - new[i]) * z[i] * (1 - z[i]);
        const real dnew = dh[i] * (1 - z[i]) * (1 - new[i] * new[i]);
        const real dr = dnew * from_h[i] * r[i] * (1 - r[i]);
        const real through = dnew * r[i];
        dbefore[i] = dh[i] * z[i];
        r[i] = recurrent[i] = dr;
        z[i] = recurrent[n + i] = dz;
        new[i] = dnew;
        from_h[i] = through;
    }
}

void gru_forward(const GruSize *size, const GruWeights *weights, const real *x, real *h,
                 real *gates, real *recurrent)
{
    const size_t lanes = size->lanes, n = size->hidden, state = lanes * n;
    linear_forward(size->steps * lanes, size->in, 3 * n, x, weights->w, weights->b, gates);
    for (size_t t = 0; t < size->steps;
         t++, h += state, gates += 3 * state, recurrent += 3 * state) {
        matrix_times_transposed(lanes, 3 * n, n, h, weights->u, 0, recurrent);
        for (size_t l = 0; l < lanes; l++)
            cell(n, gates + l * 3 * n, recurrent + l * 3 * n, weights->c, h + l * n,
                 h + state + l * n);
    }
}

void gru_backward(const GruSize *size, const GruWeights *weights, const real *x, const real *h,
                  real *gates, real *recurrent, real *dh, real *dx, GruGradients *gradients)
{
    const size_t lanes = size->lanes, n = size->hidden, state = lanes * n, in = size->in;
    const size_t rows = size->steps * lanes;
    for (size_t t = size->steps; t-- > 0;) {
        real *g = gates + t * 3 * state, *u = recurrent + t * 3 * state;
        real *now = dh + t * state;
        for (size_t l = 0; l < lanes; l++)
            cell_backward(n, g + l * 3 * n, u + l * 3 * n, h + t * state + l * n, now + l * n,
                          now + l * n);
        if (t == 0)
            break;
        /* The gradient by the state before: what stayed, and what came through U. */
        matrix_times(lanes, n, 3 * n, u, weights->u, 1, now);
        accumulate(state, now, now - state);
    }
    linear_backward(rows, in, 3 * n, x, weights->w, gates, dx, gradients->w, gradients->b);
    matrix_transposed_times_add(3 * n, n, rows, recurrent, h, gradients->u);
    for (size_t row = 0; row < rows; row++)
        accumulate(n, recurrent + row * 3 * n + 2 * n, gradients->c);
}

void gru_cell(size_t hidden, const real *wx, const real *uh, const real *c, real *h)
{
    real gates[3 * GRU_MOST], recurrent[3 * GRU_MOST], before[GRU_MOST];
    memcpy(gates, wx, 3 * hidden * sizeof *gates);
    memcpy(recurrent, uh, 3 * hidden * sizeof *recurrent);
    memcpy(before, h, hidden * sizeof *before);
    cell(hidden, gates, recurrent, c, before, h);
}
