/* models/melody_features (with dsp/partials and models/melody_condition): tunes whose partials are
 * known; bad input. */
#include "models/melody_features.h"

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

#define LENGTH (4 * MELODY_RATE)

static double decibels(const float *x, const float *y, size_t from, size_t to)
{
    double left = 0.0, all = 1e-20;
    for (size_t i = from; i < to; i++) {
        left += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        all += (double)x[i] * (double)x[i];
    }
    return 10.0 * log10(left / all + 1e-20);
}

/* The anchor is the tune, in phase; nothing sounds before the first onset. */
static void test_tune(void **state)
{
    (void)state;
    static float x[LENGTH];
    double pitch[24];
    tone_tune(x, LENGTH, 4.0, pitch);
    MelodyFeatures features;
    assert_int_equal(melody_features_make(x, LENGTH, &features, NULL), 0);
    assert_int_equal(features.samples, LENGTH);
    assert_int_equal(features.frames, LENGTH / MELODY_HOP);
    assert_true(features.sure > 0.85F);
    assert_true(decibels(x, features.anchor, 0, LENGTH) < -25.0);
    for (size_t i = 0; i < 1500; i++)
        assert_true(features.anchor[i] == 0.0F);
    for (size_t i = 0; i < 14; i++) {
        /* In the middle of note i. */
        const size_t frame = (1600 + 4000 * i + 2000) / MELODY_HOP;
        const float *c = features.condition + frame * MELODY_CONDITION;
        check_near((double)features.period[frame], MELODY_RATE / tone_hertz(pitch[i]), 0.15);
        check_near((double)c[0], (pitch[i] - 69.0) / 12.0, 0.005);
        assert_true(c[1] > 0.98F);
        assert_true(c[22] < -1.2F && c[25] < -1.2F);
        check_near((double)c[29], exp(-0.127 / 0.12), 0.02);
        assert_true(c[30] == 0.0F && c[31] == 1.0F && c[32] == 1.0F);
    }
    melody_features_clear(&features);
}

/* An attack is sharp: just after each onset the anchor already explains most of the sound. */
static void test_attacks(void **state)
{
    (void)state;
    static float x[LENGTH];
    memset(x, 0, sizeof x);
    for (size_t i = 0; i < 7; i++)
        tone_add(x, LENGTH, 1600 + 8000 * i, 7000, 62.0 + (double)(i * 4 % 9), 0.2, 6.0);
    MelodyFeatures features;
    assert_int_equal(melody_features_make(x, LENGTH, &features, NULL), 0);
    for (size_t i = 0; i < 7; i++)
        assert_true(decibels(x, features.anchor, 1600 + 8000 * i, 1600 + 8000 * i + 160) < -6.0);
    melody_features_clear(&features);
}

/* A bar's partials, far from harmonic, and noise beside them: both are measured. */
static void test_bars_and_noise(void **state)
{
    (void)state;
    static float x[LENGTH], noise[LENGTH];
    memset(x, 0, sizeof x);
    for (size_t i = 0; i < 7; i++) {
        const double hertz = tone_hertz(72.0 + (double)(i * 2));
        for (size_t t = 0; t < 8000; t++)
            for (int p = 0; p < 3; p++) {
                static const double ratio[3] = {1.0, 3.932, 9.538};
                if (ratio[p] * hertz < 7600.0)
                    x[1600 + 8000 * i + t] +=
                        (float)(0.1 / (p + 1) * fmin(1.0, (double)t / 48.0) *
                                exp(-(8.0 + 4.0 * p) * (double)t / MELODY_RATE) *
                                cos(6.283185307 * ratio[p] * hertz / MELODY_RATE * (double)t));
            }
    }
    random_gaussian(1, 1, 0, noise, LENGTH);
    MelodyFeatures features;
    assert_int_equal(melody_features_make(x, LENGTH, &features, NULL), 0);
    assert_true(decibels(x, features.anchor, 0, 57600) < -20.0);
    melody_features_clear(&features);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] += 0.003F * noise[i];
    assert_int_equal(melody_features_make(x, LENGTH, &features, NULL), 0);
    double power = 0.0;
    for (size_t f = 200; f < 300; f++)
        power += (double)features.condition[f * MELODY_CONDITION + 25] / 100.0;
    /* Half of the noise lies in 4-8 kHz. */
    check_near(20.0 * power + (double)features.level, 20.0 * log10(0.003) - 3.0, 2.0);
    melody_features_clear(&features);
}

static void test_bad_input(void **state)
{
    (void)state;
    static float x[LENGTH];
    MelodyFeatures features;
    for (size_t n = 0; n < 2000; n += 333) {
        assert_int_equal(melody_features_make(x, n, &features, NULL), 0);
        assert_int_equal(features.frames, (n + 63) / 64);
        melody_features_clear(&features);
    }
    for (int kind = 0; kind < 4; kind++) {
        random_gaussian(2, 3, 0, x, LENGTH);
        for (size_t i = 0; i < LENGTH; i++)
            x[i] = kind == 0     ? 0.0F
                   : kind == 1   ? NAN
                   : kind == 2   ? 1e30F * x[i]
                   : x[i] > 0.0F ? 1.0F
                                 : -1.0F;
        assert_int_equal(melody_features_make(x, LENGTH, &features, NULL), 0);
        assert_true(features.sure < NOTES_UNSURE);
        for (size_t i = 0; i < LENGTH; i++)
            assert_true(isfinite(features.anchor[i]));
        for (size_t i = 0; i < features.frames * MELODY_CONDITION; i++)
            assert_true(isfinite(features.condition[i]) && fabsf(features.condition[i]) < 20.0F);
        melody_features_clear(&features);
    }
    Error err = {""};
    assert_int_equal(melody_features_make(x, NOTES_LONGEST + 1, &features, &err), -1);
    assert_true(err.message[0] != '\0');
    assert_null(features.anchor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tune),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_bars_and_noise),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
