/* Inside of the denoiser: its shape and where its tensors lie, for denoiser.c, which trains it, and
 * denoiser_step.c, which plays it. */
#ifndef BRUME_MODELS_DENOISER_NETWORK_H
#define BRUME_MODELS_DENOISER_NETWORK_H

#include "models/denoiser.h"

/* The noise level becomes 2 * DENOISER_SINUSOIDS sinusoids of DENOISER_LEVEL_SCALE * lambda, the
 * slowest DENOISER_LEVEL_LONGEST times as long as the fastest. */
enum { DENOISER_SINUSOIDS = 32 };
#define DENOISER_LEVEL_SCALE   4.0
#define DENOISER_LEVEL_LONGEST 100.0

typedef struct DenoiserBlock {
    size_t conv_w, conv_b, out_w, out_b;
} DenoiserBlock;

struct Denoiser {
    DenoiserConfig config;
    Parameters *parameters;
    size_t level1_w, level1_b, level2_w, level2_b, class_table, memory_w, past_w;
    size_t film_w, film_b;
    size_t in_w, in_b, out_w, out_b;
    DenoiserBlock blocks[DENOISER_MAX_BLOCKS];
    Refiner *refiner;
};

/* Values of FiLM: block by block scales, shifts and gates (channels,), then the output layer's
 * scales and shifts. */
static inline size_t denoiser_film_size(const DenoiserConfig *c)
{
    return (3 * c->blocks + 2) * c->channels;
}

#endif
