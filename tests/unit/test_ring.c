/* The ring: what goes in comes out, in order, whatever the sizes, and between two threads. */
#include "dsp/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_CHUNK = 1536, MAX_CHANNELS = 3 };

static Ring *ring_make(size_t frames, unsigned channels)
{
    Error err = {""};
    Ring *ring = ring_create(frames, channels, &err);
    if (!ring)
        fail_msg("%s", err.message);
    assert_string_equal(err.message, "");
    return ring;
}

/* The value of a channel at a frame counted from the start: exact in float, and another one a lap
 * later. */
static float value_at(uint64_t frame, unsigned channels, unsigned channel)
{
    return (float)((frame * channels + channel) & 0xffffff);
}

static void values_fill(float *values, uint64_t frame, size_t n, unsigned channels)
{
    for (size_t i = 0; i < n; i++)
        for (unsigned c = 0; c < channels; c++)
            values[i * channels + c] = value_at(frame + i, channels, c);
}

static size_t values_wrong(const float *values, uint64_t frame, size_t n, unsigned channels)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned c = 0; c < channels; c++)
            wrong += values[i * channels + c] != value_at(frame + i, channels, c);
    return wrong;
}

static void arguments_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t frames;
        unsigned channels;
        const char *shown;
    } wrong[] = {{0, 1, "0 frames"},
                 {((size_t)1 << 24) + 1, 1, "16777217 frames"},
                 {SIZE_MAX, 1, "1 to 16777216"},
                 {16, 0, "0 channels"},
                 {16, 65, "65 channels"},
                 {16, ~0u, "1 to 64"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Error err = {""};
        assert_null(ring_create(wrong[i].frames, wrong[i].channels, &err));
        assert_non_null(strstr(err.message, wrong[i].shown));
        assert_null(ring_create(wrong[i].frames, wrong[i].channels, NULL));
    }
    ring_destroy(NULL);
}

static void room_is_a_power_of_two(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 1},
                                      {2, 2},
                                      {3, 4},
                                      {5, 8},
                                      {1024, 1024},
                                      {1025, 2048},
                                      {65, 128},
                                      {((size_t)1 << 23) + 1, (size_t)1 << 24},
                                      {(size_t)1 << 24, (size_t)1 << 24}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Ring *ring = ring_make(sizes[i][0], 1);
        assert_int_equal(ring_room(ring), sizes[i][1]);
        assert_int_equal(ring_writable(ring), sizes[i][1]);
        assert_int_equal(ring_readable(ring), 0);
        ring_destroy(ring);
    }
}

static void empty_and_full(void **state)
{
    (void)state;
    Ring *ring = ring_make(8, 1);
    const float in[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    float out[10] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    assert_int_equal(ring_read(ring, out, 10), 0);
    assert_int_equal(ring_skip(ring, 10), 0);
    assert_true(out[0] == -1);
    assert_int_equal(ring_write(ring, NULL, 0), 0);
    assert_int_equal(ring_write(ring, in, 10), 8);
    assert_int_equal(ring_writable(ring), 0);
    assert_int_equal(ring_readable(ring), 8);
    assert_int_equal(ring_write(ring, in, 1), 0);
    assert_int_equal(ring_read(ring, NULL, 0), 0);
    assert_int_equal(ring_read(ring, out, SIZE_MAX), 8);
    assert_memory_equal(out, in, 8 * sizeof *in);
    assert_true(out[8] == -1 && out[9] == -1);
    assert_int_equal(ring_readable(ring), 0);
    assert_int_equal(ring_writable(ring), 8);
    ring_destroy(ring);
}

/* From every position and for every size, across the end of the storage; only a part of what is
 * asked for when there is no more. */
static void sizes_and_positions(void **state)
{
    (void)state;
    enum { ROOM = 8, CHANNELS = 3 };
    float values[(ROOM + 2) * CHANNELS];
    for (size_t start = 0; start < ROOM; start++)
        for (size_t size = 1; size <= ROOM + 2; size++)
            for (size_t part = 1; part <= size; part++) {
                const size_t kept = size < ROOM ? size : ROOM, got = part < kept ? part : kept;
                Ring *ring = ring_make(ROOM, CHANNELS);
                values_fill(values, 0, start, CHANNELS);
                assert_int_equal(ring_write(ring, values, start), start);
                assert_int_equal(ring_skip(ring, start), start);
                values_fill(values, start, size, CHANNELS);
                assert_int_equal(ring_write(ring, values, size), kept);
                assert_int_equal(ring_writable(ring), ROOM - kept);
                memset(values, 0xff, sizeof values);
                assert_int_equal(ring_read(ring, values, part), got);
                assert_int_equal(values_wrong(values, start, got, CHANNELS), 0);
                assert_int_equal(ring_readable(ring), kept - got);
                assert_int_equal(ring_read(ring, values, ROOM), kept - got);
                assert_int_equal(values_wrong(values, start + got, kept - got, CHANNELS), 0);
                ring_destroy(ring);
            }
}

static void frames_are_interleaved(void **state)
{
    (void)state;
    Ring *ring = ring_make(4, 2);
    const float in[] = {1, -1, 2, -2, 3, -3};
    float left_right[2];
    assert_int_equal(ring_write(ring, in, 3), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ring_read(ring, left_right, 1), 1);
        assert_true(left_right[0] == in[2 * i] && left_right[1] == in[2 * i + 1]);
    }
    ring_destroy(ring);
}

static void skipping(void **state)
{
    (void)state;
    Ring *ring = ring_make(8, 2);
    float values[16];
    values_fill(values, 0, 8, 2);
    assert_int_equal(ring_write(ring, values, 8), 8);
    assert_int_equal(ring_skip(ring, 0), 0);
    assert_int_equal(ring_skip(ring, 5), 5);
    assert_int_equal(ring_writable(ring), 5);
    values_fill(values, 8, 4, 2);
    assert_int_equal(ring_write(ring, values, 4), 4);
    assert_int_equal(ring_read(ring, values, 2), 2);
    assert_int_equal(values_wrong(values, 5, 2, 2), 0);
    assert_int_equal(ring_skip(ring, SIZE_MAX), 5);
    assert_int_equal(ring_readable(ring), 0);
    assert_int_equal(ring_writable(ring), 8);
    ring_destroy(ring);
}

static void resetting(void **state)
{
    (void)state;
    Ring *ring = ring_make(8, 1);
    float values[8];
    values_fill(values, 0, 8, 1);
    ring_reset(ring);
    assert_int_equal(ring_write(ring, values, 8), 8);
    assert_int_equal(ring_read(ring, values, 3), 3);
    ring_reset(ring);
    assert_int_equal(ring_readable(ring), 0);
    assert_int_equal(ring_writable(ring), 8);
    values_fill(values, 40, 8, 1);
    assert_int_equal(ring_write(ring, values, 8), 8);
    assert_int_equal(ring_read(ring, values, 8), 8);
    assert_int_equal(values_wrong(values, 40, 8, 1), 0);
    ring_destroy(ring);
}

/* KiB of this process that are locked in memory, from the system's own account. */
static long locked_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmLck: %ld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

/* Under some sanitizers mlock says yes and does nothing. */
static bool mlock_pretends(void)
{
    static float page[4096];
    const long before = locked_kib();
    const bool accepted = mlock(page, sizeof page) == 0;
    const bool pretends = accepted && locked_kib() == before;
    if (accepted)
        munlock(page, sizeof page);
    return pretends;
}

static void locked_memory_is_given_back(void **state)
{
    (void)state;
    if (mlock_pretends())
        skip();
    const long before = locked_kib();
    Ring *ring = ring_make(4096, 2), *other = ring_make(4096, 2);
    if (ring_locked(ring) && ring_locked(other))
        assert_true(locked_kib() - before >= 2 * 32);
    ring_destroy(other);
    if (ring_locked(ring))
        assert_true(locked_kib() - before >= 32);
    ring_destroy(ring);
    assert_int_equal(locked_kib(), before);
}

/* No locked memory at all is allowed, which a privileged user only feels as somebody else. */
static void a_refused_lock_is_no_error(void **state)
{
    (void)state;
    struct rlimit limit;
    const bool pretends = mlock_pretends(), privileged = geteuid() == 0;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    const struct rlimit none = {0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    if (privileged)
        assert_int_equal(seteuid(65534), 0);
    Error err = {""};
    Ring *ring = ring_create(64, 1, &err);
    if (privileged)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    assert_non_null(ring);
    assert_string_equal(err.message, "");
    assert_int_equal(ring_locked(ring), pretends);
    const float in = 7;
    float out = 0;
    assert_int_equal(ring_write(ring, &in, 1), 1);
    assert_int_equal(ring_read(ring, &out, 1), 1);
    assert_true(out == in);
    ring_destroy(ring);
}

/* Two threads at one ring, who mostly don't ask first, so that writing and reading must order
 * memory by themselves. What they find wrong is counted, and looked at when both are done. */
typedef struct Stress {
    Ring *ring;
    unsigned channels;
    uint64_t total;
    size_t promises_broken[2]; /* producer's and consumer's: fewer frames than were announced */
    size_t wrong;
    atomic_bool done;
} Stress;

static size_t random_size(uint64_t *seed, size_t most)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return 1 + (size_t)(*seed >> 33) % most;
}

static void *produce(void *argument)
{
    Stress *stress = argument;
    float values[MAX_CHUNK * MAX_CHANNELS];
    uint64_t seed = 1, frame = 0;
    while (frame < stress->total) {
        size_t n = random_size(&seed, MAX_CHUNK);
        if (n > stress->total - frame)
            n = (size_t)(stress->total - frame);
        values_fill(values, frame, n, stress->channels);
        const bool announces = random_size(&seed, 8) == 1;
        const size_t announced = announces ? ring_writable(stress->ring) : 0;
        const size_t count = ring_write(stress->ring, values, n);
        stress->promises_broken[0] += count < (announced < n ? announced : n);
        frame += count;
        if (!count)
            sched_yield();
    }
    return NULL;
}

static void *consume(void *argument)
{
    Stress *stress = argument;
    float values[MAX_CHUNK * MAX_CHANNELS];
    uint64_t seed = 2, frame = 0;
    while (frame < stress->total) {
        const size_t n = random_size(&seed, MAX_CHUNK);
        const bool skips = random_size(&seed, 8) == 1, announces = random_size(&seed, 8) == 1;
        const size_t announced = announces ? ring_readable(stress->ring) : 0;
        const size_t count =
            skips ? ring_skip(stress->ring, n) : ring_read(stress->ring, values, n);
        stress->promises_broken[1] += count < (announced < n ? announced : n);
        if (!skips)
            stress->wrong += values_wrong(values, frame, count, stress->channels);
        frame += count;
        if (!count)
            sched_yield();
    }
    atomic_store(&stress->done, true);
    return NULL;
}

/* This thread looks on meanwhile: it must never see more frames than there is room for. */
static void stress_run(size_t frames, unsigned channels, uint64_t total)
{
    Stress stress = {.ring = ring_make(frames, channels), .channels = channels, .total = total};
    pthread_t producer, consumer;
    assert_int_equal(pthread_create(&producer, NULL, produce, &stress), 0);
    assert_int_equal(pthread_create(&consumer, NULL, consume, &stress), 0);
    size_t untrue = 0;
    while (!atomic_load(&stress.done)) {
        for (int i = 0; i < 1000; i++)
            untrue += ring_readable(stress.ring) > ring_room(stress.ring);
        usleep(1000);
    }
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    assert_int_equal(stress.wrong, 0);
    assert_int_equal(stress.promises_broken[0], 0);
    assert_int_equal(stress.promises_broken[1], 0);
    assert_int_equal(untrue, 0);
    assert_int_equal(ring_readable(stress.ring), 0);
    ring_destroy(stress.ring);
}

static void two_threads(void **state)
{
    (void)state;
    stress_run(1000, 2, 4000000);
    stress_run(4096, 3, 2000000);
    stress_run(7, 1, 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_refused),
        cmocka_unit_test(room_is_a_power_of_two),
        cmocka_unit_test(empty_and_full),
        cmocka_unit_test(sizes_and_positions),
        cmocka_unit_test(frames_are_interleaved),
        cmocka_unit_test(skipping),
        cmocka_unit_test(resetting),
        cmocka_unit_test(locked_memory_is_given_back),
        cmocka_unit_test(a_refused_lock_is_no_error),
        cmocka_unit_test(two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
