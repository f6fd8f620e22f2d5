/* The refiner: the denoiser's second half, which draws what the trunk has only outlined.
 *
 * The trunk's layers mix all bands and must learn each pitch of a chirp or a partial anew. The
 * refiner looks at patches of neighbouring bands with the same weights everywhere: a residual
 * network of 3 x 3 convolutions over frames and patches, told the trunk's features, by FiLM what
 * the whole window is told, and the memory as it lies along the bands: where the partials of this
 * very bell are. What it finds is added to the trunk's prediction. */
#ifndef BRUME_MODELS_REFINER_H
#define BRUME_MODELS_REFINER_H

#include "dsp/error.h"
#include "models/parameters.h"
#include "models/real.h"

#include <stdbool.h>
#include <stddef.h>

#define REFINER_MAX_BLOCKS 16

typedef struct RefinerConfig {
    size_t channels; /* of a patch, 4..256 */
    size_t blocks;   /* 0..REFINER_MAX_BLOCKS; block b reaches 2^(b mod 4) frames */
    size_t stride;   /* bands from a patch to the next, 2..256 */
} RefinerConfig;

/* What surrounds it: bands in and out, width of the trunk's features and of the condition. */
typedef struct RefinerPlace {
    size_t bands, features, condition;
} RefinerPlace;

typedef struct Refiner Refiner;         /* shape and parameter layout; immutable */
typedef struct RefinerPass RefinerPass; /* working space of one thread */

/* Appends its tensors to `parameters`. NULL with a message when the shape is out of range (patches
 * times channels, too: 65536 at most) or memory runs out. */
Refiner *refiner_create(const RefinerConfig *config, RefinerPlace place, Parameters *parameters,
                        Error *err);
void refiner_destroy(Refiner *refiner);

/* Multiply-adds of one frame. */
double refiner_cost(const Refiner *refiner);

/* As denoiser_pass_create. */
RefinerPass *refiner_pass_create(const Refiner *refiner, size_t windows, size_t rows, bool training,
                                 Error *err);
void refiner_pass_destroy(RefinerPass *pass);

/* What one call treats; rows = windows * frames. */
typedef struct RefinerInput {
    size_t windows, frames;
    const real *x;         /* (rows, bands) */
    const real *memory;    /* (windows, bands): one mean frame for each window */
    const real *features;  /* (rows, features) */
    const real *condition; /* (windows, condition) */
} RefinerInput;

/* Adds to out (rows, bands). weights are the whole network's. */
void refiner_forward(RefinerPass *pass, const real *weights, const RefinerInput *input, real *out);

/* After refiner_forward in a training pass: dout (rows, bands) -> dfeatures (rows, features)
 * written, dcondition (windows, condition) and gradients added to. */
void refiner_backward(RefinerPass *pass, const real *weights, const RefinerInput *input,
                      const real *dout, real *dfeatures, real *dcondition, real *gradients);

#endif
