/* Ctrl-C and its kin: noticed, so that a verb can take its half-written output away and leave. */
#ifndef BRUME_CLI_INTERRUPT_H
#define BRUME_CLI_INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>

/* From now on the first SIGINT, SIGTERM, SIGUSR1 or SIGHUP only sets what interrupt_requested
 * returns; the second of a kind kills. A file that outgrows its limit fails its write instead of
 * killing. Main thread, once, before others start. */
void interrupt_install(void);

/* True once a signal asked the command to stop. Long work asks this several times a second, then
 * discards its output and returns EXIT_FAILED. Any thread. */
bool interrupt_requested(void);

/* True once that signal was SIGTERM: who sends it may kill the command soon after. Any thread. */
bool interrupt_is_urgent(void);

/* The flag itself, for work that looks at one to be told when to give up. */
const atomic_bool *interrupt_flag(void);

#endif
