#include "models/categories.h"

#include "models/layers.h"

#include <math.h>

void lookup_add(size_t rows, size_t width, const int *indices, const real *table, real *y)
{
    for (size_t r = 0; r < rows; r++)
        if (indices[r] != CATEGORY_NONE)
            accumulate(width, table + (size_t)indices[r] * width, y + r * width);
}

void lookup_backward(size_t rows, size_t width, const int *indices, const real *dy, real *dtable)
{
    for (size_t r = 0; r < rows; r++)
        if (indices[r] != CATEGORY_NONE)
            accumulate(width, dy + r * width, dtable + (size_t)indices[r] * width);
}

/* Largest logit, and the logarithm of the sum of exp(logit - largest). */
static double log_sum(size_t classes, const real *logits, double *most)
{
    double sum = 0.0;
    *most = (double)logits[0];
    for (size_t c = 1; c < classes; c++)
        *most = fmax(*most, (double)logits[c]);
    for (size_t c = 0; c < classes; c++)
        sum += exp((double)logits[c] - *most);
    return log(sum);
}

double softmax_loss(size_t rows, size_t classes, const real *logits, const int *targets, real scale,
                    real *dlogits)
{
    double loss = 0.0;
    for (size_t r = 0; r < rows; r++, logits += classes) {
        real *d = dlogits ? dlogits + r * classes : NULL;
        if (targets[r] == CATEGORY_NONE) {
            for (size_t c = 0; d && c < classes; c++)
                d[c] = 0;
            continue;
        }
        double most;
        const double total = log_sum(classes, logits, &most);
        const size_t target = (size_t)targets[r];
        loss -= (double)logits[target] - most - total;
        for (size_t c = 0; d && c < classes; c++) {
            const double p = exp((double)logits[c] - most - total);
            d[c] = scale * (real)(p - (c == target));
        }
    }
    return loss;
}
