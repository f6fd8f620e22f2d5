/* Processes that train one model together: each takes its part of every batch, the gradients are
 * summed over all, and each makes the same update of its own copy of the weights. How numbers get
 * from one process to another (MPI, say) is left to whoever fills in a Team.
 *
 * Team * is NULL for a process that trains alone: the functions below then do nothing. All
 * processes of a team call the same of them in the same order, one thread of each. After one has
 * failed because a process is lost, no other may be called. */
#ifndef BRUME_MODELS_TEAM_H
#define BRUME_MODELS_TEAM_H

#include "dsp/error.h"
#include "models/real.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Team {
    size_t rank, size; /* which process this is, 0..size-1, and how many there are */
    const char *place; /* the machine that this process runs on, for messages */
    void *link;        /* given to each of the following */

    /* Sums arrays over all processes, in place. All get the same bits, and the same processes get
     * the same bits again. -1 with a message when a process is lost. */
    int (*sum)(void *link, real *values, size_t n, Error *err);
    int (*total)(void *link, double *numbers, size_t n, Error *err);

    /* Gives all processes the bytes that process `from` has. -1 as above. */
    int (*share)(void *link, size_t from, void *bytes, size_t n, Error *err);
} Team;

/* Whether this process is alone or the one that reads and writes files and speaks for all. */
bool team_is_first(const Team *team);

/* How many processes there are: 1 without a team. */
size_t team_size(const Team *team);

int team_sum(const Team *team, real *values, size_t n, Error *err);
int team_total(const Team *team, double *numbers, size_t n, Error *err);
int team_share(const Team *team, size_t from, void *bytes, size_t n, Error *err);

/* 0 if no process has failed. Otherwise -1 on all of them, with the message of the first that has:
 * `failed` says whether this one has, with its message in `err`. */
int team_agree(const Team *team, int failed, Error *err);

/* A run of things that are taken in order. */
typedef struct TeamShare {
    size_t first, count;
} TeamShare;

/* Of `of` things that all processes split among themselves, each into `parts`: what part `part`
 * (0..parts-1) of this process is, as equal as can be. */
TeamShare team_share_of(const Team *team, size_t of, size_t part, size_t parts);

#endif
