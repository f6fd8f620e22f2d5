/* One instance of the plugin, for the files of the LV2 shell. Which thread may touch what:
 *
 * - run(): all but what is kept under `lock`; posts to the worker.
 * - worker, restore, save: `bundle`, `map`, `logger`, `uris`; `kept`, `known` and `place` under
 * `lock`; atomics; they put a verdict into a slot's `incoming`, which run() takes out.
 * - activate, deactivate, instantiate, cleanup: everything; nothing else of the instance runs then.
 */
#ifndef BRUME_PLUGIN_INSTANCE_H
#define BRUME_PLUGIN_INSTANCE_H

#include "plugin/choice.h"
#include "plugin/delay.h"
#include "plugin/generator.h"
#include "plugin/listener.h"
#include "plugin/ports.h"
#include "plugin/ramp.h"
#include "plugin/status.h"
#include "plugin/transport.h"
#include "plugin/uris.h"
#include "plugin/voice.h"

#include <lv2/atom/forge.h>
#include <lv2/log/logger.h>
#include <lv2/worker/worker.h>

#include <pthread.h>
#include <stdatomic.h>

/* Longest piece that run() works on at once; blocks of any size are cut into pieces. */
#define BRUME_PIECE 1024

/* Where in a sound a session was saved (plugin/generator_keep.c): bytes, or NULL. */
typedef struct Place {
    void *bytes;
    size_t size;
} Place;

/* The model of one kind on its way to the generator. */
typedef struct Slot {
    Verdict *playing; /* what is in force; its `model` may be NULL */
    Verdict *waiting; /* whose model waits to be taken by the generator */
    _Atomic(Verdict *) incoming;
    bool wanted; /* the player is to be told its path */
} Slot;

/* A level's knob, and the gain that it stands for. */
typedef struct Level {
    float db, gain;
} Level;

typedef enum { MODE_TEXTURE, MODE_CONTINUE, MODE_TRANSFORM } Mode;
typedef enum { ANSWER_ON_REQUEST, ANSWER_TO_SILENCE, ANSWER_ALWAYS } AnswerWhen;

/* Mode 1 (plugin/dialogue.h). */
typedef struct Dialogue {
    enum { DIALOGUE_LISTENS, DIALOGUE_ANSWERS, DIALOGUE_YIELDS } state;
    Listener listener;
    ListenerEvent event; /* at the last frame listened to */
    uint64_t heard;      /* frames since the last answer was asked for or gave way */
    Ramp part;           /* level of the generator's sound */
} Dialogue;

typedef struct Brume {
    /* Set when instantiated. */
    double rate;
    char *bundle;
    Uris uris;
    LV2_Log_Logger logger;
    const LV2_Worker_Schedule *schedule; /* NULL: the host has no worker */
    uint32_t promised;                   /* longest block, if the host says; else 0 */

    /* Ports. */
    void *ports[PORT_COUNT];

    /* Sound. */
    Generator *generator; /* NULL: only the input passes */
    Delay *delay;         /* of the input that passes */
    Slot slots[SHARED_KINDS];
    Verdict *spent;     /* to be freed by the worker */
    char *usual_melody; /* path of the default melody model, or NULL */
    bool active;

    /* What the player wants now. */
    Mode mode; /* in force */
    Dialogue dialogue;
    GeneratorAnswer answer; /* how it stood at the last block */
    bool silent_start;      /* nothing sounds that would have to fade out first */
    TextureSettings settings;
    float strength;
    ClassPin pins[CLASS_KNOBS];
    Voice voice;
    Transport transport;
    Sync sync;
    bool go;             /* the trigger's last value */
    bool start_pending;  /* waits for the beat or bar ... */
    bool start_asked;    /* ... and the generator knows */
    bool hush;           /* nothing shall sound before the restart does */
    uint32_t start_wait; /* frames that the restart has to wait */
    bool restart;        /* the texture starts over with the next frame */
    bool freewheel;      /* the host exports */
    bool again;          /* an export starts with the next frame */
    bool fresh;          /* gains jump to where they belong */
    Ramp dry, wet, enabled;
    Level dry_level, wet_level;
    uint64_t underruns;

    /* What the player is told. */
    LV2_Atom_Forge forge;
    Status status;

    /* What a session stores: the worker's, save's and restore's; never run()'s. */
    pthread_mutex_t lock;
    Choice kept[SHARED_KINDS];
    SharedModel *known; /* the texture model that was found, or NULL */
    Place place;        /* that a session was restored to, until something was heard */

    /* From run() to save(). */
    _Atomic(const SharedModel *) classes_of;
    _Atomic uint32_t classes; /* each knob's number and class, 8 bits each, `texture` below */
    atomic_bool lasting;      /* what sounds can be gone on with in another session */
    atomic_bool sounded;      /* ... something, since activate() */

    float scratch[4][BRUME_PIECE];
} Brume;

/* The texture model that plays, or NULL. Audio thread. */
static inline const SharedModel *brume_model(const Brume *self)
{
    const Verdict *playing = self->slots[SHARED_TEXTURE].playing;
    return playing ? playing->model : NULL;
}

/* Path of the model of that kind that plays or answers, or NULL. Audio thread. */
static inline const char *brume_model_path(const Brume *self, SharedKind kind)
{
    const Verdict *playing = self->slots[kind].playing;
    if (playing && playing->model)
        return shared_model_path(playing->model);
    return kind == SHARED_MELODY ? self->usual_melody : NULL;
}

/* Frames by which all that passes is late: constant in a mode, for a model. Audio thread. */
static inline uint64_t brume_latency(const Brume *self)
{
    const SharedModel *model = brume_model(self);
    return self->mode == MODE_TRANSFORM && self->generator && model
               ? generator_latency(model, self->rate)
               : 0;
}

#endif
