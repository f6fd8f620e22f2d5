/* Which model a player or a session asks for, and what comes of it. Everything here opens and reads
 * files: never on the audio thread. */
#ifndef BRUME_PLUGIN_CHOICE_H
#define BRUME_PLUGIN_CHOICE_H

#include "plugin/shared_model.h"
#include "plugin/status.h"

#include <stdbool.h>
#include <stdint.h>

#define CHOICE_PATH  4096
#define CHOICE_NAME  256
#define CHOICE_HASH  65
#define CHOICE_CLASS (TEXTURE_CLASS_ROOM + 8)

/* The newest version of what a session stores (plugin/state.c): 3 names a melody model. */
#define CHOICE_VERSION 3

/* What a knob that chooses a class stands for while it stays where a session left it, in a model
 * whose classes are ordered otherwise than they were then. */
enum { CLASS_KNOBS = 2 };
typedef struct ClassPin {
    bool there;
    bool seen;     /* the knob stood there */
    size_t number; /* of the knob */
    size_t class_; /* the model's */
} ClassPin;

/* A model that is asked for; what is not known is empty. `path` is the last member, so that a
 * message may end with it. */
typedef struct Choice {
    SharedKind kind;
    bool session;    /* a session asks, not the player */
    int32_t version; /* of what the session stores; 0 = it does not say */
    char hash[CHOICE_HASH];
    /* Of the knobs `texture` and `morph_to`: number, space, and the name of the class that it stood
     * for, as "11 rain". Of a texture model. */
    char classes[CLASS_KNOBS][CHOICE_CLASS];
    char name[CHOICE_NAME]; /* as in models/catalogue.h */
    char path[CHOICE_PATH]; /* empty: the model is known by its name alone, or the default one */
} Choice;

/* What came of it: to run(), and back to be freed. */
typedef struct Verdict {
    SharedKind kind;
    SharedModel *model; /* to be played; NULL: go on as before, but for ... */
    bool usual;         /* ... the default melody model, which is opened when it is needed */
    ClassPin pins[CLASS_KNOBS];
    SharedModel *gift; /* another reference to it, for the generator; NULL once it is given */
    char status[STATUS_MODEL_ROOM];
    size_t named;         /* of status: up to the texture model's name; 0: it does not name one */
    struct Verdict *next; /* run() keeps those that are to be freed in a list */
} Verdict;

/* Looks for what is asked for, in the catalogue too; `bundle` is the plugin's folder. `choice`
 * becomes what a session should store from now on: the model found, or, where a session's is
 * missing and the default one plays, still that one; for the default melody model, nothing. A
 * player's request that is refused leaves it alone and gives a verdict without a model, as does any
 * if not even the default texture model is there: *refused says so. NULL out of memory. */
Verdict *choice_judge(Choice *choice, const char *bundle, bool *refused);

/* Path of the default melody model, from the catalogue, into path (CHOICE_PATH,). -1 with a message
 * when there is none. */
int choice_melody(const char *bundle, char *path, Error *err);

/* With all references that it holds. NULL is allowed. */
void verdict_destroy(Verdict *verdict);

#endif
