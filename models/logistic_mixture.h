/* Discretised mixtures of logistics (Salimans et al. 2017, "PixelCNN++", equation 2) as the density
 * of a 16-bit sample. Everything is in steps of 16 bits: the bin of a whole number v is
 * v - 1/2 .. v + 1/2, and its probability the mixture's mass in it. (Bins beyond 16 bits have their
 * mass too; what is lost to them only makes the bits counted too many.)
 *
 * Parameters of one row: LOGISTICS logits, LOGISTICS means, LOGISTICS logs of scales. All
 * functions: any thread, no allocation, no failure. */
#ifndef BRUME_MODELS_LOGISTIC_MIXTURE_H
#define BRUME_MODELS_LOGISTIC_MIXTURE_H

#include "models/real.h"

#include <stddef.h>

enum { LOGISTICS = 5, LOGISTIC_PARAMETERS = 3 * LOGISTICS };

/* nats (rows,): -ln of the probability of value (rows,) under parameters (rows,
 * LOGISTIC_PARAMETERS). Finite for finite parameters, however far the value; logs of scales are
 * clamped to -7 .. 15. gradient as parameters, of each row's nats by its parameters, unless NULL.
 */
void logistic_mixture_nats(size_t rows, const real *value, const real *parameters, real *nats,
                           real *gradient);

/* A value (not rounded) of the density that has `temperature` (0..2) times the scales and its
 * logits over `temperature` (at least 0.05): choose and place are uniform in [0, 1). */
double logistic_mixture_sample(const real *parameters, double temperature, double choose,
                               double place);

#endif
