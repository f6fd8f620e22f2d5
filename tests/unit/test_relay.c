/* Relays: the same as one resampler but for rounding, gone on with anywhere to the bit. */
#include "dsp/relay.h"

#include "dsp/random.h"
#include "dsp/resample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 200000, CHANNELS = 2 };

static const double pairs[][2] = {{44100, 48000}, {44100, 44100}, {44100, 8000}, {16000, 48000},
                                  {44100, 96000}, {44100, 1000},  {8000, 48000}, {44100, 47999}};
enum { PAIRS = sizeof pairs / sizeof pairs[0] };

static float input[LENGTH * CHANNELS];

/* Where the next input frame lies; frames beyond the end are a failure. */
typedef struct Tape {
    uint64_t at, asked;
    bool breaks;
} Tape;

static int play(void *user, float *frames, size_t n, Error *err)
{
    Tape *tape = user;
    if (tape->breaks || tape->at + n > LENGTH)
        return error_set(err, "the tape is at its end");
    memcpy(frames, input + tape->at * CHANNELS, n * CHANNELS * sizeof *frames);
    tape->at += n;
    tape->asked += n;
    return 0;
}

static int make_noise(void **state)
{
    (void)state;
    random_gaussian(1, 2, 0, input, LENGTH * CHANNELS);
    for (size_t i = 0; i < LENGTH * CHANNELS; i++)
        input[i] *= 0.2f;
    return 0;
}

static Relay *create(size_t pair, Tape *tape)
{
    Error err = {""};
    Relay *relay = relay_create(pairs[pair][0], pairs[pair][1], CHANNELS, play, tape, &err);
    if (!relay)
        fail_msg("%s", err.message);
    return relay;
}

/* Frames that can be read before the tape's end. */
static size_t frames_of(size_t pair)
{
    return (size_t)((LENGTH - 80000) * pairs[pair][1] / pairs[pair][0]);
}

static void read_all(Relay *relay, float *out, size_t n, size_t piece)
{
    Error err = {""};
    for (size_t done = 0; done < n; done += piece)
        if (relay_read(relay, out + done * CHANNELS, n - done < piece ? n - done : piece, &err))
            fail_msg("%s", err.message);
}

static float *room(size_t n)
{
    float *sound = malloc(n * CHANNELS * sizeof *sound);
    assert_non_null(sound);
    return sound;
}

/* No seam: the difference from one resampler is that of rounding, also where stretches meet. */
static void test_is_one_resampler(void **state)
{
    (void)state;
    for (size_t p = 0; p < PAIRS; p++) {
        const size_t n = frames_of(p);
        Tape tape = {0};
        Relay *relay = create(p, &tape);
        float *sound = room(n), *whole;
        size_t count;
        read_all(relay, sound, n, 777);
        assert_true(relay_position(relay) == n);
        assert_int_equal(
            resampler_all(input, LENGTH, CHANNELS, pairs[p][0], pairs[p][1], &whole, &count, NULL),
            0);
        assert_true(count >= n);
        double most = 0.0;
        for (size_t i = 0; i < n * CHANNELS; i++)
            most = fmax(most, fabs((double)sound[i] - (double)whole[i]));
        print_message("%g to %g Hz: %.1f dB\n", pairs[p][0], pairs[p][1],
                      20.0 * log10(most + 1e-12));
        /* The noise is at -14 dB. Where rates meet once a second alone libsoxr's clock is off. */
        assert_true(most < (pairs[p][1] == 47999 ? 2e-5 : 2e-6));
        free(whole);
        free(sound);
        relay_destroy(relay);
    }
}

static void test_pieces(void **state)
{
    (void)state;
    const size_t pieces[] = {1, 63, 512, 100000};
    for (size_t p = 0; p < PAIRS; p++) {
        const size_t n = frames_of(p) / 2;
        Tape tape = {0};
        Relay *relay = create(p, &tape);
        float *sound = room(n), *other = room(n);
        read_all(relay, sound, n, 1000);
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            relay_seek(relay, 0, 0);
            tape.at = 0;
            read_all(relay, other, n, pieces[i]);
            assert_memory_equal(sound, other, n * CHANNELS * sizeof *sound);
        }
        free(sound);
        free(other);
        relay_destroy(relay);
    }
}

/* From anywhere: to the bit from the stretch's own beginning, but for rounding from nearer. */
static void test_seek(void **state)
{
    (void)state;
    for (size_t p = 0; p < PAIRS; p++) {
        const size_t n = frames_of(p);
        Tape tape = {0};
        Relay *relay = create(p, &tape), *fresh;
        float *sound = room(n), *other = room(n);
        read_all(relay, sound, n, 1000);
        for (size_t k = 0; k < 20; k++) {
            const uint64_t frame = k * 7919 * n / (20 * 7919) + k;
            fresh = create(p, &tape);
            tape.at = relay_origin(fresh, frame);
            assert_true((double)tape.at <= (double)frame * pairs[p][0] / pairs[p][1]);
            relay_seek(fresh, tape.at, frame);
            assert_true(relay_position(fresh) == frame);
            read_all(fresh, other, n - (size_t)frame, 100);
            assert_memory_equal(other, sound + frame * CHANNELS,
                                (n - (size_t)frame) * CHANNELS * sizeof *other);
            tape.at = relay_near(fresh, frame);
            const uint64_t end = relay_stretch_end(fresh, frame);
            relay_seek(fresh, tape.at, frame);
            read_all(fresh, other, n - (size_t)frame, 333);
            for (size_t i = 0; i < (n - (size_t)frame) * CHANNELS; i++) {
                const float expected = sound[frame * CHANNELS + i];
                const bool same_stretch = frame + i / CHANNELS < end;
                if (!(fabsf(other[i] - expected) <= (same_stretch ? 2e-5f : 0.0f)))
                    fail_msg("%g to %g Hz, %zu frames after frame %llu: %.9g, not %.9g",
                             pairs[p][0], pairs[p][1], i / CHANNELS, (unsigned long long)frame,
                             (double)other[i], (double)expected);
            }
            relay_destroy(fresh);
        }
        free(sound);
        free(other);
        relay_destroy(relay);
    }
}

static void test_rates_that_never_meet(void **state)
{
    (void)state;
    enum { FRAMES = 50000 };
    static float sound[FRAMES * CHANNELS], other[FRAMES * CHANNELS];
    Tape tape = {0};
    Relay *relay = relay_create(44100, 48000.5, CHANNELS, play, &tape, NULL);
    assert_true(relay_stretch_end(relay, 12345) == UINT64_MAX);
    assert_true(relay_origin(relay, 12345) == 0);
    read_all(relay, sound, FRAMES, 1000);
    tape.at = 0;
    relay_seek(relay, 0, 20000);
    read_all(relay, other, FRAMES - 20000, 1000);
    assert_memory_equal(other, sound + 20000 * CHANNELS,
                        (FRAMES - 20000) * CHANNELS * sizeof *other);
    relay_destroy(relay);
}

static void test_failures(void **state)
{
    (void)state;
    Error err = {""};
    Tape tape = {.breaks = true};
    float sound[2 * CHANNELS];
    assert_null(relay_create(44100, 3, CHANNELS, play, &tape, &err));
    assert_null(relay_create(44100, 48000, 3, play, &tape, &err));
    Relay *relay = relay_create(44100, 48000, CHANNELS, play, &tape, &err);
    assert_int_equal(relay_read(relay, sound, 2, &err), -1);
    assert_string_equal(err.message, "the tape is at its end");
    relay_destroy(relay);
    relay_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_one_resampler),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_seek),
        cmocka_unit_test(test_rates_that_never_meet),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, make_noise, NULL);
}
