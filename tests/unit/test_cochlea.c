/* dsp/cochlea: envelopes of sines, steady and modulated, and of Gaussian noise, that are known. */
#include "dsp/cochlea.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

/* 12 s: three blocks. The ends, where a mirrored sine turns, are left out. */
enum { SECONDS = 12, LENGTH = SECONDS * COCHLEA_RATE, FRAMES = SECONDS * COCHLEA_FRAME_RATE };
enum { EDGE = COCHLEA_FRAME_RATE / 2 };

static float sound[LENGTH], envelopes[FRAMES * COCHLEA_BANDS], power[FRAMES];

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

/* Amplitude 0.25, modulated by `depth` at 4 Hz. */
static void run_sine(double hz, double depth)
{
    const double turn = 2.0 * acos(-1.0) / COCHLEA_RATE;
    for (size_t i = 0; i < LENGTH; i++)
        sound[i] = (float)(0.25 * (1.0 + depth * sin(turn * 4.0 * (double)i)) *
                           sin(turn * hz * (double)i));
    Cochlea *cochlea = cochlea_create(NULL);
    assert_non_null(cochlea);
    cochlea_run(cochlea, sound, LENGTH, envelopes, power);
    cochlea_destroy(cochlea);
}

static double envelope_at(size_t frame, size_t band)
{
    return (double)envelopes[frame * COCHLEA_BANDS + band];
}

/* In its own band a sine's envelope is its amplitude; the neighbours' reach ends there (what the
 * mirrored ends leak is 35 dB lower). */
static void test_sine_at_a_centre(void **state)
{
    (void)state;
    for (size_t b = 1; b < COCHLEA_BANDS; b += 9) {
        run_sine(cochlea_centre(b), 0.0);
        for (size_t f = EDGE; f < FRAMES - EDGE; f++) {
            check_near(envelope_at(f, b), pow(0.25, 0.3), 2e-3);
            assert_true(envelope_at(f, b - 1) < 0.3 * pow(0.25, 0.3));
        }
    }
}

/* Squares of weights add up to 1 everywhere: halfway, in numbers of bandwidths, each is a half. */
static void test_sine_between_two_centres(void **state)
{
    (void)state;
    const double corner = 24.7 * 9.265;
    const double hz = sqrt((cochlea_centre(14) + corner) * (cochlea_centre(15) + corner)) - corner;
    run_sine(hz, 0.0);
    for (size_t b = 14; b < 16; b++)
        for (size_t f = EDGE; f < FRAMES - EDGE; f++)
            check_near(envelope_at(f, b), pow(0.25 * sqrt(0.5), 0.3), 2e-3);
}

/* The envelope is followed at its time, over the joins of blocks too. */
static void test_modulated_sine(void **state)
{
    (void)state;
    const double turn = 2.0 * acos(-1.0) / COCHLEA_FRAME_RATE;
    run_sine(cochlea_centre(20), 0.8);
    for (size_t f = EDGE; f < FRAMES - EDGE; f++) {
        const double amplitude = 0.25 * (1.0 + 0.8 * sin(turn * 4.0 * (double)f));
        check_near(envelope_at(f, 20), pow(amplitude, 0.3), 4e-3);
        check_near((double)power[f], 0.5 * amplitude * amplitude, 4e-3);
    }
}

/* A narrow band of Gaussian noise has a Rayleigh envelope r: deviation over mean of r^0.3 is known,
 * and slow enough for the frames in the lowest bands. */
static void test_noise(void **state)
{
    (void)state;
    random_gaussian(7, 1, 0, sound, LENGTH);
    Cochlea *cochlea = cochlea_create(NULL);
    assert_non_null(cochlea);
    cochlea_run(cochlea, sound, LENGTH, envelopes, power);
    cochlea_destroy(cochlea);
    double mean = 0.0, variation = 0.0;
    for (size_t b = 0; b < 6; b++) {
        double sum = 0.0, squares = 0.0;
        for (size_t f = 0; f < FRAMES; f++) {
            sum += envelope_at(f, b);
            squares += envelope_at(f, b) * envelope_at(f, b);
        }
        sum /= FRAMES;
        mean += sum / 6.0;
        variation += sqrt(squares / FRAMES - sum * sum) / sum / 6.0;
    }
    const double want = sqrt(tgamma(1.3) / (tgamma(1.15) * tgamma(1.15)) - 1.0);
    check_near(variation, want, 0.012);
    assert_true(mean > 0.0);
}

/* Bands in which nothing sounds have the noise that is added, 75 dB under the sound. */
static void test_dither(void **state)
{
    (void)state;
    run_sine(200.0, 0.0);
    const double hz = cochlea_centre(28) - cochlea_centre(26), rms = 0.25 * sqrt(0.5);
    const double share = 0.5 * hz / (COCHLEA_RATE / 2);
    const double want = pow(rms * sqrt(2.0 * share) * pow(10.0, -75.0 / 20.0), 0.3);
    double sum = 0.0;
    for (size_t f = EDGE; f < FRAMES - EDGE; f++)
        sum += envelope_at(f, 27);
    check_near(sum / (FRAMES - 2 * EDGE) / want, tgamma(1.15), 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sine_at_a_centre),
                                       cmocka_unit_test(test_sine_between_two_centres),
                                       cmocka_unit_test(test_modulated_sine),
                                       cmocka_unit_test(test_noise), cmocka_unit_test(test_dither)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
