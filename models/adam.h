/* AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019), clipping of gradients, and averaged weights.
 */
#ifndef BRUME_MODELS_ADAM_H
#define BRUME_MODELS_ADAM_H

#include "models/parameters.h"

#include <stddef.h>

typedef struct AdamSettings {
    double beta1, beta2, epsilon;
    double decay; /* weight decay, on tensors of two sizes or more */
} AdamSettings;

/* beta .9 and .99, epsilon 1e-8, decay 1e-3. */
AdamSettings adam_defaults(void);

/* One update, number `step` (from 1), at learning rate `rate`: values, first and second moments,
 * all (parameters_size,), in place. */
void adam_step(const AdamSettings *settings, const Parameters *parameters, size_t step, double rate,
               const real *gradients, real *values, real *first, real *second);

/* Scales gradients (n,) so that their Euclidean norm is at most `most`; returns the norm before. */
double gradients_clip(size_t n, real *gradients, double most);

/* Exponential moving average: average += (1 - decay) (values - average), n values. */
void average_step(size_t n, double decay, const real *values, real *average);

#endif
