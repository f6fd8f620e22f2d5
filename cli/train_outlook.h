/* What a training will take, told before it starts: measured on this machine, not looked up. */
#ifndef BRUME_CLI_TRAIN_OUTLOOK_H
#define BRUME_CLI_TRAIN_OUTLOOK_H

#include "dsp/error.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct TrainOutlook {
    double seconds_per_step;
    double bytes; /* the most memory that the process has taken */
} TrainOutlook;

/* Rehearses steps of a trainer for about three seconds (at least two steps, at most twenty, and,
 * where `steps` are asked for, a quarter of them), after one that touches all memory for the first
 * time. */
int train_outlook_measure(int (*rehearse)(void *trainer, Error *err), void *trainer, size_t steps,
                          TrainOutlook *outlook, Error *err);

/* Steps that fit into `hours`, evaluations included. */
size_t train_outlook_steps(const TrainOutlook *outlook, double hours);

/* One line on speed, memory and time. */
void train_outlook_print_speed(FILE *out, const TrainOutlook *outlook, size_t steps);

/* What training is to be told of: windows in a step, classes, whether it starts from a model. */
typedef struct TrainPlan {
    size_t steps, batch, classes;
    bool from_model;
} TrainPlan;

/* That line, and one on when the model will be usable and when good: a
 * rough guess, by how many windows our own trainings took (train_outlook.c names them). */
void train_outlook_print(FILE *out, const TrainOutlook *outlook, const TrainPlan *plan);

#endif
