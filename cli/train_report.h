/* What a texture training has come to, honestly: how near its model's sound is to recordings that
 * it never heard, as `brume compare` measures it, and whether it is copied from those it learnt. */
#ifndef BRUME_CLI_TRAIN_REPORT_H
#define BRUME_CLI_TRAIN_REPORT_H

#include "cli/progress.h"
#include "cli/train_sounds.h"

#include <stdio.h>

/* Of one class. */
typedef struct ClassReport {
    char name[TEXTURE_CLASS_ROOM];
    double learnt_seconds, held_seconds; /* of sound, but of files that are gone */
    double learnt_read, held_read;       /* of these, seconds that were measured */
    double total;        /* distance of what it makes from what is held out; NaN: cannot be told */
    double among;        /* the same of what was learnt from; NaN: cannot be told */
    double spread;       /* NaN: cannot be told */
    double memorisation; /* NaN: cannot be told */
    Error unknown;       /* why there is no total */
} ClassReport;

typedef struct TrainReport {
    ClassReport classes[TRAIN_CLASSES_SHOWN];
    size_t count, of; /* classes measured, and all there are; count 0: not measured */
} TrainReport;

enum { TRAIN_REPORT_ROOM = 1024 };

/* Reads the recordings again and measures the model in `path`: of a class's recordings four minutes
 * of each side, spread evenly, where there are more. A recording that is gone is passed
 * over with a line on standard error. -1 when the model can't be opened or rendered, memory runs
 * out, or `cancel` (which may be NULL) becomes true; then report->count is 0. Main thread. */
int train_report_make(const TrainSounds *sounds, const char *path, const atomic_bool *cancel,
                      Progress *progress, TrainReport *report, Error *err);

/* A line for each class, in words that a musician understands. */
void train_report_print(FILE *out, const TrainReport *report);

/* An array of objects. */
void train_report_print_json(FILE *out, const TrainReport *report);

/* The figures in one line, for the model card. */
void train_report_card(const TrainReport *report, char text[TRAIN_REPORT_ROOM]);

#endif
