#include "dsp/least_squares.h"

#include "dsp/products.h"

#include <math.h>
#include <string.h>

enum { MOST = LEAST_SQUARES_MOST };

void least_squares_reset(LeastSquares *squares, size_t order, size_t every, double forget,
                         double ridge)
{
    memset(squares, 0, sizeof *squares);
    squares->order = order < 1 ? 1 : order > MOST ? MOST : order;
    squares->every = every ? every : 1;
    squares->forget = forget;
    squares->ridge = ridge;
}

float least_squares_predict(LeastSquares *squares, const float *inputs)
{
    for (size_t i = 0; i < squares->order; i++)
        squares->inputs[i] = isfinite(inputs[i]) ? inputs[i] : 0.0f;
    return products_dot(squares->order, squares->coefficients, squares->inputs);
}

/* (covariance + ridge) coefficients = with_next, by Cholesky's decomposition, row by row. Left as
 * they were when rounding has made the matrix indefinite. */
static void solve(LeastSquares *s)
{
    const size_t n = s->order;
    double lower[MOST][MOST], inverse[MOST], y[MOST];
    for (size_t i = 0; i < n; i++) {
        memcpy(lower[i], s->covariance[i], (i + 1) * sizeof(double));
        lower[i][i] += s->ridge;
    }
    for (size_t j = 0; j < n; j++) { /* right-looking: the rest of the triangle, column by column */
        if (!(lower[j][j] > 0.0))
            return;
        inverse[j] = 1.0 / sqrt(lower[j][j]);
        double column[MOST];
        for (size_t i = j + 1; i < n; i++)
            column[i] = lower[i][j] *= inverse[j];
        for (size_t i = j + 1; i < n; i++)
            products_add_double(i - j, -column[i], column + j + 1, lower[i] + j + 1);
    }
    memcpy(y, s->with_next, n * sizeof *y);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            y[i] -= lower[i][k] * y[k];
        y[i] *= inverse[i];
    }
    for (size_t i = n; i-- > 0;) {
        y[i] *= inverse[i];
        for (size_t k = 0; k < i; k++)
            y[k] -= lower[i][k] * y[i];
    }
    for (size_t i = 0; i < n; i++)
        if (!isfinite(y[i]))
            return;
    for (size_t i = 0; i < n; i++)
        s->coefficients[i] = (float)y[i];
}

void least_squares_push(LeastSquares *s, float x)
{
    const size_t n = s->order;
    double wide[MOST] = {0.0};
    x = isfinite(x) ? x : 0.0f;
    for (size_t i = 0; i < n; i++)
        wide[i] = (double)s->inputs[i];
    products_forget(n, s->forget, (1.0 - s->forget) * (double)x, wide, s->with_next);
    for (size_t i = 0; i < n; i++)
        products_forget(i + 1, s->forget, (1.0 - s->forget) * wide[i], wide, s->covariance[i]);
    if (++s->since >= s->every) {
        s->since = 0;
        solve(s);
    }
}
