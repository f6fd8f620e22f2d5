/* Inside of the refiner: its shape and where its tensors lie, for refiner.c, which trains it, and
 * refiner_step.c, which plays it. */
#ifndef BRUME_MODELS_REFINER_NETWORK_H
#define BRUME_MODELS_REFINER_NETWORK_H

#include "models/refiner.h"

typedef struct RefinerBlock {
    size_t conv_w, conv_b, out_w, out_b;
} RefinerBlock;

struct Refiner {
    RefinerConfig config;
    RefinerPlace place;
    size_t positions;
    size_t patch_w, memory_w, outline_w, outline_b, film_w, film_b, out_w, out_b;
    RefinerBlock blocks[REFINER_MAX_BLOCKS];
};

/* Values of FiLM: block by block scales, shifts and gates (channels,), then the output layer's
 * scales and shifts. */
static inline size_t refiner_film_size(const Refiner *r)
{
    return (3 * r->config.blocks + 2) * r->config.channels;
}

/* Frames that block b reaches each way. */
static inline size_t refiner_dilation(size_t b)
{
    return (size_t)1 << b % 4;
}

#endif
