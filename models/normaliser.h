/* The normaliser: each class's log energies, band by band, mapped to a standard Gaussian and back
 * through the class's own quantiles. The denoiser works on what this gives; a mixture of classes
 * maps back through the mixture of quantiles, so levels and colours morph evenly. */
#ifndef BRUME_MODELS_NORMALISER_H
#define BRUME_MODELS_NORMALISER_H

#include "dsp/error.h"

#include <stddef.h>

/* Quantiles are kept where a Gaussian has -4, -3.75, ... 4. */
#define NORMALISER_KNOTS 33
#define NORMALISER_RANGE 4.0f

typedef struct Normaliser Normaliser;

/* For 1..256 classes and 1..4096 bands; all maps are the identity until set. */
Normaliser *normaliser_create(size_t classes, size_t bands, Error *err);
void normaliser_destroy(Normaliser *normaliser);

/* Fits one class: frames (n, bands) of log energies, n >= 1. Returns 0, or -1 out of memory. */
int normaliser_fit(Normaliser *normaliser, size_t class_index, const float *frames, size_t n,
                   Error *err);

/* The table (classes, bands, NORMALISER_KNOTS), rising along the knots: to save it. */
const float *normaliser_table(const Normaliser *normaliser);

/* Takes a table over from a file. -1 with a message if it is not finite or does not rise. */
int normaliser_set_table(Normaliser *normaliser, const float *table, Error *err);

/* frames (n, bands) of log energies, of one class -> Gaussian values within +-4, in place. */
void normaliser_forward(const Normaliser *normaliser, size_t class_index, float *frames, size_t n);

/* The same for a mixture of classes, the inverse of normaliser_backward: mix (classes,) weights
 * summing to 1. */
void normaliser_forward_mix(const Normaliser *normaliser, const float *mix, float *frames,
                            size_t n);

/* Gaussian values (n, bands) -> log energies, in place; mix (classes,) weights summing to 1. */
void normaliser_backward(const Normaliser *normaliser, const float *mix, float *frames, size_t n);

#endif
