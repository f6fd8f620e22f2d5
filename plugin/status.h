/* The sentence that tells the player what is going on: what went wrong lately and the mend, then
 * the models. Built without stdio, on the audio thread. */
#ifndef BRUME_PLUGIN_STATUS_H
#define BRUME_PLUGIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_MODEL_ROOM 1600
#define STATUS_NOW_ROOM   160
#define STATUS_ROOM       4096

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
    char melody[STATUS_MODEL_ROOM]; /* about the melody model; empty while it is the default one */
    char model[STATUS_MODEL_ROOM];  /* about the texture model */
    size_t named;                   /* of that: up to the model's name, or 0 */
    char now[STATUS_NOW_ROOM];      /* which class of it plays, as ", rain" */
    char text[STATUS_ROOM];         /* all of it, terminated */
    size_t length;                  /* of text */
    bool changed;                   /* since the player was told */
    uint64_t hold;                  /* frames that a complaint stays */
    uint64_t left[COMPLAINT_COUNT];
} Status;

/* Empty. A complaint is shown for ten seconds after it was last made. */
void status_reset(Status *status, double rate);

/* The part about the texture model, of which the first `named` bytes end with its name (0: it has
 * none); about the melody model. Audio thread, or any while run() does not run. */
void status_model(Status *status, const char *text, size_t named);
void status_melody(Status *status, const char *text);

/* Which class plays, and which it goes to (NULL: none): said after the texture model's name. */
void status_class(Status *status, const char *class_, const char *to);

void status_complain(Status *status, Complaint complaint);

/* `frames` frames go by. */
void status_advance(Status *status, uint32_t frames);

#endif
