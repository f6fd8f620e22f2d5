/* usage: many INSTANCES SECONDS: that many instances with the shipped model, each with its own
 * seed, at 48 kHz in blocks of 64 at a sound card's pace, one after another on one thread as in a
 * host. Prints how often each ran out of sound. No test: it takes as long as it is told, and is
 * measured on a machine that does nothing else. */
#include "tests/host/host.h"

#include <stdio.h>
#include <stdlib.h>

enum { RATE = 48000, BLOCK = 64, MOST = 16 };

int main(int argc, char **argv)
{
    const int count = argc > 1 ? atoi(argv[1]) : 4;
    const double seconds = argc > 2 ? atof(argv[2]) : 120;
    Host *hosts[MOST];
    if (count < 1 || count > MOST || !(seconds > 0)) {
        fprintf(stderr, "usage: many INSTANCES(1..%d) SECONDS\n", MOST);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        hosts[i] = host_open(host_shipped_bundle(), RATE, (HostKind){0});
        host_set(hosts[i], "seed", (float)i);
        host_activate(hosts[i]);
    }
    host_pace_begin(hosts[0]);
    for (double done = 0; done < seconds; done += (double)BLOCK / RATE) {
        for (int i = 1; i < count; i++)
            host_run(hosts[i], BLOCK);
        host_run_paced(hosts[0], BLOCK);
    }
    int dry = 0;
    for (int i = 0; i < count; i++) {
        const int underruns = (int)host_get(hosts[i], "underruns");
        printf("instance %d: %d underruns, load %.3f of a core, %.2f s of sound ready\n", i,
               underruns, (double)host_get(hosts[i], "load"),
               (double)host_get(hosts[i], "buffered"));
        dry += underruns;
        host_close(hosts[i]);
    }
    return dry > 0;
}
