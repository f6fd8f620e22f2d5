/* A long night's inside: night.c lets instances live and measures, night_play.c plays blocks and
 * looks at them, night_acts.c is what a player and a host do. */
#ifndef BRUME_TESTS_NIGHT_PARTS_H
#define BRUME_TESTS_NIGHT_PARTS_H

#include "tests/host/host.h"
#include "tests/host/night.h"
#include "tests/host/tune.h"

typedef enum {
    NIGHT_SILENCE,
    NIGHT_TUNE, /* six seconds of it, and six of silence */
    NIGHT_NOISE,
    NIGHT_HOSTILE, /* NaN, infinity and absurd levels in the noise */
    NIGHT_INPUTS
} NightInput;

typedef struct Night {
    const NightPlan *plan;
    NightReport *report;
    /* What is drawn for acts does not depend on how long anything took; for blocks and noise it
     * does. A seed of its own for each instance. */
    uint64_t random, chance;
    bool plays;      /* draws from `chance` */
    char folder[32]; /* for states */
    bool saved;
    float tune[TUNE_FRAMES + 1];

    /* The instance. */
    Host *host;
    double rate;
    uint32_t promised; /* longest block, as the plugin was told */
    double underruns;  /* as of the last block */
    double basis;      /* counted bytes at its first rest; 0 before */

    /* What goes on. */
    NightInput input;
    uint64_t heard;  /* frames of that input */
    uint32_t block;  /* longest; 0: any */
    int swept;       /* port that moves all the time, or -1 */
    double swept_at; /* when it moved last, in seconds of sound */
    bool rolls;
    int64_t position;
    bool exporting;
    bool watching;  /* nobody else looks at the ports at the moment */
    bool compares;  /* what is heard must be what came in */
    double loudest; /* of the sound since it was last set to 0 */
} Night;

/* From 0 (included) to 1; whole numbers below n. */
double night_draw(Night *night);
uint32_t night_pick(Night *night, uint32_t n);

/* From a to b, each octave as likely. */
double night_draw_between(Night *night, double a, double b);

/* On standard error, if it is to tell. */
void night_tell(const Night *night, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The instance, from where activate() leaves it. */
void night_activate(Night *night);

/* Seconds of sound, looked at. */
void night_play(Night *night, double seconds);

/* Until the worker has nothing left to do, and the plugin was told. */
void night_settle(Night *night);

/* One thing that a player or a host does. */
void night_act(Night *night);

/* All controls to where they were at first, the shipped model, and no key held. */
void night_rest(Night *night);

/* Whether a texture, an answer and a transformed sound can still be heard, and whether the status
 * has nothing to complain about. */
void night_prove(Night *night, bool all);

#endif
