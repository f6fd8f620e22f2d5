/* Half a minute of a long night (`make soak` is a long one), and that what it looks for would be
 * found. BRUME_SEED draws another one. */
#include "tests/host/guard.h"
#include "tests/host/night_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 10.0 /* less of the night then, and it may take its time */
#else
#define SLOW 1.0
#endif

static uint64_t seed(void)
{
    const char *asked = getenv("BRUME_SEED");
    return asked ? strtoull(asked, NULL, 10) : 1;
}

/* Each of these is one thing that the audio thread may not do. */
static void allocate(void)
{
    void *volatile block = malloc(1);
    free(block);
}

static void lock(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void call_the_system(void)
{
    (void)getppid();
}

static void doze(void)
{
    nanosleep(&(struct timespec){0, 1000}, NULL);
}

static long violations_of(void (*deed)(void), HostGuarded state)
{
    const long before = guard_violations();
    const HostGuarded was = guard_set(state);
    deed();
    guard_set(was);
    return guard_violations() - before;
}

static void test_guard(void **state)
{
    (void)state;
    if (!guard_watches())
        skip();
    assert_int_equal(violations_of(allocate, HOST_GUARDED), 2);
    assert_int_equal(violations_of(lock, HOST_GUARDED), 1);
    assert_int_equal(violations_of(doze, HOST_GUARDED), 1);
    assert_int_equal(violations_of(doze, HOST_MAY_WAIT), 0);
    assert_int_equal(violations_of(allocate, HOST_MAY_WAIT), 2);
    assert_int_equal(violations_of(allocate, HOST_UNGUARDED), 0);
    if (guard_watches_system())
        assert_int_equal(violations_of(call_the_system, HOST_GUARDED), 1);
}

static void test_count_of_memory(void **state)
{
    (void)state;
    if (!guard_watches())
        skip();
    const GuardMemory before = guard_memory();
    void *volatile blocks[] = {malloc(1000), calloc(10, 100), aligned_alloc(64, 1024), NULL};
    blocks[3] = realloc(NULL, 10);
    blocks[3] = realloc(blocks[3], 5000);
    const GuardMemory filled = guard_memory();
    for (size_t i = 0; i < 4; i++)
        free(blocks[i]);
    assert_int_equal(filled.blocks - before.blocks, 4);
    assert_in_range(filled.bytes - before.bytes, 8024, 8200);
    const GuardMemory after = guard_memory();
    assert_int_equal(after.blocks, before.blocks);
    assert_int_equal(after.bytes, before.bytes);
}

/* Whatever must be 0 is looked at. */
static void test_verdict(void **state)
{
    (void)state;
    assert_true(night_is_quiet(&(NightReport){0}, true));
    assert_true(night_is_quiet(&(NightReport){.underruns = 1}, false));
    const NightReport loud[] = {
        {.insane = 1},
        {.meters = 1},
        {.bypassed = 1},
        {.mute = 1},
        {.stuck = 1},
        {.underruns = 1},
        {.violations = 1},
        {.within = NIGHT_FLAT},
        {.growth.counted = NIGHT_EXACT},
        {.growth.malloced = NIGHT_FLAT},
        {.growth.resident = NIGHT_FLAT},
    };
    for (size_t i = 0; i < sizeof loud / sizeof *loud; i++)
        assert_false(night_is_quiet(&loud[i], true));
}

/* A knob that moves in the very block in which an export ends is no reason to wait. */
static void test_end_of_export(void **state)
{
    (void)state;
    if (!guard_watches())
        skip();
    const long before = guard_violations();
    Host *host = host_open(host_shipped_bundle(), 48000, (HostKind){.guard = guard_set});
    host_activate(host);
    for (int i = 0; i < 100; i++) {
        host_set(host, "freewheel", 1);
        host_run(host, 1024);
        host_set(host, "freewheel", 0);
        host_set(host, "morph", (float)(i % 10) / 10);
        host_run(host, 64);
    }
    host_close(host);
    assert_int_equal(guard_violations(), before);
}

static void test_night(void **state)
{
    (void)state;
    NightReport report;
    const NightPlan plans[] = {
        {.seed = seed(), .seconds = 140 / SLOW, .life = 20, .tiny = SLOW > 1},
        {.seed = seed(), .seconds = 12 / SLOW, .life = 6, .paced = true, .tiny = SLOW > 1},
    };
    /* What earlier tests did on purpose. */
    const long before = guard_violations();
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        night_run(&plans[i], &report);
        report.violations -= before;
        if (SLOW > 1)
            report.stuck = report.mute = 0;
        /* In a night as short as this, pages that a library keeps from some first time on count as
         * growth; `make soak` looks at them. What is allocated is counted here, too. */
        report.growth.resident = 0;
        if (report.underruns > 0 && plans[i].paced) /* too busy to be heard in time */
            report.mute = 0;
        night_print(&plans[i], &report);
        /* In company a machine may be too slow for the paced part. */
        assert_true(night_is_quiet(&report, !plans[i].paced));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_count_of_memory),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_end_of_export),
        cmocka_unit_test(test_night),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
