/* The generator's inside: what its two sides share. generator.c is the generator's thread,
 * generator_answer.c and generator_transform.c those parts of it which answer and transform;
 * generator_reader.c is the audio thread, generator_keep.c what sessions keep. */
#ifndef BRUME_PLUGIN_GENERATOR_PARTS_H
#define BRUME_PLUGIN_GENERATOR_PARTS_H

#include "models/playback.h"
#include "models/recital.h"
#include "models/transform_playback.h"
#include "plugin/commands.h"
#include "plugin/generator.h"
#include "plugin/hearing.h"
#include "plugin/lanes.h"

#include <pthread.h>

/* What the thread is asked to do next. A model is taken over whatever else is asked. */
typedef struct Request {
    bool there;
    Command command;
    SharedModel *model;
} Request;

/* The answer that a session was saved in, until the thread has made it again. */
typedef struct Revival {
    bool there;
    ContinuationSettings settings;
    float *prompt; /* (n,) */
    size_t n;
    uint64_t position; /* of its frame that is heard next ... */
    uint32_t wait;     /* ... after so many others */
} Revival;

/* Where the sound comes from. */
typedef enum Source { SOURCE_TEXTURE, SOURCE_ANSWER, SOURCE_TRANSFORM } Source;

struct Generator {
    double rate;
    Lanes *lanes;
    Hearing *hearing;
    Commands commands;

    /* The thread's own while it runs. */
    SharedModel *model;
    Playback *playback;           /* NULL while there is no model */
    char *melody_path;            /* of the default one; NULL: none */
    SharedModel *melody;          /* for answers to come; the default one: NULL until it listens */
    SharedModel *reciting;        /* the recital's; NULL while nothing is answered */
    Recital *recital;             /* NULL while nothing is answered */
    TransformPlayback *transform; /* NULL while nothing is transformed */
    uint64_t lead, silent;        /* frames of silence before; those that it was given */
    uint64_t origin;              /* the input's frame that was its first after that */
    uint64_t fed;                 /* ... and the one that it is given next */
    uint64_t begins;              /* frame that its sound begins at */
    Source source;
    TextureSettings settings;
    float strength;
    Request request;
    Revival revival;
    bool melody_chosen;  /* the melody model is not the default one */
    bool resumed;        /* the playback stands where a session was saved */
    bool broken;         /* the sound after what was written is lost: it must be made again */
    double redo_seconds; /* how long making the sound again takes, on average */
    double obeyed;       /* when something was last asked */

    /* The audio thread's own. */
    TextureSettings wanted; /* settings last posted */
    float wanted_strength;
    Command late; /* one that found no room, `is_late` */
    bool is_late, waiting;
    bool listens;     /* as of the last command: it listens */
    bool asked;       /* ... and an answer was asked for */
    bool transforms;  /* as of the last command: it transforms */
    uint64_t since;   /* the first frame heard that counts */
    uint64_t first;   /* waiting reader: the first frame heard since it waits */
    uint64_t rest;    /* waiting reader: frames before the answer ... */
    Command answer;   /* ... which is then asked for, if it is one */
    uint64_t serial;  /* of the last command */
    uint64_t awaited; /* while waiting: serial of the command to be heard from this frame on */

    pthread_mutex_t busy; /* held by the thread in each of its rounds, and by a visitor */
    pthread_t thread;
    bool started;
    atomic_bool quit, cancel, filling;
    atomic_bool mute;      /* there is nothing to play */
    atomic_bool unhurried; /* the reader waits: nothing that came in is passed over */
    /* serial of the last command that was answered, with an offer or not */
    _Atomic uint64_t settled;
    _Atomic int visitors; /* who wait for `busy` */
    _Atomic int said;     /* GeneratorAnswer: what became of what was last asked for */
    _Atomic float load;
};

/* Of a clock, in seconds. */
double generator_seconds(clockid_t clock);

void generator_sleep(long nanoseconds);

/* Takes over what was posted, as one request. The thread, or whoever knows that it does not run. */
void generator_take_commands(Generator *generator);

/* The default melody model, if no other was chosen and it was not opened yet: ahead of the first
 * answer that needs it. Where it cannot be opened, there is none. */
void generator_open_melody(Generator *generator);

/* From now on this melody model answers, of which the reference is taken over; NULL: the default
 * one. */
void generator_put_melody(Generator *generator, SharedModel *model);

/* From now on sound comes from `source`: of an answer from `recital` (of the melody model), of what
 * is transformed from `transform`, both of which are taken over and may be NULL. */
void generator_change_source(Generator *generator, Source source, Recital *recital,
                             TransformPlayback *transform);

/* Fills the lane begun as far as it must be to be offered. -1 when cancelled. */
int generator_write_least(Generator *generator);

/* Whether what failed was cancelled by a command that is done already, and may be tried again: the
 * audio thread looks at what this one does, and cancels it a moment later. */
bool generator_forgive(Generator *generator);

/* Does a COMMAND_ANSWER: carries on what was heard; if that can't be done, says why, and there is
 * silence. -1 when cancelled. */
int generator_answer_heard(Generator *generator, const Command *command);

/* From now on an answer sounds, whose next frame is number `position`; or, where there is none,
 * silence, and the status says why. Takes the recital over. -1 when cancelled. */
int generator_offer_answer(Generator *generator, Recital *recital, uint64_t position,
                           uint64_t serial);

/* Does a COMMAND_RESUME of an answer (generator_keep.c); -1 when cancelled. At the start, before
 * that, the thread and the reader are made ready for a COMMAND_RESUME of either kind. */
int reviving_begin(Generator *generator, const Command *command);
void reviving_await(Generator *generator);
void reviving_clear(Generator *generator);

/* The thread's part in what is transformed (generator_transform.c): */

/* Does a COMMAND_TRANSFORM, a COMMAND_SWAP, a COMMAND_SET meanwhile. -1 when cancelled. */
int transforming_begin(Generator *generator, const Command *command);
int transforming_swap(Generator *generator, const Command *command);
void transforming_set(Generator *generator, const Command *command);

/* One piece of what was heard, or of what was made of it; true if there was something to do. */
bool transforming_work(Generator *generator);

#endif
