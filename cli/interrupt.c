#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* The one global that is written: a signal handler has nowhere else to put its news. */
static atomic_bool requested;
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a signal handler may write it");

static void note(int signal_number)
{
    (void)signal_number;
    atomic_store(&requested, true);
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
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

const atomic_bool *interrupt_flag(void)
{
    return &requested;
}
