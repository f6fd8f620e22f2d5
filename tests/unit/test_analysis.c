/* dsp/analysis: the energies of a sine and of an impulse, which can be written down. */
#include "dsp/analysis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

enum { SIZE = 256, HOP = 64, LINEAR = 46, COUNT = LINEAR + 8, LENGTH = 1000, FRAMES = 12 };

static const double pi = 3.14159265358979323846;

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

static void analyse(const float *samples, float *log_energy)
{
    Bands *bands = bands_create_hybrid(44100.0, SIZE, LINEAR, COUNT - LINEAR, 20000.0, NULL);
    Stft *stft = stft_create(SIZE, NULL);
    assert_non_null(bands);
    assert_non_null(stft);
    assert_int_equal(analysis_run(bands, stft, samples, LENGTH, HOP, log_energy, NULL), 0);
    stft_destroy(stft);
    bands_destroy(bands);
}

static void test_frames(void **state)
{
    (void)state;
    assert_int_equal(analysis_frames(0, SIZE, HOP), 0);
    assert_int_equal(analysis_frames(255, SIZE, HOP), 0);
    assert_int_equal(analysis_frames(256, SIZE, HOP), 1);
    assert_int_equal(analysis_frames(319, SIZE, HOP), 1);
    assert_int_equal(analysis_frames(320, SIZE, HOP), 2);
    assert_int_equal(analysis_frames(LENGTH, SIZE, HOP), FRAMES);
}

/* A sine of amplitude a on bin k under a Hann window: |X| = a size / 4 there, half of that on both
 * neighbours, nothing elsewhere. */
static void test_sine(void **state)
{
    (void)state;
    const double amplitude = 0.5, peak = amplitude * amplitude * SIZE / 6.0;
    const size_t bin = 20;
    float samples[LENGTH];
    float log_energy[FRAMES * COUNT];
    for (size_t i = 0; i < LENGTH; i++)
        samples[i] = (float)(amplitude * sin(2.0 * pi * (double)(bin * i) / SIZE + 0.7));
    analyse(samples, log_energy);
    for (size_t f = 0; f < FRAMES; f++) {
        const float *frame = log_energy + f * COUNT;
        check_near((double)frame[bin], log(peak), 1e-5);
        check_near((double)frame[bin - 1], log(peak / 4.0), 1e-5);
        check_near((double)frame[bin + 1], log(peak / 4.0), 1e-5);
        for (size_t b = 0; b < COUNT; b++)
            if (b + 1 < bin || b > bin + 1)
                check_near((double)frame[b], log(1e-10), 1e-2);
    }
}

/* An impulse is as strong in every bin as the window is where it lies: this tells the frames'
 * places. */
static void test_impulse(void **state)
{
    (void)state;
    const size_t at = 500;
    float samples[LENGTH] = {0};
    float log_energy[FRAMES * COUNT];
    samples[at] = 1.0F;
    analyse(samples, log_energy);
    for (size_t f = 0; f < FRAMES; f++) {
        double weight = 0.0;
        if (f * HOP <= at && at < f * HOP + SIZE) {
            const double sine = sin(pi * (double)(at - f * HOP) / SIZE);
            weight = sine * sine;
        }
        const double want = log(weight * weight / (0.375 * SIZE) + 1e-10);
        for (size_t b = 0; b < COUNT; b++)
            check_near((double)log_energy[f * COUNT + b], want, 1e-3);
    }
}

static void test_too_short(void **state)
{
    (void)state;
    Bands *bands = bands_create_mel(44100.0, SIZE, 20, NULL);
    Stft *stft = stft_create(SIZE, NULL);
    assert_non_null(bands);
    assert_non_null(stft);
    const float samples[SIZE - 1] = {0};
    float untouched = 7.0F;
    assert_int_equal(analysis_run(bands, stft, samples, SIZE - 1, HOP, &untouched, NULL), 0);
    assert_true(untouched == 7.0F);
    stft_destroy(stft);
    bands_destroy(bands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_sine),
        cmocka_unit_test(test_impulse),
        cmocka_unit_test(test_too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
