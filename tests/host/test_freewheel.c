/* Exports: without a gap, the same each time, however the host cuts its blocks, with other
 * instances beside, and the same to the bit as `brume render`. */
#include "tests/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = 48000, FRAMES = 2 * RATE };

static float *sound_room(size_t frames)
{
    float *sound = malloc(2 * frames * sizeof *sound);
    assert_non_null(sound);
    return sound;
}

/* Equal as numbers (+0 and -0 are), with no silence of a millisecond in it. */
static void assert_same_sound(const float *a, const float *b, size_t frames)
{
    size_t quiet = 0;
    for (size_t i = 0; i < 2 * frames; i++) {
        if (a[i] != b[i])
            fail_msg("sample %zu of frame %zu differs: %.9g, %.9g", i % 2, i / 2, (double)a[i],
                     (double)b[i]);
        quiet = a[i] == 0.0F ? quiet + 1 : 0;
        assert_true(quiet < 2 * 48);
    }
}

/* An export of a new instance. */
static void export_anew(float *out, size_t frames, uint32_t block, float seed)
{
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_set(host, "seed", seed);
    host_activate(host);
    host_export(host, out, frames, block);
    host_close(host);
}

static void test_twice_the_same(void **state)
{
    (void)state;
    float *first = sound_room(FRAMES), *second = sound_room(FRAMES);
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_activate(host);
    host_export(host, first, FRAMES, 1024);
    /* Some live playing between. */
    host_set(host, "freewheel", 0);
    host_pace_begin(host);
    for (int i = 0; i < 100; i++)
        host_run_paced(host, 128);
    host_export(host, second, FRAMES, 1024);
    assert_same_sound(first, second, FRAMES);
    host_close(host);
    free(first);
    free(second);
}

static void test_any_blocks_the_same(void **state)
{
    (void)state;
    const uint32_t blocks[] = {63, 64, 4096, 16384};
    float *first = sound_room(FRAMES), *second = sound_room(FRAMES);
    export_anew(first, FRAMES, 1024, 3);
    for (size_t k = 0; k < sizeof blocks / sizeof blocks[0]; k++) {
        export_anew(second, FRAMES, blocks[k], 3);
        assert_same_sound(first, second, FRAMES);
    }
    free(first);
    free(second);
}

/* The transport starts after some blocks that stand still, as in Ardour: from there it is the same.
 */
static void export_from_start(Host *host, float *out, int before)
{
    host_set(host, "freewheel", 1);
    host_position(host, 0, 0, 0, 0);
    for (int i = 0; i < before; i++)
        host_run(host, 512);
    host_position(host, 0, 0, 1, 0);
    host_export(host, out, FRAMES, 512);
    host_position(host, 0, FRAMES, 0, 0);
    host_run(host, 512);
    host_set(host, "freewheel", 0);
    host_run(host, 512);
}

static void test_from_the_transport_s_start(void **state)
{
    (void)state;
    float *first = sound_room(FRAMES), *second = sound_room(FRAMES);
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_activate(host);
    export_from_start(host, first, 3);
    host_midi(host, 0, 0x90, 40, 20); /* a key that is not released before the second export */
    host_run(host, 512);
    export_from_start(host, second, 11);
    assert_same_sound(first, second, FRAMES);
    export_anew(second, FRAMES, 512, 0);
    assert_same_sound(first, second, FRAMES);
    host_close(host);
    free(first);
    free(second);
}

/* Knobs and keys move in the middle. */
static void export_moving(float *out)
{
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_activate(host);
    for (size_t b = 0; b < FRAMES / 512; b++) {
        if (b == 40)
            host_set(host, "texture", 0); /* the default is the last class */
        if (b >= 60 && b < 90)
            host_set(host, "morph", (float)(b - 60) / 30.0F);
        if (b == 100)
            host_midi(host, 17, 0x90, 64, 127);
        if (b == 110)
            host_midi(host, 200, 0x90, 67, 127);
        if (b == 120)
            host_midi(host, 300, 0x80, 67, 0);
        if (b == 140)
            host_set(host, "seed", 99);
        host_export(host, out + 2 * 512 * b, 512, 512);
    }
    host_close(host);
}

static void test_with_moves_the_same(void **state)
{
    (void)state;
    enum { WHOLE = FRAMES / 512 * 512 };
    float *first = sound_room(FRAMES), *second = sound_room(FRAMES), *still = sound_room(FRAMES);
    export_moving(first);
    export_moving(second);
    assert_same_sound(first, second, WHOLE);
    /* And the moves are heard from their very block on. */
    export_anew(still, WHOLE, 512, 0);
    assert_same_sound(first, still, 40 * 512);
    assert_memory_not_equal(first + 2 * 512 * 42, still + 2 * 512 * 42, 2 * 512 * sizeof *first);
    free(first);
    free(second);
    free(still);
}

typedef struct Player {
    pthread_t thread;
    Host *host;
    float *sound;
} Player;

static void *play(void *user)
{
    Player *player = user;
    host_export(player->host, player->sound, FRAMES / 2, 256);
    return NULL;
}

/* Opened and closed one after another, as hosts do it (lilv is not made for more); run at once. */
static void test_eight_at_once(void **state)
{
    (void)state;
    enum { INSTANCES = 8 };
    Player players[INSTANCES];
    float *alone = sound_room(FRAMES / 2);
    for (int i = 0; i < INSTANCES; i++) {
        players[i] = (Player){.sound = sound_room(FRAMES / 2)};
        players[i].host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
        host_set(players[i].host, "seed", (float)(i / 2));
        host_activate(players[i].host);
    }
    for (int i = 0; i < INSTANCES; i++)
        assert_int_equal(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
    for (int i = 0; i < INSTANCES; i++)
        pthread_join(players[i].thread, NULL);
    for (int i = 0; i < INSTANCES; i++) {
        host_close(players[i].host);
        if (i % 2 == 0)
            export_anew(alone, FRAMES / 2, 1024, (float)(i / 2));
        assert_same_sound(players[i].sound, alone, FRAMES / 2);
        free(players[i].sound);
    }
    free(alone);
}

static void read_sound(const char *path, float *to, size_t frames, int rate)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(info.samplerate, rate);
    assert_int_equal(info.channels, 2);
    assert_int_equal(sf_readf_float(file, to, (sf_count_t)frames), (sf_count_t)frames);
    sf_close(file);
}

/* `brume render` and an export with the same words. */
static void check_render(const char *bundle, int rate, int seconds, int seed, const char *class_,
                         float index)
{
    const size_t frames = (size_t)rate * (size_t)seconds;
    float *rendered = sound_room(frames), *exported = sound_room(frames);
    const char *build = getenv("BUILD");
    char path[] = "/tmp/brume-render-XXXXXX.wav";
    char command[12000];
    close(mkstemps(path, 4));
    snprintf(command, sizeof command,
             "'%s/brume' render --model '%s/models/texture.safetensors' --rate %d --seconds %d "
             "--seed %d --class '%s' --quiet -o '%s'",
             build ? build : "build", bundle, rate, seconds, seed, class_, path);
    assert_int_equal(system(command), 0);
    read_sound(path, rendered, frames, rate);
    unlink(path);
    Host *host = host_open(bundle, rate, (HostKind){0});
    host_set(host, "seed", (float)seed);
    host_set(host, "texture", index);
    host_activate(host);
    host_export(host, exported, frames, 1000);
    assert_same_sound(rendered, exported, frames);
    host_close(host);
    free(rendered);
    free(exported);
}

static void test_equals_render(void **state)
{
    (void)state;
    check_render(host_tiny_bundle(), 44100, 5, 5, "fire", 0);
    check_render(host_tiny_bundle(), 48000, 5, 65535, "rain", 1);
    check_render(host_tiny_bundle(), 8000, 5, 0, "rain", 1);
    check_render(host_tiny_bundle(), 96000, 2, 1, "rain", 7);
}

static void test_shipped_equals_render(void **state)
{
    (void)state;
    check_render(host_shipped_bundle(), 48000, 3, 7, "boat", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twice_the_same),
        cmocka_unit_test(test_any_blocks_the_same),
        cmocka_unit_test(test_from_the_transport_s_start),
        cmocka_unit_test(test_with_moves_the_same),
        cmocka_unit_test(test_eight_at_once),
        cmocka_unit_test(test_equals_render),
        cmocka_unit_test(test_shipped_equals_render),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
