/* Commands from the audio thread to the generator: a short queue, one producer, one consumer, never
 * waiting. */
#ifndef BRUME_PLUGIN_COMMANDS_H
#define BRUME_PLUGIN_COMMANDS_H

#include "models/continuation.h"
#include "models/texture_settings.h"
#include "plugin/shared_model.h"

#include <stdatomic.h>
#include <stdbool.h>

#define COMMANDS_ROOM 32

typedef enum {
    COMMAND_SET,       /* other settings for the same texture */
    COMMAND_SWAP,      /* another model; a texture that plays starts over */
    COMMAND_RESTART,   /* a new texture */
    COMMAND_LISTEN,    /* no texture; what is answered ends */
    COMMAND_ANSWER,    /* the melody that was heard is carried on */
    COMMAND_TRANSFORM, /* what is heard from now on is transformed */
    COMMAND_RESUME,    /* the answer that a session was saved in goes on; the thread's own */
    COMMAND_MELODY     /* another melody model, for the answers to come; never merged */
} CommandKind;

typedef struct Command {
    CommandKind kind;
    bool hard;       /* a new stream is to begin without a crossfade */
    uint64_t serial; /* rises from command to command, from 1 */
    TextureSettings settings;
    /* Of COMMAND_SWAP and COMMAND_MELODY (NULL: the default one): a reference that goes over. */
    SharedModel *model;
    float strength; /* of what is transformed */
    uint64_t from;  /* of COMMAND_SET: frame to begin at (of the input, where that is transformed),
                     * or COMMAND_SOON */
    uint64_t since; /* the first frame heard that counts, for an answer or to be transformed */
    /* Of COMMAND_ANSWER: the frame heard after the prompt. Of COMMAND_TRANSFORM: the frame that
     * sound is to begin at, with what was heard as long before as it is late; 0: what is heard from
     * `since` on, so much later. */
    uint64_t end;
    ContinuationSettings melody; /* of COMMAND_ANSWER */
} Command;

#define COMMAND_SOON UINT64_MAX

/* Zero-initialised it is empty. `head` is the consumer's, `tail` the producer's; each is stored
 * with release after the slot was read or filled, and loaded with acquire by the other. */
typedef struct Commands {
    Command slots[COMMANDS_ROOM];
    _Atomic unsigned head, tail;
} Commands;

/* Producer. False if there is no room. */
bool commands_post(Commands *commands, const Command *command);

/* `before` with `later` on top, as one command: settings and models do not undo what was asked
 * for, and what is to begin hard does so whatever comes then. The model is `later`'s. */
void commands_merge(Command *before, const Command *later);

/* Consumer. False if there is none. */
bool commands_take(Commands *commands, Command *command);

#endif
