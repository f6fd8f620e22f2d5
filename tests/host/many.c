/* usage: many INSTANCES SECONDS [answer]: that many instances with the shipped models, each with
 * its own seed, at 48 kHz in blocks of 64 at a sound card's pace, one after another on one thread
 * as in a host. With "answer" they hear a tune of six seconds every twenty, and carry it on. Prints
 * how often each ran out of sound, and a row of a table: underruns of all, and what they cost. No
 * test: it takes as long as it is told, and is measured on a machine that does nothing else. */
#include "tests/host/host.h"
#include "tests/host/tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RATE = TUNE_RATE, BLOCK = 64, MOST = 16, PERIOD = 20 * RATE };

/* The block of the tune, or of the silence after it, that begins at `frame`. */
static void hear(Host *host, size_t frame)
{
    float *left = host_in(host, 0), *right = host_in(host, 1);
    for (size_t i = 0; i < BLOCK; i++) {
        const size_t at = (frame + i) % PERIOD;
        left[i] = right[i] = at < TUNE_FRAMES ? tune_frame(at) : 0.0F;
    }
}

/* Of the whole process: generators, this thread, workers. */
static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    const int count = argc > 1 ? atoi(argv[1]) : 4;
    const double seconds = argc > 2 ? atof(argv[2]) : 120;
    const bool answer = argc > 3 && !strcmp(argv[3], "answer");
    size_t sounding = 0, frame = 0;
    Host *hosts[MOST];
    if (count < 1 || count > MOST || !(seconds > 0)) {
        fprintf(stderr, "usage: many INSTANCES(1..%d) SECONDS [answer]\n", MOST);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        hosts[i] = host_open(host_shipped_bundle(), RATE, (HostKind){0});
        host_set(hosts[i], "seed", (float)i);
        host_set(hosts[i], "mode", answer);
        host_set(hosts[i], "dry", -90);
        host_activate(hosts[i]);
    }
    host_pace_begin(hosts[0]);
    const double begin = host_seconds(), before = processor_seconds();
    for (double done = 0; done < seconds; done += (double)BLOCK / RATE) {
        for (int i = 0; answer && i < count; i++)
            hear(hosts[i], frame);
        for (int i = 1; i < count; i++)
            host_run(hosts[i], BLOCK);
        host_run_paced(hosts[0], BLOCK);
        sounding += host_out(hosts[0], 0)[BLOCK / 2] != 0;
        frame += BLOCK;
    }
    const double used = processor_seconds() - before, took = host_seconds() - begin;
    printf("instance 0 sounds for %.0f %% of the time\n",
           100.0 * (double)sounding * BLOCK / (double)frame);
    int dry = 0;
    double load = 0;
    for (int i = 0; i < count; i++) {
        const int underruns = (int)host_get(hosts[i], "underruns");
        printf("instance %d: %d underruns, load %.3f of a core, %.2f s of sound ready\n", i,
               underruns, (double)host_get(hosts[i], "load"),
               (double)host_get(hosts[i], "buffered"));
        dry += underruns;
        load += (double)host_get(hosts[i], "load") / count;
        host_close(hosts[i]);
    }
    printf("| instances | seconds | underruns | mean share of a core | of a core in all |\n"
           "|---|---|---|---|---|\n| %d | %.0f | %d | %.3f | %.2f |\n",
           count, seconds, dry, load, used / took);
    return dry > 0;
}
