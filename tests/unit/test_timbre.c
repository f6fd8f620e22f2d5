/* models/timbre: from a prompt that is a known tune to notes in its timbre. */
#include "models/timbre.h"

#include "tests/unit/melody_tones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

#define PROMPT (4 * MELODY_RATE)

/* A prompt of falling tones, cut at n samples, analysed. */
static Timbre *learn(float *x, size_t n, double fall)
{
    double pitch[24];
    tone_tune(x, PROMPT, fall, pitch);
    Notes notes;
    Partials partials;
    assert_int_equal(notes_analyse(x, n, &notes, NULL), 0);
    assert_int_equal(partials_measure(x, n, &notes, &partials, NULL), 0);
    Timbre *timbre = timbre_create(x, n, &notes, &partials, NULL);
    assert_non_null(timbre);
    partials_clear(&partials);
    notes_clear(&notes);
    return timbre;
}

static void frames(TimbreStream *stream, size_t count, float *anchor)
{
    float condition[MELODY_CONDITION], period;
    for (size_t f = 0; f < count; f++) {
        timbre_stream_frame(stream, anchor + f * MELODY_HOP, condition, &period);
        for (size_t i = 0; i < MELODY_CONDITION; i++)
            assert_true(isfinite(condition[i]));
    }
}

static double rms(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum / (double)n);
}

/* Cut in the middle of a note, the anchor goes on as the tune does, in phase. */
static void test_join(void **state)
{
    (void)state;
    static float x[PROMPT], anchor[2048];
    const size_t cut = 1600 + 4000 * 12 + 1500;
    Timbre *timbre = learn(x, cut, 4.0);
    TimbreStream *stream = timbre_stream_create(timbre, 1, 4000, NULL);
    assert_non_null(stream);
    frames(stream, 8, anchor);
    double left = 0.0;
    for (size_t i = 0; i < 256; i++)
        left += pow((double)anchor[i] - (double)x[cut + i], 2.0);
    assert_true(sqrt(left / 256.0) < 0.15 * rms(x + cut, 256));
    timbre_stream_destroy(stream);
    timbre_destroy(timbre);
}

/* A planned note has the pitch that was asked for, is silent before, falls as the prompt's notes do
 * however long it is held, and dies away when it is let go. */
static void test_note(void **state)
{
    (void)state;
    static float x[PROMPT], anchor[40 * 1024];
    static PitchFrame track[40 * 1024 / PITCH_HOP + 1];
    Timbre *timbre = learn(x, PROMPT, 4.0);
    TimbreStream *stream = timbre_stream_create(timbre, 1, 0, NULL);
    const PlannedNote note = {.onset = 8000, .off = 24000, .pitch = 66.5F, .level = NAN};
    assert_int_equal(timbre_stream_note(stream, &note), 1);
    frames(stream, 640, anchor);
    assert_int_equal(timbre_stream_time(stream), 40960);
    assert_true(rms(anchor + 6000, 2000) < 1e-3);
    assert_int_equal(pitch_track(anchor, 40960, track, NULL), 0);
    for (size_t f = 8800 / PITCH_HOP; f < 20000 / PITCH_HOP; f++)
        check_near(1200.0 * log2((double)track[f].hertz / tone_hertz(66.5)), 0.0, 10.0);
    const double first = 20.0 * log10(rms(anchor + 9000, 500));
    const double later = 20.0 * log10(rms(anchor + 21000, 500));
    check_near(later - first, -4.0 * 8.686 * 0.75, 6.0);
    assert_true(rms(anchor + 8000, 64) > 0.1 * rms(anchor + 8200, 64));
    assert_true(rms(anchor + 28000, 1000) < 0.06 * rms(anchor + 23000, 900));
    timbre_stream_destroy(stream);
    timbre_destroy(timbre);
}

static void test_level(void **state)
{
    (void)state;
    static float x[PROMPT], loud[8192], soft[8192];
    Timbre *timbre = learn(x, PROMPT, 4.0);
    for (int i = 0; i < 2; i++) {
        TimbreStream *stream = timbre_stream_create(timbre, 1, 0, NULL);
        const PlannedNote note = {
            .onset = 4096, .off = 8192, .pitch = 64.0F, .level = i ? -32.0F : -20.0F};
        timbre_stream_note(stream, &note);
        frames(stream, 128, i ? soft : loud);
        timbre_stream_destroy(stream);
    }
    check_near(20.0 * log10(rms(loud + 4400, 512)), -20.0, 2.0);
    check_near(20.0 * log10(rms(soft + 4400, 512)), -32.0, 2.0);
    timbre_destroy(timbre);
}

/* The same bits for the same seed; nothing grows however long it runs; too many notes are refused.
 */
static void test_for_ever(void **state)
{
    (void)state;
    static float x[PROMPT], first[64 * 100], again[64 * 100];
    Timbre *timbre = learn(x, PROMPT, 4.0);
    for (int run = 0; run < 2; run++) {
        TimbreStream *stream = timbre_stream_create(timbre, 9, 0, NULL);
        for (size_t i = 0; i < 300; i++) {
            const PlannedNote note = {.onset = 3000 * i,
                                      .off = 3000 * i + 2900,
                                      .pitch = 55.0F + (float)(i * 7 % 24),
                                      .level = NAN};
            assert_true(timbre_stream_note(stream, &note) > 0);
            while (timbre_stream_time(stream) + 6400 < 3000 * (i + 1)) {
                frames(stream, 1, again);
                assert_true(rms(again, 64) < 1.0);
            }
        }
        frames(stream, 100, run ? again : first);
        timbre_stream_destroy(stream);
    }
    assert_memory_equal(first, again, sizeof first);
    TimbreStream *stream = timbre_stream_create(timbre, 9, 0, NULL);
    const PlannedNote note = {.onset = 100, .off = 200, .pitch = 60.0F, .level = NAN};
    for (int i = 0; i < TIMBRE_WAITING; i++)
        assert_int_equal(timbre_stream_note(stream, &note), i + 1);
    assert_int_equal(timbre_stream_note(stream, &note), -1);
    timbre_stream_destroy(stream);
    timbre_destroy(timbre);
}

static void test_nothing_to_learn(void **state)
{
    (void)state;
    static float x[8000];
    Notes notes;
    Partials partials;
    Error err = {""};
    assert_int_equal(notes_analyse(x, 8000, &notes, NULL), 0);
    assert_int_equal(partials_measure(x, 8000, &notes, &partials, NULL), 0);
    assert_null(timbre_create(x, 8000, &notes, &partials, &err));
    assert_non_null(strstr(err.message, "no note"));
    partials_clear(&partials);
    notes_clear(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_note),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_for_ever),
        cmocka_unit_test(test_nothing_to_learn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
