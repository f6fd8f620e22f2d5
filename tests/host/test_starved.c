/* A generator that gets no processor: its thread runs only when nothing else wants to, and four
 * loops on the same processor always want to. The sound fades out before it ends, that is counted
 * and said, and it comes back when the loops end. */
#define _GNU_SOURCE /* SCHED_IDLE, processors of a thread */
#include "tests/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, BLOCK = 256, LOOPS = 4, THREADS = 64, MOST = 40 * RATE * HOST_SLOW, FADE = RATE / 1000 };

/* Which threads the process has. */
static size_t list_threads(pid_t *threads)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) && count < THREADS;)
        if (entry->d_name[0] != '.')
            threads[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
    closedir(folder);
    return count;
}

/* Activates, and returns the thread that is new since then: the generator's. */
static pid_t activate(Host *host)
{
    pid_t before[THREADS], after[THREADS];
    const size_t n = list_threads(before);
    host_activate(host);
    const size_t m = list_threads(after);
    assert_int_equal(m, n + 1);
    for (size_t i = 0; i < m; i++) {
        bool old = false;
        for (size_t j = 0; j < n; j++)
            old = old || after[i] == before[j];
        if (!old)
            return after[i];
    }
    fail();
    return 0;
}

static void *loop(void *user)
{
    const atomic_bool *quit = user;
    while (!atomic_load_explicit(quit, memory_order_relaxed))
        ;
    return NULL;
}

/* Everything on one processor; the generator last. */
static void starve(pid_t generator, pthread_t *loops, atomic_bool *quit)
{
    const struct sched_param none = {0};
    cpu_set_t allowed, one;
    size_t processor = 0;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    while (!CPU_ISSET(processor, &allowed))
        processor++;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    assert_int_equal(sched_setaffinity(generator, sizeof one, &one), 0);
    assert_int_equal(sched_setscheduler(generator, SCHED_IDLE, &none), 0);
    for (int i = 0; i < LOOPS; i++) {
        assert_int_equal(pthread_create(&loops[i], NULL, loop, quit), 0);
        assert_int_equal(pthread_setaffinity_np(loops[i], sizeof one, &one), 0);
    }
}

static void feed(pid_t generator, const pthread_t *loops, atomic_bool *quit)
{
    const struct sched_param none = {0};
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    atomic_store(quit, true);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(loops[i], NULL);
    assert_int_equal(sched_setaffinity(generator, sizeof all, &all), 0);
    /* Back to the usual one: allowed without privileges, for the nice value is not lowered. */
    assert_int_equal(sched_setscheduler(generator, SCHED_OTHER, &none), 0);
}

typedef struct Heard {
    float *left;
    size_t frames;
} Heard;

static void play(Host *host, Heard *heard)
{
    host_run_paced(host, BLOCK);
    assert_true(heard->frames + BLOCK <= MOST);
    memcpy(heard->left + heard->frames, host_out(host, 0), BLOCK * sizeof(float));
    heard->frames += BLOCK;
}

static double rms(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum / (double)n);
}

/* Plays until there is sound (or none), at most so many seconds. */
static bool wait_for(Host *host, Heard *heard, bool sound, double seconds)
{
    const size_t end = heard->frames + (size_t)(seconds * RATE);
    while (heard->frames < end) {
        play(host, heard);
        if ((rms(heard->left + heard->frames - BLOCK, BLOCK) > 1e-4) == sound)
            return true;
    }
    return false;
}

/* The millisecond before the silence is far softer than what sounded, and silence is silence. */
static void check_fade(const Heard *heard, size_t from)
{
    size_t end = heard->frames;
    while (end > from && heard->left[end - 1] == 0.0f)
        end--;
    assert_true(heard->frames - end >= BLOCK / 2);
    assert_true(end > from + RATE / 2);
    const double sounded = rms(heard->left + end - RATE / 2, RATE / 4);
    const double last = rms(heard->left + end - FADE, FADE);
    printf("before the silence: %.1f dB below the sound\n", 20 * log10(sounded / last));
    assert_true(sounded > 1e-4 && last < 0.5 * sounded);
}

static void test_starved_generator_recovers(void **state)
{
    (void)state;
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){false});
    Heard heard = {malloc(MOST * sizeof(float)), 0};
    assert_non_null(heard.left);
    const pid_t generator = activate(host);
    host_pace_begin(host);
    assert_true(wait_for(host, &heard, true, 10 * HOST_SLOW));
    for (size_t end = heard.frames + RATE; heard.frames < end;)
        play(host, &heard);
    const double before = (double)host_get(host, "underruns");
    const size_t begin = heard.frames;
    pthread_t loops[LOOPS];
    atomic_bool quit = false;
    starve(generator, loops, &quit);
    const bool silent = wait_for(host, &heard, false, 15);
    feed(generator, loops, &quit);
    assert_true(silent);
    check_fade(&heard, begin > RATE ? begin - RATE : 0);
    play(host, &heard);
    const double after = (double)host_get(host, "underruns");
    printf("silent after %.2f s, underruns %g -> %g, status: %s\n",
           (double)(heard.frames - begin) / RATE, before, after, host_status(host));
    assert_true(after > before);
    assert_true(wait_for(host, &heard, true, 10 * HOST_SLOW));
    for (size_t i = 0; i < heard.frames; i++)
        assert_true(isfinite(heard.left[i]) && fabsf(heard.left[i]) <= 1.0f);
    host_close(host);
    free(heard.left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_starved_generator_recovers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
