/* The command built with MPI. */
#include "cli/ranks.h"

#include "cli/interrupt.h"
#include "cli/train.h"

#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Seconds that a process waits for the others once mpirun has told it to end, by its number: the
 * first one, or else the second, has to say how to go on within the second that is left then. */
static const double PATIENCE[] = {0.3, 0.6, 10.0};

struct Ranks {
    Team team;
    char place[MPI_MAX_PROCESSOR_NAME];
    int heard; /* standard error as it was, or -1 */
    bool lost;
};

static int lose(Ranks *ranks, Error *err)
{
    ranks->lost = true;
    return error_set(err, "the other processes do not answer any more");
}

/* Waits for `request`; `code` says how it began. A process that is gone is not noticed here but by
 * mpirun, which then asks all others to stop. */
static int await(Ranks *ranks, int code, MPI_Request *request, Error *err)
{
    const double patience = PATIENCE[ranks->team.rank < 2 ? ranks->team.rank : 2];
    double asked = 0.0;
    int done = 0;
    while (code == MPI_SUCCESS && !done) {
        code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (!done && interrupt_is_urgent()) {
            const double now = train_now();
            asked = asked > 0.0 ? asked : now;
            if (now - asked > patience)
                return lose(ranks, err);
        }
        if (!done)
            sched_yield();
    }
    return code == MPI_SUCCESS ? 0 : lose(ranks, err);
}

/* Counts are int in MPI: the largest network has a tenth of as many parameters. */
static int sum(void *link, real *values, size_t n, Error *err)
{
    MPI_Request request;
    const int code =
        MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &request);
    return await(link, code, &request, err);
}

static int total(void *link, double *numbers, size_t n, Error *err)
{
    MPI_Request request;
    const int code = MPI_Iallreduce(MPI_IN_PLACE, numbers, (int)n, MPI_DOUBLE, MPI_SUM,
                                    MPI_COMM_WORLD, &request);
    return await(link, code, &request, err);
}

static int share(void *link, size_t from, void *bytes, size_t n, Error *err)
{
    MPI_Request request;
    const int code = MPI_Ibcast(bytes, (int)n, MPI_BYTE, (int)from, MPI_COMM_WORLD, &request);
    return await(link, code, &request, err);
}

/* Sends what is printed to nowhere, but for standard error, which is kept to be heard later. */
static void hush(Ranks *ranks)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ranks->heard = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (nowhere < 0)
        return;
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
}

Ranks *ranks_join(Error *err)
{
    Ranks *ranks = calloc(1, sizeof *ranks);
    int rank = 0, size = 1, length = 0;
    if (!ranks || MPI_Init(NULL, NULL) != MPI_SUCCESS) {
        free(ranks);
        error_set(err, "MPI cannot be started: see what it says");
        return NULL;
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Get_processor_name(ranks->place, &length);
    ranks->heard = -1;
    ranks->team = (Team){.rank = (size_t)rank,
                         .size = (size_t)size,
                         .place = ranks->place,
                         .link = ranks,
                         .sum = sum,
                         .total = total,
                         .share = share};
    if (rank)
        hush(ranks);
    return ranks;
}

const Team *ranks_team(const Ranks *ranks)
{
    return ranks->team.size > 1 ? &ranks->team : NULL;
}

void ranks_begin(Ranks *ranks)
{
    if (ranks->heard < 0)
        return;
    dup2(ranks->heard, STDERR_FILENO);
    close(ranks->heard);
    ranks->heard = -1;
}

bool ranks_speaks(const Ranks *ranks)
{
    return ranks->team.rank == 0 || (ranks->team.rank == 1 && ranks->lost);
}

bool ranks_lost(const Ranks *ranks)
{
    return ranks->lost;
}

int ranks_leave(Ranks *ranks, int code)
{
    const bool first = ranks->team.rank == 0;
    fflush(NULL);
    if (ranks->lost)
        MPI_Abort(MPI_COMM_WORLD, code);
    MPI_Finalize();
    if (ranks->heard >= 0)
        close(ranks->heard);
    free(ranks);
    return first ? code : 0;
}
