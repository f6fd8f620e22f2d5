/* A checkpoint of texture training: the state between two steps, as a safetensors file. */
#ifndef BRUME_MODELS_TEXTURE_CHECKPOINT_H
#define BRUME_MODELS_TEXTURE_CHECKPOINT_H

#include "models/texture_trainer.h"

/* What must be the same for training to go on; and what was settled on at its start: the number of
 * steps, and the seed of all draws. */
typedef struct TextureIdentity {
    uint64_t seed, fingerprint, network; /* of the corpus, and of the model's configuration */
    uint64_t draws;
    size_t batch, steps;
} TextureIdentity;

typedef struct TextureCheckpoint {
    TextureIdentity identity;
    TextureProgress progress;
    size_t size;                                    /* parameters of the network */
    real *values, *first, *second, *average, *best; /* (size,): weights, Adam's moments, averages */
} TextureCheckpoint;

/* All zero, for `size` parameters; no step taken, nothing known. */
int texture_checkpoint_create(TextureCheckpoint *state, size_t size, Error *err);
void texture_checkpoint_destroy(TextureCheckpoint *state);

/* Writes a file, whole or not at all. */
int texture_checkpoint_save(const TextureCheckpoint *state, const char *path, Error *err);

/* Reads one into `state`, whose identity (but for steps and draws) and size it must have. On failure
 * nothing of `state` has changed. */
int texture_checkpoint_load(TextureCheckpoint *state, const char *path, Error *err);

#endif
