/* dsp/bands_batch: the same energies as dsp/bands, whatever the lane, and energies imposed. */
#include "dsp/bands_batch.h"

#include "dsp/fourier.h"
#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 256, BINS = SIZE / 2 + 1, MOST = 54, WIDE = FOURIER_WIDE, NARROW = FOURIER_NARROW };

static size_t rows[BINS];
static float spectrum[2 * BINS * WIDE], before[2 * BINS * WIDE];
static float target[MOST * WIDE], energy[MOST * WIDE], scratch[MOST * WIDE];

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

static double decibels(double ratio)
{
    return 10.0 * log10(ratio);
}

/* Bins lie in any order: here, backwards. */
static void fill(size_t lanes)
{
    for (size_t k = 0; k < BINS; k++)
        rows[k] = 2 * (BINS - 1 - k);
    random_gaussian(4, lanes, 0, spectrum, 2 * BINS * lanes);
}

static Bands *create_hybrid(void)
{
    Bands *bands = bands_create_hybrid(44100.0, SIZE, 46, 8, 20000.0, NULL);
    assert_non_null(bands);
    return bands;
}

static void check_energy(Bands *bands, size_t lanes)
{
    const size_t count = bands_count(bands);
    assert_in_range(count, 2, MOST);
    fill(lanes);
    bands_batch_energy(bands, lanes, rows, spectrum, energy);
    for (size_t l = 0; l < lanes; l++) {
        float complex frame[BINS];
        float want[MOST];
        for (size_t k = 0; k < BINS; k++)
            frame[k] = spectrum[rows[k] * lanes + l] + spectrum[(rows[k] + 1) * lanes + l] * I;
        bands_energy(bands, frame, want);
        for (size_t b = 0; b < count; b++)
            check_near((double)energy[b * lanes + l] / (double)want[b], 1.0, 2e-6);
    }
    bands_destroy(bands);
}

static void test_energy(void **state)
{
    (void)state;
    check_energy(create_hybrid(), WIDE);
    check_energy(create_hybrid(), NARROW);
    check_energy(bands_create_mel(44100.0, SIZE, 40, NULL), WIDE);
    check_energy(bands_create_mel(44100.0, SIZE, 40, NULL), NARROW);
}

static void test_impose(void **state)
{
    (void)state;
    Bands *bands = create_hybrid();
    fill(WIDE);
    for (size_t i = 0; i < MOST * WIDE; i++) { /* single bins jump by 60 dB, wide bands fall */
        const size_t b = i / WIDE, turn = b + i % WIDE;
        target[i] = b < 46 ? (turn % 2 ? 1e-3F : 1e3F) : powf(10.0F, -0.3F * (float)(b - 46));
    }
    bands_batch_impose(bands, WIDE, rows, target, spectrum, scratch);
    bands_batch_energy(bands, WIDE, rows, spectrum, energy);
    for (size_t i = 0; i < bands_single(bands) * WIDE; i++)
        check_near((double)energy[i] / (double)target[i], 1.0, 1e-5);
    for (int round = 0; round < 8; round++)
        bands_batch_impose(bands, WIDE, rows, target, spectrum, scratch);
    bands_batch_energy(bands, WIDE, rows, spectrum, energy);
    for (size_t i = 47 * WIDE; i < MOST * WIDE; i++)
        check_near(decibels((double)energy[i] / (double)target[i]), 0.0, 0.5);
    bands_destroy(bands);
}

/* Four times the energies there are: every bin doubles, single or not. */
static void test_impose_scales(void **state)
{
    (void)state;
    Bands *layouts[] = {create_hybrid(), bands_create_mel(44100.0, SIZE, 40, NULL)};
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(layouts[i]);
        fill(NARROW);
        memcpy(before, spectrum, sizeof before);
        bands_batch_energy(layouts[i], NARROW, rows, spectrum, target);
        for (size_t b = 0; b < bands_count(layouts[i]) * NARROW; b++)
            target[b] *= 4.0F;
        bands_batch_impose(layouts[i], NARROW, rows, target, spectrum, scratch);
        for (size_t k = 0; k < 2 * BINS * NARROW; k++)
            check_near((double)spectrum[k], 2.0 * (double)before[k],
                       1e-5 * fabs((double)before[k]));
        bands_destroy(layouts[i]);
    }
}

/* Between centres gains lie on a straight line, and where they are 1 nothing changes. */
static void test_weigh(void **state)
{
    (void)state;
    Bands *bands = create_hybrid();
    fill(NARROW);
    memcpy(before, spectrum, sizeof before);
    float values[MOST];
    for (size_t b = 0; b < MOST; b++) {
        values[b] = 1.0F + 0.1F * (float)(b % 7);
        for (size_t l = 0; l < NARROW; l++)
            scratch[b * NARROW + l] = l == 2 ? values[b] : 1.0F;
    }
    bands_batch_weigh(bands, NARROW, rows, scratch, spectrum);
    for (size_t k = 0; k < BINS; k++)
        for (size_t l = 0; l < NARROW; l++) {
            const size_t i = rows[k] * NARROW + l;
            const double gain = l == 2 ? (double)bands_at(bands, values, k) : 1.0;
            const double tolerance = l == 2 ? 1e-6 * fabs((double)before[i]) : 0.0;
            check_near((double)spectrum[i], gain * (double)before[i], tolerance);
        }
    bands_destroy(bands);
}

static void test_impose_on_nothing(void **state)
{
    (void)state;
    Bands *bands = create_hybrid();
    fill(WIDE);
    memset(spectrum, 0, sizeof spectrum);
    for (size_t i = 0; i < MOST * WIDE; i++)
        target[i] = 1.0F;
    bands_batch_impose(bands, WIDE, rows, target, spectrum, scratch);
    for (size_t i = 0; i < 2 * BINS * WIDE; i++)
        assert_true(spectrum[i] == 0.0F);
    for (size_t i = 0; i < MOST * WIDE; i++)
        assert_true(scratch[i] == 1e4F);
    bands_destroy(bands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_energy),
        cmocka_unit_test(test_impose),
        cmocka_unit_test(test_impose_scales),
        cmocka_unit_test(test_weigh),
        cmocka_unit_test(test_impose_on_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
