#include "models/adam.h"

#include <math.h>

AdamSettings adam_defaults(void)
{
    return (AdamSettings){.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .decay = 1e-3};
}

/* The constants of one update, ready for the loop. */
typedef struct Update {
    real beta1, beta2, epsilon, rate, shrink, correction;
} Update;

KERNEL static void update(size_t n, Update u, const real *g, real *values, real *first,
                          real *second)
{
    for (size_t i = 0; i < n; i++) {
        first[i] = u.beta1 * first[i] + (1 - u.beta1) * g[i];
        second[i] = u.beta2 * second[i] + (1 - u.beta2) * g[i] * g[i];
#ifdef BRUME_DOUBLE
        const real root = sqrt(second[i] * u.correction);
#else
        const real root = sqrtf(second[i] * u.correction);
#endif
        values[i] = values[i] * u.shrink - u.rate * first[i] / (root + u.epsilon);
    }
}

void adam_step(const AdamSettings *settings, const Parameters *parameters, size_t step, double rate,
               const real *gradients, real *values, real *first, real *second)
{
    const double t = (double)step;
    const double correction1 = 1.0 - pow(settings->beta1, t);
    const double correction2 = 1.0 - pow(settings->beta2, t);
    Update u = {.beta1 = (real)settings->beta1,
                .beta2 = (real)settings->beta2,
                .epsilon = (real)settings->epsilon,
                .rate = (real)(rate / correction1),
                .correction = (real)(1.0 / correction2)};
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        const size_t at = info->offset;
        u.shrink = (real)(info->rank > 1 ? 1.0 - rate * settings->decay : 1.0);
        update(info->size, u, gradients + at, values + at, first + at, second + at);
    }
}

KERNEL static double sum_of_squares(size_t n, const real *x)
{
    double lanes[8] = {0.0};
    for (size_t i = 0; i < n; i++)
        lanes[i % 8] += (double)x[i] * (double)x[i];
    double sum = 0.0;
    for (int l = 0; l < 8; l++)
        sum += lanes[l];
    return sum;
}

double gradients_clip(size_t n, real *gradients, double most)
{
    const double norm = sqrt(sum_of_squares(n, gradients));
    if (norm > most) {
        const real scale = (real)(most / norm);
        for (size_t i = 0; i < n; i++)
            gradients[i] *= scale;
    }
    return norm;
}

KERNEL static void approach(size_t n, real share, const real *values, real *average)
{
    for (size_t i = 0; i < n; i++)
        average[i] += share * (values[i] - average[i]);
}

void average_step(size_t n, double decay, const real *values, real *average)
{
    approach(n, (real)(1.0 - decay), values, average);
}
