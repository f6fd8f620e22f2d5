/* The processes that mpirun started together to train one model, as a Team. What follows is there
 * twice: cli/ranks/mpi.c, which `make MPI=1` links into the command, and cli/ranks/alone.c. */
#ifndef BRUME_CLI_RANKS_H
#define BRUME_CLI_RANKS_H

#include "models/team.h"

typedef struct Ranks Ranks;

/* Finds out who else was started. All but the first say nothing from here on, neither on standard
 * output nor, until ranks_begin, on standard error: they would say what the first one says. NULL
 * with a message, which is empty where another process has it. Once, main thread. */
Ranks *ranks_join(Error *err);

/* NULL for a process on its own. It lives with `ranks`. Its functions give up, with a message, when
 * the others do not answer any more after a SIGTERM (cli/interrupt.h). */
const Team *ranks_team(const Ranks *ranks);

/* Standard error is everybody's again: what goes wrong from here on is each one's own. */
void ranks_begin(Ranks *ranks);

/* Whether this process is the one to say that all have failed: the first; and the second when
 * others are lost, since the first may be one of them. */
bool ranks_speaks(const Ranks *ranks);

/* Whether a process is lost, so that the team's functions must not be called any more. */
bool ranks_lost(const Ranks *ranks);

/* Ends what ranks_join began, and frees `ranks`. Returns the code that this process exits with:
 * that of the first one is `code`. When a process is lost it ends all, and does not return. */
int ranks_leave(Ranks *ranks, int code);

#endif
