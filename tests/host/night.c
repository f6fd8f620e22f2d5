#include "tests/host/night_parts.h"

#include "plugin/ports.h"
#include "tests/host/guard.h"

#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Between two looks at whether all is well: seconds of sound. And what an instance lives for at
 * least. */
static const double REST_SECONDS = 120.0, LIFE_SECONDS = 10.0;

/* Instances, one of each rate, before the memory must be flat. */
static const double rates[] = {48000, 44100, 96000, 88200, 192000, 22050};
enum { RATES = sizeof rates / sizeof *rates };

static const double MIB = 1024.0 * 1024.0;

/* The longest that a thread which only sleeps wakes too late: the machine's doing. */
typedef struct Watch {
    pthread_t thread;
    atomic_bool quit;
    _Atomic double stall;
} Watch;

static void *watch(void *user)
{
    Watch *self = user;
    while (!atomic_load(&self->quit)) {
        const double begin = host_seconds();
        nanosleep(&(struct timespec){0, 2000000}, NULL);
        const double late = host_seconds() - begin - 0.002;
        if (late > atomic_load(&self->stall))
            atomic_store(&self->stall, late);
    }
    return NULL;
}

/* Resident pages of no file. */
static double resident(void)
{
    long all = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld %ld", &all, &shared) != 2)
        abort();
    fclose(file);
    return (double)(all - shared) * (double)sysconf(_SC_PAGESIZE) / MIB;
}

static NightMemory measure(void)
{
    NightMemory memory = {.counted = (double)guard_memory().bytes / MIB};
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    malloc_trim(0);
    const struct mallinfo2 info = mallinfo2();
    memory.malloced = (double)(info.uordblks + info.hblkhd) / MIB;
#endif
    memory.resident = resident();
    return memory;
}

static void keep_longest(double *longest, double value)
{
    *longest = fmax(*longest, value);
}

/* While nothing is open. */
static void measure_between(Night *night, bool warm)
{
    NightReport *report = night->report;
    const NightMemory now = measure();
    night_tell(night, "memory: counted %.4f, malloc's %.4f, resident %.3f MiB, %ld blocks",
               now.counted, now.malloced, now.resident, guard_memory().blocks);
    if (!warm) {
        report->first.counted = fmax(report->first.counted, now.counted);
        report->first.malloced = fmax(report->first.malloced, now.malloced);
        report->first.resident = fmax(report->first.resident, now.resident);
        return;
    }
    keep_longest(&report->growth.counted, now.counted - report->first.counted);
    keep_longest(&report->growth.malloced, now.malloced - report->first.malloced);
    keep_longest(&report->growth.resident, now.resident - report->first.resident);
}

void night_rest(Night *night)
{
    for (int port = PORT_TEXTURE; port < PORT_COUNT; port++) {
        const PortRange *range = port_range((PortIndex)port);
        const bool meter = port >= PORT_UNDERRUNS && port <= PORT_BUFFERED;
        if (range && !meter && port != PORT_LATENCY && port != PORT_FREEWHEEL)
            host_set(night->host, range->symbol, range->usual);
    }
    night->swept = -1;
    night->block = night->promised < 512 ? night->promised : 512;
    night->input = NIGHT_SILENCE;
    night->heard = 0;
    host_choose(night->host, "");
    host_choose_melody(night->host, "");
    night_settle(night);
    /* Another mode lets all keys go. */
    host_set(night->host, "mode", 1);
    night_play(night, 0.2);
    host_set(night->host, "mode", 0);
    night_play(night, 0.2);
}

static bool sounds_within(Night *night, double seconds)
{
    night->loudest = 0;
    for (double done = 0; done < seconds && night->loudest < 1e-4; done += 0.1)
        night_play(night, 0.1);
    return night->loudest >= 1e-4;
}

static void expect(Night *night, bool proved, const char *what)
{
    night->report->proofs++;
    if (proved)
        return;
    night->report->mute++;
    fprintf(stderr, "%.3f s: %s; mode %g, buffered %g, status: %s\n", night->report->seconds, what,
            (double)host_get(night->host, "mode"), (double)host_get(night->host, "buffered"),
            host_status(night->host));
}

static void prove_answer(Night *night)
{
    host_set(night->host, "mode", 1);
    host_set(night->host, "answer", 0);
    host_set(night->host, "dry", -90);
    night_play(night, 0.3);
    night->input = NIGHT_TUNE;
    night->heard = 0;
    night_play(night, 6.2);
    night->loudest = 0;
    night_play(night, 0.1);
    expect(night, night->loudest == 0, "a sound before the answer");
    host_set(night->host, "go", 1);
    expect(night, sounds_within(night, 6), "no answer");
    host_set(night->host, "go", 0);
    night->input = NIGHT_SILENCE;
}

static void prove_transform(Night *night)
{
    host_set(night->host, "mode", 2);
    host_set(night->host, "dry", -90);
    night->input = NIGHT_NOISE;
    expect(night, sounds_within(night, 6), "nothing is transformed");
    night->input = NIGHT_SILENCE;
}

void night_prove(Night *night, bool all)
{
    night_rest(night);
    expect(night, sounds_within(night, 4), "no texture");
    if (all) {
        if (!night->plan->tiny)
            prove_answer(night);
        prove_transform(night);
        night_rest(night);
        expect(night, sounds_within(night, 4), "no texture after the other modes");
    }
    /* Complaints are held for ten seconds, and that of an underrun is right. */
    const uint64_t underruns = night->report->underruns;
    night_play(night, 11);
    expect(night,
           night->report->underruns > underruns ||
               !strncmp(host_status(night->host), "Playing \"texture\"", 17),
           "the status is stuck");
    const double bytes = (double)guard_memory().bytes / MIB;
    night_tell(night, "at rest: %.4f MiB", bytes);
    if (night->basis == 0)
        night->basis = bytes;
    keep_longest(&night->report->within, bytes - night->basis);
}

static void begin_life(Night *night, double rate)
{
    static const uint32_t promises[] = {64, 1024, 8192};
    const HostKind kind = {.promised = promises[night_pick(night, 3)], .guard = guard_set};
    night->rate = rate;
    night->promised = kind.promised;
    night->host = host_open(night->plan->tiny ? host_tiny_bundle() : host_shipped_bundle(),
                            night->rate, kind);
    night->basis = 0;
    night->swept = -1;
    night->block = 512;
    night->input = NIGHT_SILENCE;
    night->heard = 0;
    night->rolls = false;
    night->report->instances++;
    const uint32_t buffers = night_pick(night, 4);
    if (buffers < 2)
        host_in_place(night->host, buffers == 1);
    host_set(night->host, "freewheel", !night->plan->paced);
    night_tell(night, "an instance at %g Hz, promised %u", night->rate, kind.promised);
    if (night->saved && night_pick(night, 2))
        host_restore(night->host, night->folder);
    night_activate(night);
}

/* Acts, each followed by a stretch of sound, and now and then a rest. */
static void live(Night *night, double seconds)
{
    const double begin = night->report->seconds;
    double rested = begin;
    for (uint32_t rests = 0; night->report->seconds - begin < seconds;) {
        night_act(night);
        night_play(night, night_draw_between(night, 0.02, 4));
        if (night->report->seconds - rested < REST_SECONDS)
            continue;
        night_prove(night, rests++ % 2 == 0);
        rested = night->report->seconds;
    }
}

/* Half of the instances end in the middle of it all. */
static void live_once(Night *night, double rate, double seconds, bool calm)
{
    begin_life(night, rate);
    live(night, seconds);
    if (calm)
        night_prove(night, true);
    host_close(night->host);
}

/* One heap for all threads: malloc_trim gives back the end of no other, and resident would be what
 * malloc keeps for later. */
static void prepare(Night *night, const NightPlan *plan, NightReport *report)
{
    mallopt(M_ARENA_MAX, 1);
    *report = (NightReport){0};
    night->plan = plan;
    night->report = report;
    night->watching = true;
    snprintf(night->folder, sizeof night->folder, "/tmp/brume-night.XXXXXX");
    if (!mkdtemp(night->folder))
        abort();
    for (size_t i = 0; i < TUNE_FRAMES; i++)
        night->tune[i] = tune_frame(i);
}

static void finish(Night *night)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", night->folder);
    if (system(command))
        fprintf(stderr, "%s is left\n", night->folder);
}

void night_run(const NightPlan *plan, NightReport *report)
{
    Night *night = calloc(1, sizeof *night);
    if (!night)
        abort();
    prepare(night, plan, report);
    Watch stalls = {.quit = false};
    if (pthread_create(&stalls.thread, NULL, watch, &stalls))
        abort();
    const double begin = host_seconds();
    for (size_t i = 0; report->seconds < plan->seconds; i++) {
        night->random = plan->seed ^ (uint64_t)i << 40;
        night->chance = ~night->random;
        const double rate = i < RATES ? rates[i] : rates[night_pick(night, RATES)];
        const double left = plan->seconds - report->seconds;
        const double drawn =
            i < RATES ? LIFE_SECONDS : night_draw_between(night, LIFE_SECONDS, plan->life);
        live_once(night, rate, fmin(left, drawn), night_pick(night, 2));
        measure_between(night, i >= RATES);
        report->stall = atomic_load(&stalls.stall);
    }
    report->took = host_seconds() - begin;
    report->violations = guard_violations();
    atomic_store(&stalls.quit, true);
    pthread_join(stalls.thread, NULL);
    finish(night);
    free(night);
}
