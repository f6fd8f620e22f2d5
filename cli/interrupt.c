#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* The globals that are written: a signal handler has nowhere else to put its news. */
static atomic_bool requested, urgent;
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler may write it");

static void note(int signal_number)
{
    atomic_store(&requested, true);
    if (signal_number == SIGTERM)
        atomic_store(&urgent, true);
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* What mpirun and batch systems pass on to all processes without killing them soon after. */
    sigaction(SIGUSR1, &action, NULL);
    struct sigaction hangup;
    /* nohup has SIGHUP ignored on purpose. */
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
}

bool interrupt_requested(void)
{
    return atomic_load(&requested);
}

bool interrupt_is_urgent(void)
{
    return atomic_load(&urgent);
}

const atomic_bool *interrupt_flag(void)
{
    return &requested;
}
