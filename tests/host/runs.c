/* usage: runs [SECONDS]: how long run() of 64 frames takes, playing a texture at a sound card's
 * pace, and beside it an empty loop of the same length at the same pace in the same run: what takes
 * the processor away from both is the machine's. Prints rows of a table in microseconds. */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "tests/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { RATE = 48000, BLOCK = 64, MOST = 600 * RATE / BLOCK };

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_row(const char *name, double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    const double shares[] = {0.5, 0.99, 0.999, 1.0};
    printf("| %s |", name);
    for (size_t i = 0; n > 0 && i < sizeof shares / sizeof *shares; i++)
        printf(" %.2f |", 1e6 * values[(size_t)(shares[i] * (double)(n - 1))]);
    printf("\n");
}

static long times_interrupted(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

/* Additions that depend on one another; returns how long they took. */
static double spin(size_t turns)
{
    const double begin = host_seconds();
    for (volatile size_t i = 0; i < turns;)
        i = i + 1;
    return host_seconds() - begin;
}

/* Turns that take `seconds`. */
static size_t turns_for(double seconds)
{
    const size_t many = 1000000;
    spin(many);
    return (size_t)((double)many * seconds / spin(many)) + 1;
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? atof(argv[1]) : 20;
    const size_t blocks = (size_t)(seconds * RATE / BLOCK);
    static double clock[MOST], alone[MOST], processor[MOST], empty[MOST];
    size_t undisturbed = 0;
    if (!(seconds > 0) || blocks > MOST) {
        fprintf(stderr, "usage: runs [SECONDS(..600)]\n");
        return 2;
    }
    Host *host = host_open(host_shipped_bundle(), RATE, (HostKind){0});
    host_activate(host);
    host_pace_begin(host);
    for (size_t i = 0; i < 2 * RATE / BLOCK; i++) {
        host_run_paced(host, BLOCK);
        clock[i] = host_took(host).seconds;
    }
    qsort(clock, 2 * RATE / BLOCK, sizeof *clock, compare);
    const size_t turns = turns_for(clock[RATE / BLOCK]);
    for (size_t i = 0; i < blocks; i++) {
        const long before = times_interrupted();
        host_run_paced(host, BLOCK);
        clock[i] = host_took(host).seconds;
        processor[i] = host_took(host).processor;
        if (times_interrupted() == before)
            alone[undisturbed++] = clock[i];
        host_pace_wait(host, 0.5 * BLOCK / RATE);
        empty[i] = spin(turns);
    }
    printf("| 64 frames, %.0f s | median: us | p99 | p99.9 | longest |\n|---|---|---|---|---|\n",
           seconds);
    print_row("run(), by the clock", clock, blocks);
    print_row("... where the thread was not taken off the processor", alone, undisturbed);
    print_row("... of the processor", processor, blocks);
    print_row("an empty loop as long", empty, blocks);
    host_close(host);
    return 0;
}
