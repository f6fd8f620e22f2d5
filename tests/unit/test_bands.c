/* dsp/bands: centres against the HTK formula, energies of known spectra. */
#include "dsp/bands.h"

#include "dsp/random.h"
#include "dsp/stft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 256, BINS = SIZE / 2 + 1, MOST = 512 };

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

/* The mel scale in natural logarithms, as the HTK book has it: 1127 ln(1 + f / 700). */
static double mel(double hz)
{
    return 2595.0 / log(10.0) * log1p(hz / 700.0);
}

static void test_mel_centres(void **state)
{
    (void)state;
    check_near(mel(1000.0), 1000.0, 0.02);
    check_near(mel(8000.0), 2840.02, 0.01);
    /* Wide enough apart everywhere that none is moved: equal steps from mel(20) to mel(8000). */
    Bands *bands = bands_create_mel(16000.0, 4096, 40, NULL);
    assert_non_null(bands);
    assert_int_equal(bands_count(bands), 40);
    const double step = (2840.02 - mel(20.0)) / 41.0;
    for (size_t b = 0; b < 40; b++)
        check_near(mel(bands_centre(bands, b)), mel(20.0) + step * (double)(b + 1), 0.02);
    bands_destroy(bands);
}

/* Where mel steps are narrower than bins, centres keep a bin between them. */
static void test_mel_crowded(void **state)
{
    (void)state;
    Bands *bands = bands_create_mel(44100.0, 1024, 128, NULL);
    assert_non_null(bands);
    const double bin = 44100.0 / 1024.0;
    for (size_t b = 1; b < 128; b++)
        assert_true(bands_centre(bands, b) - bands_centre(bands, b - 1) >= bin * (1.0 - 1e-9));
    assert_true(bands_centre(bands, 127) < 22050.0);
    const double step = (mel(22050.0) - mel(20.0)) / 129.0;
    for (size_t b = 100; b < 128; b++)
        check_near(mel(bands_centre(bands, b)), mel(20.0) + step * (double)(b + 1), 1e-6);
    bands_destroy(bands);
}

static void test_hybrid_centres(void **state)
{
    (void)state;
    Bands *bands = bands_create_hybrid(44100.0, 2048, 372, 24, 20000.0, NULL);
    assert_non_null(bands);
    assert_int_equal(bands_count(bands), 396);
    for (size_t b = 0; b < 372; b++)
        check_near(bands_centre(bands, b), (double)b * 44100.0 / 2048.0, 1e-9);
    const double ratio = pow(20000.0 / bands_centre(bands, 371), 1.0 / 24.0);
    for (size_t b = 372; b < 396; b++)
        check_near(bands_centre(bands, b) / bands_centre(bands, b - 1), ratio, 1e-9);
    check_near(bands_centre(bands, 395), 20000.0, 1e-6);
    bands_destroy(bands);
}

/* A bin alone shows in its own band alone, with |X|^2 / (3 / 8 size). */
static void test_single_bins(void **state)
{
    (void)state;
    Bands *bands = bands_create_hybrid(44100.0, SIZE, 46, 8, 20000.0, NULL);
    assert_non_null(bands);
    const size_t single = bands_single(bands);
    assert_in_range(single, 45, 46);
    float energy[54];
    for (size_t k = 0; k < single; k++) {
        float complex spectrum[BINS] = {0};
        spectrum[k] = 3.0F - 4.0F * I;
        bands_energy(bands, spectrum, energy);
        for (size_t b = 0; b < 54; b++)
            check_near((double)energy[b], b == k ? 25.0 / (0.375 * SIZE) : 0.0, 1e-6);
    }
    bands_destroy(bands);

    bands = bands_create_mel(44100.0, 1024, 64, NULL);
    assert_non_null(bands);
    assert_int_equal(bands_single(bands), 0);
    bands_destroy(bands);
}

static void check_white(Bands *bands)
{
    assert_non_null(bands);
    enum { FRAMES = 4000 };
    Stft *stft = stft_create(SIZE, NULL);
    assert_non_null(stft);
    const size_t count = bands_count(bands);
    double sum[MOST] = {0};
    for (size_t f = 0; f < FRAMES; f++) {
        float noise[SIZE], energy[MOST];
        float complex spectrum[BINS];
        random_gaussian(3, 1, f * SIZE, noise, SIZE);
        stft_forward(stft, noise, spectrum);
        bands_energy(bands, spectrum, energy);
        for (size_t b = 0; b < count; b++)
            sum[b] += (double)energy[b];
    }
    /* One bin's power scatters by 1 / sqrt(FRAMES) = 0.016, bin 0, which is real, by 0.022. */
    for (size_t b = 0; b < count; b++)
        check_near(sum[b] / FRAMES, 1.0, 0.08);
    stft_destroy(stft);
    bands_destroy(bands);
}

static void test_white_noise(void **state)
{
    (void)state;
    check_white(bands_create_hybrid(44100.0, SIZE, 46, 8, 20000.0, NULL));
    check_white(bands_create_mel(44100.0, SIZE, 40, NULL));
}

static void test_logarithm(void **state)
{
    (void)state;
    Bands *bands = bands_create_hybrid(44100.0, SIZE, 4, 4, 20000.0, NULL);
    assert_non_null(bands);
    const float energy[8] = {0.0F, 1e-8F, 1e-6F, 1e-3F, 1.0F, 2.5F, 1e3F, 1e6F};
    float log_energy[8], back[8];
    memcpy(log_energy, energy, sizeof energy);
    bands_log(bands, log_energy);
    check_near((double)log_energy[0], -23.02585093, 1e-5); /* ln(1e-10) */
    check_near((double)log_energy[4], 0.0, 1e-6);
    check_near((double)log_energy[6], 6.907755279, 1e-6);
    bands_exp(bands, log_energy, back);
    for (size_t b = 0; b < 8; b++)
        check_near((double)back[b], (double)energy[b], 3e-6 * (double)energy[b] + 1e-15);
    for (size_t b = 0; b < 8; b++)
        log_energy[b] = -20.0F - 10.0F * (float)b;
    bands_exp(bands, log_energy, back);
    for (size_t b = 1; b < 8; b++)
        assert_true(back[b] == 0.0F);
    bands_destroy(bands);
}

static void test_refused(void **state)
{
    (void)state;
    const struct {
        double rate;
        size_t size, count;
    } mels[] = {{0.0, 1024, 64},
                {NAN, 1024, 64},
                {44100.0, 1024, 1},
                {44100.0, 1024, 513},
                {100.0, 64, 32}};
    for (size_t i = 0; i < sizeof mels / sizeof mels[0]; i++) {
        Error err = {""};
        assert_null(bands_create_mel(mels[i].rate, mels[i].size, mels[i].count, &err));
        assert_non_null(strstr(err.message, "mel bands"));
    }
    const struct {
        size_t linear, upper;
        double top;
    } hybrids[] = {{1, 8, 20000.0},   {46, 0, 20000.0}, {46, 8, 22051.0}, {46, 8, 4000.0},
                   {120, 9, 20000.0}, {46, 8, NAN},     {46, 8, -1.0}};
    for (size_t i = 0; i < sizeof hybrids / sizeof hybrids[0]; i++) {
        Error err = {""};
        assert_null(bands_create_hybrid(44100.0, SIZE, hybrids[i].linear, hybrids[i].upper,
                                        hybrids[i].top, &err));
        assert_non_null(strstr(err.message, "do not fit"));
    }
    assert_null(bands_create_hybrid(-1.0, SIZE, 46, 8, 20000.0, NULL));
    bands_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mel_centres),    cmocka_unit_test(test_mel_crowded),
        cmocka_unit_test(test_hybrid_centres), cmocka_unit_test(test_single_bins),
        cmocka_unit_test(test_white_noise),    cmocka_unit_test(test_logarithm),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
