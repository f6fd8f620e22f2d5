/* A checkpoint in time. mpirun kills all processes a second after it has asked them to stop, when
 * one has died as well as on Ctrl-C, and a step may take longer than that or wait for ever: a
 * thread of its own saves what the last whole step left. */
#ifndef BRUME_CLI_TRAIN_GUARD_H
#define BRUME_CLI_TRAIN_GUARD_H

#include "models/texture_trainer.h"

typedef struct TrainGuard TrainGuard;

/* From now on a checkpoint is saved at once when somebody asks the command to stop, by what
 * cli/interrupt.h knows of. Trainer and path must outlive it. */
TrainGuard *train_guard_create(TextureTrainer *trainer, const char *checkpoint, Error *err);

/* Ends that, and frees `guard`, which may be NULL. 1 if it has saved a checkpoint, 0 if it had no
 * reason to, -1 with a message if it could not. */
int train_guard_end(TrainGuard *guard, Error *err);

#endif
