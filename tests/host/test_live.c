/* In real time: how soon there is sound, how soon a knob is heard, keys, the beat, switching off in
 * the middle of a chunk, what an instance costs. BRUME_FIGURES=FILE appends the figures to FILE;
 * BRUME_TRIES says how often a knob is turned. */
#include "tests/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 48000, BLOCK = 64, LONGEST = 4 * RATE };

static void figure(const char *what, double value, const char *unit)
{
    const char *path = getenv("BRUME_FIGURES");
    printf("%s: %.3g %s\n", what, value, unit);
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s: %.3g %s\n", what, value, unit);
        fclose(file);
    }
}

/* How many times longer than on a free core things take at the moment, 1 or more: what is tested is
 * the plugin, not the company that it is in. The figures that are printed are as they are. */
static double busy(void)
{
    struct timespec used;
    const double begin = host_seconds();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    const double start = (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
    double cpu;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        cpu = (double)used.tv_sec + 1e-9 * (double)used.tv_nsec - start;
    } while (cpu < 0.2);
    return 2 * HOST_SLOW * fmax(1.0, (host_seconds() - begin) / cpu);
}

/* Plays n frames in real time and adds the left channel to what was heard. */
typedef struct Heard {
    float *left, *right;
    size_t frames;
} Heard;

static Heard heard_begin(void)
{
    Heard heard = {calloc(LONGEST, sizeof(float)), calloc(LONGEST, sizeof(float)), 0};
    assert_non_null(heard.left);
    assert_non_null(heard.right);
    return heard;
}

static void heard_end(Heard *heard)
{
    free(heard->left);
    free(heard->right);
}

static void listen(Host *host, Heard *heard, size_t frames)
{
    for (size_t done = 0; done < frames && heard->frames + BLOCK <= LONGEST; done += BLOCK) {
        host_run_paced(host, BLOCK);
        memcpy(heard->left + heard->frames, host_out(host, 0), BLOCK * sizeof(float));
        memcpy(heard->right + heard->frames, host_out(host, 1), BLOCK * sizeof(float));
        heard->frames += BLOCK;
    }
}

static float loudest(const float *x, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(x[i]));
    return most;
}

/* Listens until there is sound; seconds since `begin`. */
static double first_sound(Host *host, double begin)
{
    host_pace_begin(host);
    do
        host_run_paced(host, BLOCK);
    while (loudest(host_out(host, 0), BLOCK) == 0.0F && host_seconds() - begin < 5 * HOST_SLOW);
    return host_seconds() - begin;
}

static void test_first_sound(void **state)
{
    (void)state;
    double worst = 0;
    Host *host = host_open(host_shipped_bundle(), RATE, (HostKind){0});
    for (int i = 0; i < 3; i++) {
        const double begin = host_seconds();
        host_activate(host);
        worst = fmax(worst, first_sound(host, begin));
        host_deactivate(host);
    }
    figure("first sound after activate", 1000 * worst, "ms");
    assert_true(worst < 0.5 * busy());
    host_close(host);
}

/* At any moment, also in the middle of a chunk. */
static void test_deactivate_any_time(void **state)
{
    (void)state;
    double worst = 0;
    Host *host = host_open(host_shipped_bundle(), RATE, (HostKind){0});
    host_set(host, "steps", 32);
    for (int i = 0; i < 20; i++) {
        host_activate(host);
        host_pace_begin(host);
        for (int b = 0; b < i * 7; b++)
            host_run_paced(host, BLOCK);
        const double begin = host_seconds();
        host_deactivate(host);
        worst = fmax(worst, host_seconds() - begin);
    }
    figure("longest deactivate", 1000 * worst, "ms");
    assert_true(worst < 0.1 * busy());
    host_close(host);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What an export of this texture sounds like, left channel. */
static float *reference(const char *bundle, size_t frames)
{
    float *both = malloc(2 * frames * sizeof *both);
    assert_non_null(both);
    Host *host = host_open(bundle, RATE, (HostKind){0});
    host_set(host, "texture", 0);
    host_activate(host);
    host_export(host, both, frames, 1024);
    host_close(host);
    for (size_t i = 0; i < frames; i++)
        both[i] = both[2 * i];
    return both;
}

/* Turns a knob while the texture plays, and finds the first sample that is not the one that would
 * have come without it. Seconds from the knob's block to that sample; negative if it was not found.
 */
static double knob_time(Host *host, const float *expected, int attempt)
{
    Heard heard = heard_begin();
    host_set(host, "texture", 0);
    host_activate(host);
    const double begin = host_seconds();
    first_sound(host, begin);
    const size_t before = (size_t)(0.3 * RATE) + (size_t)attempt * 1511 % 19200;
    listen(host, &heard, before);
    const size_t turned = heard.frames;
    host_set(host, "texture", 1);
    listen(host, &heard, (size_t)(0.5 * HOST_SLOW * RATE));
    host_deactivate(host);
    /* Where in the texture are we? */
    size_t at = 0;
    const size_t search = 2 * RATE - 512;
    const float *mark = heard.left + turned - 512;
    while (at < search && memcmp(expected + at, mark, 512 * sizeof *mark))
        at++;
    double seconds = -1;
    if (at < search)
        for (size_t i = turned; i < heard.frames && seconds < 0; i++)
            if (heard.left[i] != expected[at + 512 + i - turned])
                seconds = (double)(i - turned) / RATE;
    heard_end(&heard);
    return seconds;
}

static void test_knob_is_heard(void **state)
{
    (void)state;
    enum { MOST = 200 };
    double times[MOST];
    const char *asked = getenv("BRUME_TRIES");
    int tries = asked ? atoi(asked) : 12, found = 0;
    tries = tries < 1 ? 1 : tries < MOST ? tries : MOST;
    float *expected = reference(host_shipped_bundle(), 3 * RATE);
    Host *host = host_open(host_shipped_bundle(), RATE, (HostKind){0});
    for (int i = 0; i < tries; i++) {
        times[found] = knob_time(host, expected, i);
        found += times[found] >= 0;
    }
    /* Where the machine was too busy there is nothing to compare with; not often. */
    assert_true(found >= 1 && (HOST_SLOW > 1 || found >= tries - tries / 4));
    qsort(times, (size_t)found, sizeof times[0], by_size);
    figure("knob to sound, median", 1000 * times[found / 2], "ms");
    figure("knob to sound, p99", 1000 * times[(int)(0.99 * found)], "ms");
    assert_true(times[(int)(0.99 * found)] < 0.15 * busy());
    host_close(host);
    free(expected);
}

static void test_keys(void **state)
{
    (void)state;
    Heard heard = heard_begin();
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_activate(host);
    first_sound(host, host_seconds());
    /* Nothing is held, but it plays by itself. */
    listen(host, &heard, RATE / 4);
    assert_true(loudest(heard.left, heard.frames) > 0);
    host_midi(host, 5, 0x90, 60, 127);
    const size_t pressed = heard.frames;
    listen(host, &heard, RATE / 2);
    assert_true(loudest(heard.left + pressed + 9600, heard.frames - pressed - 9600) > 0 ||
                HOST_SLOW > 1);
    host_midi(host, 5, 0x80, 60, 0);
    listen(host, &heard, (size_t)(0.28 * RATE));
    assert_true(loudest(heard.left + heard.frames - 9600, 9600) > 0 || HOST_SLOW > 1);
    listen(host, &heard, (size_t)(0.1 * RATE));
    assert_float_equal(loudest(heard.left + heard.frames - 960, 960), 0, 0);
    /* Silent, it costs nothing: the thread has filled its store, and sleeps. */
    listen(host, &heard, RATE / 2);
    sleep(HOST_SLOW > 1 ? 8 : 0);
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    sleep(1);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    const double used =
        (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    figure("idle instance", 100 * used, "% of a core");
    assert_true(used < 0.01 * busy());
    /* The next key is heard. */
    host_pace_begin(host);
    host_midi(host, 0, 0x91, 72, 64);
    const size_t next = heard.frames;
    listen(host, &heard, RATE / 2);
    assert_true(loudest(heard.left + next, heard.frames - next) > 0 || HOST_SLOW > 1);
    host_close(host);
    heard_end(&heard);
}

/* The velocity is the level, each key has its own texture, the last key plays. In freewheel, where
 * all is exact. */
static void export_keys(float *sound, size_t frames, int key, int velocity, int and_then)
{
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_activate(host);
    host_midi(host, 0, 0x90, (uint8_t)key, (uint8_t)velocity);
    if (and_then)
        host_midi(host, 0, 0x90, (uint8_t)and_then, (uint8_t)velocity);
    host_export(host, sound, frames, 480);
    host_close(host);
}

static void test_keys_are_textures(void **state)
{
    (void)state;
    enum { FRAMES = RATE / 2, SKIP = RATE / 10 };
    const size_t size = 2 * FRAMES * sizeof(float);
    float *one = malloc(size), *two = malloc(size), *soft = malloc(size), *last = malloc(size);
    export_keys(one, FRAMES, 60, 127, 0);
    export_keys(two, FRAMES, 61, 127, 0);
    export_keys(soft, FRAMES, 60, 32, 0);
    export_keys(last, FRAMES, 61, 127, 60);
    assert_memory_not_equal(one, two, size);
    assert_memory_equal(one, last, size);
    for (size_t i = 2 * SKIP; i < 2 * FRAMES; i++)
        assert_float_equal(soft[i], one[i] * 32 / 127, 1e-6);
    free(one);
    free(two);
    free(soft);
    free(last);
}

/* Go on the bar: frames of the block until the texture starts over, at 120 beats a minute. */
static void test_go_on_the_bar(void **state)
{
    (void)state;
    enum { BEAT = RATE / 2, FRAMES = 3 * RATE };
    const struct {
        float sync;
        size_t start;
    } cases[] = {{0, 480}, {1, BEAT}, {2, 3 * BEAT}};
    float *plain = malloc(2 * FRAMES * sizeof *plain), *gone = malloc(2 * FRAMES * sizeof *gone);
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_activate(host);
    host_export(host, plain, FRAMES, 480);
    for (size_t k = 0; k < 3; k++) {
        host_set(host, "freewheel", 0);
        host_run(host, 64);
        host_set(host, "sync", cases[k].sync);
        host_position(host, 0, BEAT, 1, 1); /* on the second beat of the first bar */
        host_export(host, gone, 480, 480);
        host_set(host, "go", 1);
        host_export(host, gone + 2 * 480, 480, 480);
        host_set(host, "go", 0);
        host_export(host, gone + 4 * 480, FRAMES - 960, 480);
        size_t first = 0;
        while (first < 2 * FRAMES && gone[first] == plain[first])
            first++;
        first /= 2;
        /* The first frame of a crossfade hardly differs. */
        assert_in_range(first, cases[k].start, cases[k].start + 4);
        /* After the crossfade it is the beginning again. */
        const size_t later = cases[k].start + RATE / 10;
        assert_memory_equal(gone + 2 * later, plain + 2 * (later - cases[k].start),
                            4096 * sizeof *gone);
    }
    host_close(host);
    free(plain);
    free(gone);
}

/* Where `part` (n frames) lies in `whole`, from frame `from` on; `frames` if nowhere. */
static size_t find(const float *whole, size_t frames, size_t from, const float *part, size_t n)
{
    for (size_t i = from; i + n <= frames; i++)
        if (!memcmp(whole + i, part, n * sizeof *part))
            return i;
    return frames;
}

/* On a machine that others use the first try may come late; under a sanitizer all do. */
static void exact_at_last(bool (*attempt)(void))
{
    bool exact = HOST_SLOW > 1;
    for (int tries = 0; tries < 4 && (!exact || tries == 0); tries++)
        exact = attempt() || exact;
    assert_true(exact);
}

/* The left channel of the texture's first second, exported; to be freed. The host is left inactive.
 */
static float *first_second(Host *host)
{
    float *plain = malloc(2 * RATE * sizeof *plain), *left = malloc(RATE * sizeof *left);
    assert_true(plain && left);
    host_activate(host);
    host_export(host, plain, RATE, 480);
    for (size_t i = 0; i < RATE; i++)
        left[i] = plain[2 * i];
    host_deactivate(host);
    host_set(host, "freewheel", 0);
    free(plain);
    return left;
}

/* The same live: what is asked for between the beats is heard on the very frame of the next one. */
static bool live_on_the_beat(void)
{
    enum { START = RATE / 10, PIECE = 2048 };
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    float *left = first_second(host);
    host_set(host, "sync", 1);
    host_activate(host);
    first_sound(host, host_seconds());
    Heard heard = heard_begin();
    listen(host, &heard, RATE / 2);
    host_position(host, 0, 0, 1, 0.25F);
    const size_t beat = heard.frames + 3 * RATE / 8; /* 120 beats a minute: RATE / 2 each */
    host_set(host, "go", 1);
    listen(host, &heard, RATE);
    const size_t found = find(heard.left, heard.frames, beat, left + START, PIECE);
    const bool exact = found == beat + START && host_get(host, "underruns") == 0;
    assert_in_range(found, beat + START, heard.frames); /* late, perhaps, but never early */
    host_close(host);
    heard_end(&heard);
    free(left);
    return exact;
}

static void test_live_on_the_beat(void **state)
{
    (void)state;
    exact_at_last(live_on_the_beat);
}

/* A key after silence: nothing of the old texture is heard before the key's own. */
static bool key_after_silence(void)
{
    enum { START = RATE / 50, PIECE = 2048 };
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_set(host, "seed", 60);
    float *left = first_second(host);
    host_set(host, "seed", 0);
    host_activate(host);
    first_sound(host, host_seconds());
    Heard heard = heard_begin();
    host_midi(host, 0, 0x90, 50, 127);
    host_midi(host, 0, 0x80, 50, 0);
    listen(host, &heard, RATE / 2);
    assert_float_equal(loudest(heard.left + heard.frames - 960, 960), 0, 0);
    const size_t pressed = heard.frames;
    host_midi(host, 0, 0x90, 60, 127);
    listen(host, &heard, RATE);
    size_t first = pressed;
    while (first < heard.frames && heard.left[first] == 0)
        first++;
    /* The stream's own first frames are faded in from silence. */
    const size_t found = find(heard.left, heard.frames, pressed, left + START, PIECE);
    const bool exact =
        found < heard.frames && first + START >= found && first + START <= found + 16;
    /* Nothing else is heard before it, if it is late. */
    assert_true(exact || first == heard.frames || found == heard.frames);
    host_close(host);
    heard_end(&heard);
    free(left);
    return exact;
}

static void test_key_after_silence(void **state)
{
    (void)state;
    exact_at_last(key_after_silence);
}

static size_t resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static void test_memory_of_an_instance(void **state)
{
    (void)state;
    enum { MORE = 4 };
    Host *hosts[1 + MORE];
    size_t before = 0;
    for (int i = 0; i <= MORE; i++) {
        hosts[i] = host_open(host_shipped_bundle(), RATE, (HostKind){0});
        host_activate(hosts[i]);
        for (int b = 0; b < 4; b++) {
            host_pace_begin(hosts[i]);
            host_run_paced(hosts[i], 1024);
            usleep(250000);
        }
        if (i == 0)
            before = resident_kib();
    }
    const double mib = (double)(resident_kib() - before) / 1024 / MORE;
    figure("memory of a further instance", mib, "MiB");
    assert_true(mib < 64 || HOST_SLOW > 1);
    for (int i = 0; i <= MORE; i++)
        host_close(hosts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_sound),           cmocka_unit_test(test_deactivate_any_time),
        cmocka_unit_test(test_knob_is_heard),         cmocka_unit_test(test_keys),
        cmocka_unit_test(test_keys_are_textures),     cmocka_unit_test(test_go_on_the_bar),
        cmocka_unit_test(test_live_on_the_beat),      cmocka_unit_test(test_key_after_silence),
        cmocka_unit_test(test_memory_of_an_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
