/* The arrays of a training between two steps, and their file. */
#ifndef BRUME_MODELS_TRAINING_STATE_H
#define BRUME_MODELS_TRAINING_STATE_H

#include "dsp/error.h"
#include "models/real.h"

#include <stddef.h>

#define TRAINING_NUMBERS_ROOM 1024

typedef struct TrainingState {
    size_t size;                                    /* parameters of the network */
    real *values, *first, *second, *average, *best; /* (size,): weights, Adam's moments, averages */
} TrainingState;

/* All zero. On failure there is nothing to destroy. */
int training_state_create(TrainingState *state, size_t size, Error *err);
void training_state_destroy(TrainingState *state);

/* Weights, their average and the best become `weights` (size,), which may be the state's own. */
void training_state_start(TrainingState *state, const real *weights);

/* Writes a file, whole or not at all: the arrays, and under `kind` a line of numbers, which is the
 * trainer's own. */
int training_state_save(const TrainingState *state, const char *kind, const char *numbers,
                        const char *path, Error *err);

/* Reads such a file into a state that this creates, and its numbers. It must be of `kind` and have
 * `size` parameters, all of them finite. On failure there is nothing to destroy. */
int training_state_load(TrainingState *state, size_t size, const char *kind,
                        char numbers[TRAINING_NUMBERS_ROOM], const char *path, Error *err);

#endif
