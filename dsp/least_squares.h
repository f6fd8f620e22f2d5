/* Prediction by exponentially forgetting least squares: the covariance of what is predicted from
 * (past samples, another signal's) is kept up to date at every sample and solved (Cholesky) every
 * few. Where the autocorrelation's window smears partials, the covariance does not: on notes that
 * ring it predicts much closer. Deterministic; bounded time and memory; any thread, one at a time
 * per struct. */
#ifndef BRUME_DSP_LEAST_SQUARES_H
#define BRUME_DSP_LEAST_SQUARES_H

#include <stddef.h>

enum { LEAST_SQUARES_MOST = 64 };

/* Plain data: a copy is the state. Values are to be of the order of 1 or less. */
typedef struct LeastSquares {
    size_t order, every, since; /* order 1..LEAST_SQUARES_MOST; samples from solution to solution */
    double forget;              /* 0..1: weight of the past from one sample to the next */
    double ridge;               /* energy added to the diagonal */
    float inputs[LEAST_SQUARES_MOST];                          /* of the prediction under way */
    double covariance[LEAST_SQUARES_MOST][LEAST_SQUARES_MOST]; /* lower triangle */
    double with_next[LEAST_SQUARES_MOST];
    float coefficients[LEAST_SQUARES_MOST];
} LeastSquares;

void least_squares_reset(LeastSquares *squares, size_t order, size_t every, double forget,
                         double ridge);

/* The value that goes with inputs (order,), which are kept for the push. */
float least_squares_predict(LeastSquares *squares, const float *inputs);

/* The value that went with the inputs of the last prediction. What is not finite counts as 0. */
void least_squares_push(LeastSquares *squares, float x);

#endif
