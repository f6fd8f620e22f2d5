/* The command built without MPI. */
#include "cli/ranks.h"

#include <stdlib.h>

/* Nothing is known of others, and so there is nothing to keep. */
struct Ranks {
    char unused;
};

/* What launchers tell a process of how many there are, and which it is: Open MPI's, MPICH's and its
 * kin, Slurm's. */
static const char *const LAUNCHERS[][2] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                                           {"PMI_SIZE", "PMI_RANK"},
                                           {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};

static long number_of(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

Ranks *ranks_join(Error *err)
{
    for (size_t i = 0; i < sizeof LAUNCHERS / sizeof LAUNCHERS[0]; i++) {
        const long size = number_of(LAUNCHERS[i][0]);
        if (size <= 1)
            continue;
        /* All train the same model into the same file otherwise. One of them says so. */
        if (number_of(LAUNCHERS[i][1]) == 0)
            error_set(err,
                      "%ld processes were started, and this brume was built without MPI: build it "
                      "with make MPI=1, or start one",
                      size);
        return NULL;
    }
    Ranks *ranks = calloc(1, sizeof *ranks);
    if (!ranks)
        error_set(err, "out of memory");
    return ranks;
}

const Team *ranks_team(const Ranks *ranks)
{
    (void)ranks;
    return NULL;
}

void ranks_begin(Ranks *ranks)
{
    (void)ranks;
}

bool ranks_speaks(const Ranks *ranks)
{
    (void)ranks;
    return true;
}

bool ranks_lost(const Ranks *ranks)
{
    (void)ranks;
    return false;
}

int ranks_leave(Ranks *ranks, int code)
{
    free(ranks);
    return code;
}
