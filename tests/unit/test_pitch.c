/* dsp/pitch: tones of known frequency, noise, silence. */
#include "dsp/pitch.h"

#include "dsp/random.h"
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

/* Cents between what is tracked in the middle of a steady tone and what it is; high tones have but
 * a few samples a period. */
static void test_tones(void **state)
{
    (void)state;
    float x[8000];
    PitchFrame frame[8000 / PITCH_HOP + 1];
    for (double pitch = 37.0; pitch <= 96.0; pitch += 4.3) {
        memset(x, 0, sizeof x);
        tone_add(x, 8000, 0, 8000, pitch, 0.2, 0.0);
        assert_int_equal(pitch_track(x, 8000, frame, NULL), 0);
        for (size_t f = 10; f < 50; f++) {
            check_near(1200.0 * log2((double)frame[f].hertz / tone_hertz(pitch)), 0.0,
                       pitch < 80.0 ? 6.0 : 20.0);
            assert_true(frame[f].period > 0.95F);
        }
    }
}

/* The pitch is the common period, whether or not the fundamental sounds. */
static void test_missing_fundamental(void **state)
{
    (void)state;
    float x[8000];
    PitchFrame frame[8000 / PITCH_HOP + 1];
    for (size_t i = 0; i < 8000; i++)
        x[i] = (float)(0.1 * (cos(0.2 * (double)i) + cos(0.3 * (double)i) + cos(0.4 * (double)i)));
    assert_int_equal(pitch_track(x, 8000, frame, NULL), 0);
    check_near((double)frame[30].hertz, 0.1 * PITCH_RATE / 6.283185307, 1.0);
}

static void test_level(void **state)
{
    (void)state;
    float x[8000];
    PitchFrame frame[8000 / PITCH_HOP + 1];
    for (size_t i = 0; i < 8000; i++)
        x[i] = (float)(0.5 * cos(6.283185307 * 500.0 / PITCH_RATE * (double)i));
    assert_int_equal(pitch_track(x, 8000, frame, NULL), 0);
    check_near((double)frame[30].level, 0.5 / sqrt(2.0), 1e-3);
}

static void test_no_pitch(void **state)
{
    (void)state;
    static float x[16000];
    PitchFrame frame[16000 / PITCH_HOP + 1];
    assert_int_equal(pitch_track(x, 16000, frame, NULL), 0);
    for (size_t f = 0; f < pitch_frames(16000); f++)
        assert_true(frame[f].hertz == 0.0F && frame[f].level == 0.0F);
    random_gaussian(1, 1, 0, x, 16000);
    assert_int_equal(pitch_track(x, 16000, frame, NULL), 0);
    size_t voiced = 0;
    for (size_t f = 0; f < pitch_frames(16000); f++)
        voiced += frame[f].hertz > 0.0F;
    assert_true(voiced < pitch_frames(16000) / 10);
}

static void test_lengths(void **state)
{
    (void)state;
    float x[300] = {0.5F};
    PitchFrame frame[4];
    for (size_t n = 0; n <= 300; n += 50)
        assert_int_equal(pitch_track(x, n, frame, NULL), 0);
    assert_int_equal(pitch_frames(0), 1);
    assert_int_equal(pitch_frames(128), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tones),   cmocka_unit_test(test_missing_fundamental),
        cmocka_unit_test(test_level),   cmocka_unit_test(test_no_pitch),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
