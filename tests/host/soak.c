/* usage: soak [--hours H] [--minutes M] [--seed N] [--tell] [--tiny]: a long night of H hours of
 * sound freewheeling (8), then one of M minutes in real time (30), both with the shipped models;
 * tables of what was done and of what must be 0. Exits 0 if it is. --tell says what is done. The
 * seed, which is drawn from the clock if none is given, draws the same acts again. --tiny takes the
 * tests' tiny model, for sanitizers. */
#include "tests/host/host.h"
#include "tests/host/night.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Options {
    double hours, minutes;
    uint64_t seed;
    bool tells, tiny;
} Options;

static int usage(void)
{
    fprintf(stderr, "usage: soak [--hours H] [--minutes M] [--seed N] [--tell] [--tiny]\n");
    return 2;
}

static bool read_options(Options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--tell") || !strcmp(argv[i], "--tiny")) {
            *(argv[i][3] == 'e' ? &options->tells : &options->tiny) = true;
            continue;
        }
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        char *end = NULL;
        if (!strcmp(argv[i], "--hours"))
            options->hours = strtod(value, &end);
        else if (!strcmp(argv[i], "--minutes"))
            options->minutes = strtod(value, &end);
        else if (!strcmp(argv[i], "--seed"))
            options->seed = strtoull(value, &end, 10);
        if (!end || end == value || *end)
            return false;
        i++;
    }
    return options->hours >= 0 && options->minutes >= 0;
}

/* True if all went well. */
static bool sit_up(const NightPlan *plan)
{
    NightReport report;
    if (!(plan->seconds > 0))
        return true;
    night_run(plan, &report);
    night_print(plan, &report);
    fflush(stdout);
    return night_is_quiet(&report, true);
}

int main(int argc, char **argv)
{
    Options options = {8, 30, (uint64_t)(1e3 * host_seconds()) % 1000000, false, false};
    if (!read_options(&options, argc, argv))
        return usage();
    fprintf(stderr, "soak: seed %" PRIu64 "\n", options.seed);
    const NightPlan sped = {.seed = options.seed,
                            .seconds = 3600 * options.hours,
                            .life = 3600,
                            .tells = options.tells,
                            .tiny = options.tiny};
    const NightPlan paced = {.seed = options.seed,
                             .seconds = 60 * options.minutes,
                             .life = 300,
                             .paced = true,
                             .tells = options.tells,
                             .tiny = options.tiny};
    const bool quiet = sit_up(&sped);
    return sit_up(&paced) && quiet ? 0 : 1;
}
