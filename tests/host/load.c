/* usage: load [TIMES]: how long a host waits for the plugin: dlopen, lv2_descriptor, instantiate of
 * the shipped bundle, each time in a fresh process, with its files in the page cache and without.
 * Prints rows of a table: medians in milliseconds. */
#include "tests/host/host.h"

#include <lv2/core/lv2.h>
#include <lv2/options/options.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 999, URIDS = 256 };

/* Milliseconds. */
typedef struct Times {
    double open, instantiate, all, processor;
} Times;

static void give_up(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    static char *known[URIDS];
    LV2_URID i = 0;
    (void)handle;
    while (i < URIDS && known[i] && strcmp(known[i], uri))
        i++;
    if (i == URIDS)
        give_up("too many URIs");
    if (!known[i])
        known[i] = strdup(uri);
    return i + 1;
}

/* Fills the features that the plugin would miss, and says so; none of them is used here. */
static LV2_Worker_Status no_work(LV2_Worker_Schedule_Handle handle, uint32_t size, const void *data)
{
    (void)handle;
    (void)size;
    (void)data;
    return LV2_WORKER_ERR_UNKNOWN;
}

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* In a process of its own, whose end is not waited for: it writes what it measured to `to`. */
static void measure(const char *library, const char *bundle, int to)
{
    LV2_URID_Map map = {NULL, map_uri};
    LV2_Worker_Schedule schedule = {NULL, no_work};
    LV2_Options_Option options[] = {{0}};
    const LV2_Feature all[] = {
        {LV2_URID__map, &map}, {LV2_WORKER__schedule, &schedule}, {LV2_OPTIONS__options, options}};
    const LV2_Feature *features[] = {&all[0], &all[1], &all[2], NULL};
    const double start = host_seconds(), used = processor_seconds();
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        give_up(dlerror());
    LV2_Descriptor_Function find;
    void *symbol = dlsym(handle, "lv2_descriptor");
    memcpy(&find, &symbol, sizeof find);
    const LV2_Descriptor *descriptor = find ? find(0) : NULL;
    const double opened = host_seconds();
    if (!descriptor || !descriptor->instantiate(descriptor, 48000.0, bundle, features))
        give_up("the plugin cannot be instantiated");
    const double done = host_seconds();
    const Times times = {1e3 * (opened - start), 1e3 * (done - opened), 1e3 * (done - start),
                         1e3 * (processor_seconds() - used)};
    if (write(to, &times, sizeof times) != sizeof times)
        give_up("cannot report");
    _exit(0);
}

/* Out of the page cache with a file, if nobody else has it mapped. */
static void forget(const char *path)
{
    const int file = open(path, O_RDONLY);
    if (file < 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED))
        give_up(path);
    close(file);
}

static Times once(const char *program, const char *const files[3], const char *bundle, bool cold)
{
    int pipes[2];
    Times times;
    for (size_t i = 0; cold && i < 3; i++)
        forget(files[i]);
    if (pipe(pipes))
        give_up("no pipe");
    const pid_t child = fork();
    if (child == 0) {
        char to[16];
        snprintf(to, sizeof to, "%d", pipes[1]);
        execl(program, program, "--measure", files[0], bundle, to, (char *)NULL);
        give_up("cannot be started");
    }
    close(pipes[1]);
    if (child < 0 || read(pipes[0], &times, sizeof times) != sizeof times)
        give_up("a process failed");
    close(pipes[0]);
    waitpid(child, NULL, 0);
    return times;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(const Times *times, size_t n, size_t offset, double share)
{
    double values[MOST];
    for (size_t i = 0; i < n; i++)
        memcpy(&values[i], (const char *)&times[i] + offset, sizeof *values);
    qsort(values, n, sizeof *values, compare);
    return values[(size_t)(share * (double)(n - 1))];
}

static void print_row(const char *name, const Times *times, size_t n)
{
    printf("| %s | %.1f | %.1f | **%.1f** | %.1f | %.1f |\n", name,
           middle(times, n, offsetof(Times, open), 0.5),
           middle(times, n, offsetof(Times, instantiate), 0.5),
           middle(times, n, offsetof(Times, all), 0.5), middle(times, n, offsetof(Times, all), 0.9),
           middle(times, n, offsetof(Times, processor), 0.5));
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "--measure"))
        measure(argv[2], argv[3], atoi(argv[4]));
    const int n = argc > 1 ? atoi(argv[1]) : 31;
    static Times warm[MOST], cold[MOST];
    static const char *const names[3] = {"brume.so", "models/texture.safetensors",
                                         "models/melody.safetensors"};
    char bundle[4200], paths[3][4300];
    const char *files[3];
    if (n < 1 || n > MOST) {
        fprintf(stderr, "usage: load [TIMES(1..%d)]\n", MOST);
        return 2;
    }
    snprintf(bundle, sizeof bundle, "%s/", host_shipped_bundle());
    for (size_t i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof paths[i], "%s%s", bundle, names[i]);
        files[i] = paths[i];
    }
    for (int i = 0; i < n; i++) {
        cold[i] = once(argv[0], files, bundle, true);
        warm[i] = once(argv[0], files, bundle, false);
    }
    printf("| files | dlopen, descriptor: ms | instantiate: ms | all: ms | its 90th percentile | "
           "processor: ms |\n"
           "|---|---|---|---|---|---|\n");
    print_row("in the page cache", warm, (size_t)n);
    print_row("not there", cold, (size_t)n);
    return 0;
}
