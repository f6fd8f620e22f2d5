#include "tests/bench/bench.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(void);
} tables[] = {
    {"machine", bench_machine}, {"training", bench_training}, {"forward", bench_forward},
    {"render", bench_render},   {"threads", bench_threads},
};

int main(int argc, char **argv)
{
    const size_t count = sizeof tables / sizeof *tables;
    for (size_t i = 0; argc == 2 && i < count; i++)
        if (!strcmp(argv[1], tables[i].name)) {
            tables[i].run();
            return fflush(stdout) != 0;
        }
    if (argc == 4 && !strcmp(argv[1], "step")) {
        bench_step(argv[2], argv[3]);
        return 0;
    }
    const bool trains = argc == 3 && !strcmp(argv[1], "train");
    if (trains || (argc == 3 && !strcmp(argv[1], "play"))) {
        bench_worker(argv[2], trains);
        return fflush(stdout) != 0;
    }
    fprintf(
        stderr,
        "usage: bench machine|training|forward|render|threads, bench play|train MODEL, or bench "
        "step MODEL FOLDER\n");
    return 2;
}
