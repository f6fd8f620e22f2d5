#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* The one global that is written: a signal handler has nowhere else to put its news. */
static volatile sig_atomic_t requested;

static void note(int signal_number)
{
    (void)signal_number;
    requested = 1;
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
    return requested != 0;
}
