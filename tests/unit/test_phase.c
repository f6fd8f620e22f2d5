/* dsp/phase: spectrograms under a Gaussian window, whose phases are known exactly. */
#include "dsp/phase.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { SIZE = 1024, HOP = SIZE / 4, BINS = 40, FRAMES = 12, ROWS = FRAMES + 1 };

static const double pi = 3.14159265358979323846;
static const double gamma_hann = 0.25645 * SIZE * SIZE;

/* The difference of two angles, in turns, away from the nearest whole number. */
static double turns_apart(double got, double want)
{
    const double turns = (got - want) / (2.0 * pi);
    return fabs(turns - nearbyint(turns));
}

static void check_angle(double got, double want)
{
    if (!(turns_apart(got, want) <= 2e-4))
        fail_msg("got %.6f rad, want %.6f", got, want);
}

/* An impulse at sample `at`: the window's value there in all bins; bins' phases fall by 2 pi (at -
 * start of frame) / size each. */
static void test_impulse(void **state)
{
    (void)state;
    static float log_energy[ROWS * BINS], angle[ROWS * BINS];
    const double at = 6.3 * HOP + SIZE / 2;
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < BINS; k++) {
            const double time = at - (double)(r * HOP) - SIZE / 2;
            log_energy[r * BINS + k] = (float)(-2.0 * pi * time * time / gamma_hann);
        }
    Phase *phase = phase_create(SIZE, BINS, FRAMES, NULL);
    assert_non_null(phase);
    phase_integrate(phase, log_energy, false, angle);
    /* Rows 1 and FRAMES have one-sided slopes. */
    for (size_t r = 2; r < FRAMES; r++)
        for (size_t k = 1; k < BINS; k++) {
            const double step = -2.0 * pi * (at - (double)(r * HOP)) / SIZE;
            check_angle((double)(angle[r * BINS + k] - angle[r * BINS + k - 1]), step);
        }
    phase_destroy(phase);
}

/* Level of a steady tone at `tone` bins in bin k. */
static float tone_level(double tone, size_t k)
{
    const double omega = 2.0 * pi * ((double)k - tone) / SIZE;
    return (float)(-gamma_hann * omega * omega / (2.0 * pi));
}

static void fill_tone(double tone, float *log_energy)
{
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < BINS; k++)
            log_energy[r * BINS + k] = tone_level(tone, k);
}

/* A steady tone between bins: every bin turns by the tone's frequency. */
static void test_tone(void **state)
{
    (void)state;
    static float log_energy[ROWS * BINS], angle[ROWS * BINS];
    const double tone = 17.37;
    fill_tone(tone, log_energy);
    Phase *phase = phase_create(SIZE, BINS, FRAMES, NULL);
    assert_non_null(phase);
    phase_integrate(phase, log_energy, false, angle);
    assert_true(angle[BINS + 17] == 0.0F); /* the loudest, of equals the first */
    for (size_t r = 2; r < ROWS; r++)
        for (size_t k = 1; k + 1 < BINS; k++)
            check_angle((double)(angle[r * BINS + k] - angle[(r - 1) * BINS + k]),
                        2.0 * pi * tone * HOP / SIZE);
    phase_destroy(phase);
}

/* Each bin goes on from the phase that it had in the frame before. */
static void test_continues(void **state)
{
    (void)state;
    static float log_energy[ROWS * BINS], angle[ROWS * BINS];
    float before[BINS];
    const double tone = 9.61;
    fill_tone(tone, log_energy);
    for (size_t k = 0; k < BINS; k++)
        angle[k] = before[k] = (float)(0.4 - pi * (double)k);
    Phase *phase = phase_create(SIZE, BINS, FRAMES, NULL);
    assert_non_null(phase);
    phase_integrate(phase, log_energy, true, angle);
    assert_memory_equal(angle, before, sizeof before);
    for (size_t r = 1; r < ROWS; r++)
        for (size_t k = 1; k + 1 < BINS; k++)
            check_angle((double)angle[r * BINS + k],
                        0.4 - pi * (double)k + 2.0 * pi * tone * HOP / SIZE * (double)r);
    phase_destroy(phase);
}

/* Every point is reached, whatever the levels, and row 0 is left alone where it does not count. */
static void test_reaches_all(void **state)
{
    (void)state;
    static float log_energy[ROWS * BINS], angle[ROWS * BINS], again[ROWS * BINS];
    random_gaussian(8, 1, 0, log_energy, ROWS * BINS);
    for (size_t i = 0; i < ROWS * BINS; i++) {
        log_energy[i] = i % 7 ? 5.0F * log_energy[i] : -23.0F;
        angle[i] = again[i] = NAN;
    }
    Phase *phase = phase_create(SIZE, BINS, FRAMES, NULL);
    assert_non_null(phase);
    phase_integrate(phase, log_energy, false, angle);
    for (size_t i = 0; i < ROWS * BINS; i++)
        assert_true(i < BINS ? isnan(angle[i]) : isfinite(angle[i]));
    for (size_t i = 0; i < BINS; i++)
        log_energy[i] = NAN; /* not read */
    phase_integrate(phase, log_energy, false, again);
    assert_memory_equal(angle + BINS, again + BINS, FRAMES * BINS * sizeof *angle);
    phase_destroy(phase);
}

/* Silence is one great tie: it must come out the same from any instance. */
static void test_ties(void **state)
{
    (void)state;
    static float log_energy[ROWS * BINS], angle[ROWS * BINS], again[ROWS * BINS];
    for (size_t i = 0; i < ROWS * BINS; i++)
        log_energy[i] = -23.0F;
    Phase *phase = phase_create(SIZE, BINS, FRAMES, NULL);
    Phase *other = phase_create(SIZE, BINS, FRAMES, NULL);
    assert_non_null(phase);
    assert_non_null(other);
    phase_integrate(phase, log_energy, true, angle);
    fill_tone(3.0, log_energy);
    phase_integrate(other, log_energy, false, again);
    for (size_t i = 0; i < ROWS * BINS; i++)
        log_energy[i] = -23.0F;
    memset(again, 0, sizeof again);
    phase_integrate(other, log_energy, true, again);
    assert_memory_equal(angle, again, sizeof angle);
    /* No slopes: row 0's zeros turn by each bin's own frequency. */
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < BINS; k++)
            check_angle((double)angle[r * BINS + k], 0.5 * pi * (double)(k * r));
    phase_destroy(phase);
    phase_destroy(other);
}

static void test_refused(void **state)
{
    (void)state;
    const size_t refused[][3] = {{8, 4, 4},      {131072, 4, 4}, {1024, 1, 4},
                                 {1024, 514, 4}, {1024, 40, 0},  {1024, 40, 1025}};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        Error err = {""};
        assert_null(phase_create(refused[i][0], refused[i][1], refused[i][2], &err));
        assert_non_null(strstr(err.message, "phases of"));
    }
    assert_null(phase_create(8, 4, 4, NULL));
    phase_destroy(NULL);
    Phase *phase = phase_create(16, 2, 1, NULL);
    assert_non_null(phase);
    const float log_energy[4] = {0.0F, 0.0F, 1.0F, 2.0F};
    float angle[4] = {0};
    phase_integrate(phase, log_energy, false, angle);
    assert_true(angle[3] == 0.0F);
    check_angle((double)angle[2], pi); /* one frame alone says nothing of time: the middle */
    phase_destroy(phase);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impulse),   cmocka_unit_test(test_tone),
        cmocka_unit_test(test_continues), cmocka_unit_test(test_reaches_all),
        cmocka_unit_test(test_ties),      cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
