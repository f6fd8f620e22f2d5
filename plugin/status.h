/* The sentence that tells the player what is going on: what went wrong lately and the mend, then
 * the model. Built without stdio, on the audio thread. */
#ifndef BRUME_PLUGIN_STATUS_H
#define BRUME_PLUGIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_MODEL_ROOM 1600
#define STATUS_ROOM       3072

/* What run() itself can find wrong. */
typedef enum Complaint {
    COMPLAINT_INPUT,
    COMPLAINT_CONTROL,
    COMPLAINT_BLOCK,
    COMPLAINT_UNDERRUN,
    COMPLAINT_NO_WORKER,
    COMPLAINT_WORKER_FULL,
    COMPLAINT_PATH,
    COMPLAINT_DEAF,
    COMPLAINT_UNSURE,
    COMPLAINT_NO_MELODY,
    COMPLAINT_TRANSFORM,
    COMPLAINT_TARDY,
    COMPLAINT_PLACE,
    COMPLAINT_COUNT
} Complaint;

typedef struct Status {
    char model[STATUS_MODEL_ROOM]; /* about the model */
    char text[STATUS_ROOM];        /* all of it, terminated */
    size_t length;                 /* of text */
    bool changed;                  /* since the player was told */
    uint64_t hold;                 /* frames that a complaint stays */
    uint64_t left[COMPLAINT_COUNT];
} Status;

/* Empty. A complaint is shown for ten seconds after it was last made. */
void status_reset(Status *status, double rate);

/* The part about the model. Audio thread, or any while run() does not run. */
void status_model(Status *status, const char *text);

void status_complain(Status *status, Complaint complaint);

/* `frames` frames go by. */
void status_advance(Status *status, uint32_t frames);

#endif
