/* One line on standard error that says how far a verb is and how long it still takes. */
#ifndef BRUME_CLI_PROGRESS_H
#define BRUME_CLI_PROGRESS_H

#include <stdbool.h>
#include <time.h>

/* A progress line. The caller owns it; one thread. */
typedef struct Progress {
    bool shown;              /* standard error is a terminal, and nobody asked for silence */
    bool drawn;              /* a line stands there now */
    double first;            /* the share that was done before the clock started; 0 */
    struct timespec started; /* for the time left */
    struct timespec updated; /* for the ten updates a second */
} Progress;

/* Starts the clock. Silent if `quiet`, or where standard error is no terminal. */
void progress_begin(Progress *progress, bool quiet);

/* Draws "42 %  text  1:05 left"; `share` is the part done, 0..1. Cheap: it may be called far more
 * often than the ten times a second at which it draws. */
void progress_update(Progress *progress, double share, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Clears the line. Call it before anything else is printed; more than once is harmless. */
void progress_end(Progress *progress);

#endif
