/* dsp/noise_bands: filters that add up, white noise shared by width, levels that come back. */
#include "dsp/noise_bands.h"

#include "dsp/random.h"

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

static void test_filters(void **state)
{
    (void)state;
    float taps[NOISE_BANDS * NOISE_BANDS_TAPS];
    noise_bands_filters(taps);
    for (size_t i = 0; i < NOISE_BANDS_TAPS; i++) {
        double sum = 0.0;
        for (size_t b = 0; b < NOISE_BANDS; b++)
            sum += (double)taps[b * NOISE_BANDS_TAPS + i];
        check_near(sum, i == NOISE_BANDS_TAPS / 2 ? 1.0 : 0.0, 1e-6);
    }
    /* Gain of each band in its middle and in the middle of the others. */
    static const double middle[NOISE_BANDS] = {500.0, 1500.0, 3000.0, 6000.0};
    for (size_t b = 0; b < NOISE_BANDS; b++)
        for (size_t m = 0; m < NOISE_BANDS; m++) {
            double gain = 0.0;
            for (size_t i = 0; i < NOISE_BANDS_TAPS; i++)
                gain += (double)taps[b * NOISE_BANDS_TAPS + i] *
                        cos(6.283185307179586 * middle[m] / 16000.0 *
                            ((double)i - NOISE_BANDS_TAPS / 2));
            check_near(gain, b == m ? 1.0 : 0.0, 0.01);
        }
}

static void test_white(void **state)
{
    (void)state;
    enum { N = 64000, FRAMES = N / 64 };
    static float x[N], power[FRAMES * NOISE_BANDS];
    static const double share[NOISE_BANDS] = {0.125, 0.125, 0.25, 0.5};
    random_gaussian(5, 6, 0, x, N);
    assert_int_equal(noise_bands_measure(x, N, NULL, 0, power, NULL), 0);
    for (size_t b = 0; b < NOISE_BANDS; b++) {
        double sum = 0.0;
        for (size_t f = 4; f < FRAMES - 4; f++)
            sum += (double)power[f * NOISE_BANDS + b] / (FRAMES - 8);
        check_near(sum / share[b], 1.0, 0.12);
    }
}

/* What is made has the level that was asked for, and any part of it is the same part. */
static void test_make(void **state)
{
    (void)state;
    enum { FRAMES = 1000 };
    static float asked[(FRAMES + 2) * NOISE_BANDS], x[FRAMES * 64], again[64],
        power[FRAMES * NOISE_BANDS];
    for (size_t f = 0; f < FRAMES + 2; f++)
        for (size_t b = 0; b < NOISE_BANDS; b++)
            asked[f * NOISE_BANDS + b] = b == 2 ? 0.04F : 0.0001F * (float)(b + 1);
    noise_bands_make(asked + NOISE_BANDS, FRAMES, 7, 8, 0, x);
    noise_bands_make(asked + 11 * NOISE_BANDS, 1, 7, 8, 10, again);
    assert_memory_equal(again, x + 640, sizeof again);
    assert_int_equal(noise_bands_measure(x, FRAMES * 64, NULL, 0, power, NULL), 0);
    double sum = 0.0;
    for (size_t f = 4; f < FRAMES - 4; f++)
        sum += (double)power[f * NOISE_BANDS + 2] / (FRAMES - 8);
    check_near(10.0 * log10(sum / 0.04), 0.0, 0.5);
}

/* A level that leaps at an onset is not smeared across it. */
static void test_onset(void **state)
{
    (void)state;
    enum { N = 12800 };
    static float x[N], power[N / 64 * NOISE_BANDS];
    const size_t onset[1] = {6400};
    random_gaussian(5, 7, 6400, x + 6400, 6400);
    assert_int_equal(noise_bands_measure(x, N, onset, 1, power, NULL), 0);
    for (size_t b = 0; b < NOISE_BANDS; b++) {
        assert_true(power[98 * NOISE_BANDS + b] == 0.0F);
        assert_true(power[101 * NOISE_BANDS + b] > 0.03F);
    }
    assert_int_equal(noise_bands_measure(x, 0, NULL, 0, power, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_white),
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_onset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
