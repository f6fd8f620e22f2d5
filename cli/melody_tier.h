/* The two networks of a melody model in training, as both trainers can be treated. */
#ifndef BRUME_CLI_MELODY_TIER_H
#define BRUME_CLI_MELODY_TIER_H

#include "cli/train.h"
#include "models/note_trainer.h"
#include "models/predictor_trainer.h"

enum { MELODY_LINE_ROOM = 160 };

/* Where a tier stands. */
typedef struct MelodyStanding {
    size_t step, best_step;
    double best, seconds;        /* validation loss, NaN where not known; seconds in steps */
    double bits, held_out;       /* in training, in validation; NaN where not known */
    char line[MELODY_LINE_ROOM]; /* its losses in words */
} MelodyStanding;

/* One of the two networks in training, as both trainers can be treated. */
typedef struct MelodyTier {
    const char *name;
    void *trainer; /* NULL: this one stays as it is */
    size_t steps;  /* as many as were asked for; 0 until the machine was measured */
    size_t evaluate_every;
    size_t most; /* steps that are of use, where none were asked for */
    double hours;
    char checkpoint[TRAIN_PATH_ROOM];
    Error unsaved; /* why the last checkpoint could not be written; empty if it could */
    int (*rehearse)(void *trainer, Error *err);
    int (*step)(void *trainer, Error *err);
    int (*evaluate)(void *trainer, Error *err);
    void (*set_steps)(void *trainer, size_t steps);
    void (*add_seconds)(void *trainer, double seconds);
    int (*save)(const void *trainer, const char *path, Error *err);
    int (*resume)(void *trainer, const char *path, Error *err);
    MelodyStanding (*stand)(const void *trainer);
} MelodyTier;

/* A tier of a training from nothing or `from` a model. The trainer may be NULL. */
MelodyTier melody_tier_notes(const TrainRequest *request, bool from, NoteTrainer *trainer);
MelodyTier melody_tier_samples(const TrainRequest *request, bool from, PredictorTrainer *trainer,
                               double hours);

/* Where it stands; at 0 without a trainer. */
MelodyStanding melody_tier_stand(const MelodyTier *tier);

/* Whether the hours were spent, or all steps taken, before this run began. */
bool melody_tier_done(const MelodyTier *tier);

/* Whether the validation loss has long stopped falling. */
bool melody_tier_overfits(const MelodyTier *tier);

#endif
