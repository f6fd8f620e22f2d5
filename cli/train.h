/* What `brume train` is asked for, and what its two kinds share. */
#ifndef BRUME_CLI_TRAIN_H
#define BRUME_CLI_TRAIN_H

#include "cli/options.h"
#include "cli/ranks.h"
#include "dsp/error.h"

/* What the user says of the sounds, for the model card; NULL where nothing. */
typedef struct CardOptions {
    const char *licence, *sources;
} CardOptions;

typedef struct TrainRequest {
    const char *folder, *output;
    double hours, holdout;
    double save_every;   /* minutes between checkpoints */
    int64_t steps, seed; /* steps 0: as many as the hours allow */
    bool resume, no_preview;
    CardOptions card;
    CommonOptions common;
    const char *from;  /* a model's NAME or file; NULL: start from nothing */
    bool from_default; /* `from` was not asked for: it may be absent */
    Ranks *ranks;      /* the processes that train together */
    /* Of textures only; 0 or NULL where not given, until the verb fills in what is usual. */
    double rate;
    int64_t threads, batch, channels, blocks;
    const char *prediction, *schedule;
    StringList only;
} TrainRequest;

enum { TRAIN_PATH_ROOM = 4096, TRAIN_TIME_ROOM = 32 };

/* Each trains, writes the model (and, interrupted, checkpoints beside it), prints its results. -1
 * with the reason. Main thread. */
int train_texture(const TrainRequest *request, Error *err);
int train_melody(const TrainRequest *request, Error *err);

/* Seconds on a clock that only runs forward. */
double train_now(void);

/* "1:02:03". */
void train_print_time(char text[TRAIN_TIME_ROOM], double seconds);

/* One line on standard error about what training can do without. */
void train_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says on standard error that a checkpoint could not be written: training goes on, for a disk that
 * is full now may have room at the next one, and the checkpoint before is as it was. */
void train_warn_unsaved(const Error *why);

/* The message of a training that was interrupted and could not write its last checkpoint, though it
 * could write the model. Returns -1. */
int train_set_unsaved(const TrainRequest *request, const Error *why, Error *err);

/* What would only be noticed after hours: whether the output can be written, and whether a
 * checkpoint is there if and only if --resume is given. checkpoints (count,): any of them will do.
 * What a training that was killed left half-written beside them is removed. */
int train_check_files(const TrainRequest *request, const char *const *checkpoints, size_t count,
                      Error *err);

/* Finds the file of the model to start from: path "" to start from nothing. The shipped one need
 * not be installed; then a warning says so. */
int train_locate_from(const TrainRequest *request, char path[TRAIN_PATH_ROOM], Error *err);

/* Whether the folder that `path` lies in has room for `bytes`; -1 with a message if not. */
int train_check_room(const char *path, double bytes, Error *err);

#endif
