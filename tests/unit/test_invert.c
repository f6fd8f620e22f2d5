/* dsp/invert: sounds go to band energies and back. */
#include "dsp/invert.h"

#include "dsp/analysis.h"
#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 2048, HOP = SIZE / 4, LINEAR = 372, UPPER = 24, COUNT = LINEAR + UPPER };
enum { BLOCKS = 6, FRAMES = BLOCKS * INVERTER_BLOCK + INVERTER_AHEAD };
enum { LENGTH = (FRAMES + 3) * HOP, MADE = BLOCKS * INVERTER_BLOCK * HOP };

static const double pi = 3.14159265358979323846, rate = 44100.0;

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

static void make_noise(void *user, uint64_t first, float *out, size_t n)
{
    random_gaussian(*(const uint64_t *)user, 7, first, out, n);
}

static Bands *create_bands(void)
{
    Bands *bands = bands_create_hybrid(rate, SIZE, LINEAR, UPPER, 20000.0, NULL);
    assert_non_null(bands);
    return bands;
}

/* samples (n,) -> log energies of all whole frames, (frames, count). */
static float *analyse(const Bands *bands, const float *samples, size_t n)
{
    float *log_energy =
        calloc(analysis_frames(n, SIZE, HOP) * bands_count(bands), sizeof *log_energy);
    Stft *stft = stft_create(SIZE, NULL);
    assert_non_null(log_energy);
    assert_non_null(stft);
    assert_int_equal(analysis_run(bands, stft, samples, n, HOP, log_energy, NULL), 0);
    stft_destroy(stft);
    return log_energy;
}

static void invert(Inverter *inverter, const Bands *bands, const float *log_energy, float *out)
{
    for (size_t b = 0; b < BLOCKS; b++)
        inverter_block(inverter, log_energy + b * INVERTER_BLOCK * bands_count(bands),
                       NULL, out + b * INVERTER_BLOCK * HOP);
}

/* samples (LENGTH,) -> out (MADE,), by way of `bands`. */
static void round_trip(const Bands *bands, int rounds, uint64_t seed, const float *samples,
                       float *out)
{
    float *log_energy = analyse(bands, samples, LENGTH);
    Inverter *inverter = inverter_create(bands, SIZE, rounds, make_noise, &seed, NULL);
    assert_non_null(inverter);
    invert(inverter, bands, log_energy, out);
    inverter_destroy(inverter);
    free(log_energy);
}

static float samples[LENGTH], made[MADE], again[MADE];

/* Amplitude and phase of `hertz` in the n samples around `middle`, under a Hann window. */
static double complex find_tone(const float *sound, size_t middle, size_t n, double hertz)
{
    double complex sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const size_t at = middle - n / 2 + i;
        const double weight = 1.0 - cos(2.0 * pi * (double)i / (double)n);
        sum += weight * (double)sound[at] * cexp(-2.0 * I * pi * hertz * (double)at / rate);
    }
    return 2.0 * sum / (double)n;
}

static void test_sine(void **state)
{
    (void)state;
    const double hertz = 1003.7, amplitude = 0.5;
    for (size_t i = 0; i < LENGTH; i++)
        samples[i] = (float)(amplitude * sin(2.0 * pi * hertz * (double)i / rate));
    Bands *bands = create_bands();
    round_trip(bands, 8, 1, samples, made);
    bands_destroy(bands);

    const size_t first = SIZE, last = MADE - SIZE, window = 4096;
    double complex before = find_tone(made, first + window / 2, window, hertz);
    double turned = 0.0;
    for (size_t at = first + window / 2 + HOP; at + window / 2 <= last; at += HOP) {
        const double complex now = find_tone(made, at, window, hertz);
        check_near(20.0 * log10(cabs(now) / amplitude), 0.0, 0.1);
        turned += fabs(carg(now / before));
        before = now;
    }
    /* All the phase's wandering, up and down, bounds the error of the frequency. */
    check_near(turned / (2.0 * pi) * rate / (double)(last - first - window), 0.0, 0.4);
    double all = 0.0;
    for (size_t i = first; i < last; i++)
        all += (double)made[i] * (double)made[i];
    const double tone = 0.5 * amplitude * amplitude * (double)(last - first);
    check_near(10.0 * log10(all / tone), 0.0, 0.02); /* and nothing else is there */
}

/* Energies of what was made against those asked for: the single bins' spectral convergence, and the
 * mean level of each wide band. */
static void test_white_noise(void **state)
{
    (void)state;
    random_gaussian(5, 1, 0, samples, LENGTH);
    Bands *bands = create_bands();
    round_trip(bands, 8, 1, samples, made);
    float *want = analyse(bands, samples, MADE), *got = analyse(bands, made, MADE);
    const size_t frames = analysis_frames(MADE, SIZE, HOP);
    double error = 0.0, total = 0.0, level[COUNT] = {0};
    for (size_t f = 3; f < frames; f++)
        for (size_t b = 0; b < COUNT; b++) {
            const double is = exp(0.5 * (double)got[f * COUNT + b]);
            const double should = exp(0.5 * (double)want[f * COUNT + b]);
            if (b < bands_single(bands)) {
                error += (is - should) * (is - should);
                total += should * should;
            }
            level[b] += is * is / (double)(frames - 3);
        }
    check_near(sqrt(error / total), 0.0, 0.15); /* 0.25 from random phases */
    for (size_t b = LINEAR; b < COUNT; b++)
        check_near(level[b], 1.0, 0.12);
    free(want);
    free(got);
    bands_destroy(bands);
}

/* The share of the energy that lies within `near` samples of a click. */
static double share_near(const float *sound, const size_t *clicks, size_t count, size_t near)
{
    double inside = 0.0, all = 0.0;
    for (size_t i = SIZE; i < MADE - SIZE; i++) {
        const double energy = (double)sound[i] * (double)sound[i];
        all += energy;
        for (size_t c = 0; c < count; c++)
            if (i + near >= clicks[c] && i <= clicks[c] + near) {
                inside += energy;
                break;
            }
    }
    return inside / all;
}

static void test_clicks(void **state)
{
    (void)state;
    enum { CLICKS = 9 };
    size_t clicks[CLICKS];
    memset(samples, 0, sizeof samples);
    for (size_t c = 0; c < CLICKS; c++) {
        clicks[c] = 4000 + 4803 * c;
        samples[clicks[c]] = 1.0F;
    }
    Bands *bands = create_bands();
    /* Within 2 ms. Random phases put 0.18 there with no rounds, and 0.41 with 8. */
    round_trip(bands, 0, 1, samples, made);
    assert_true(share_near(made, clicks, CLICKS, 88) >= 0.95);
    round_trip(bands, 8, 1, samples, made);
    assert_true(share_near(made, clicks, CLICKS, 88) >= 0.95);
    bands_destroy(bands);
}

/* The same stream makes the same samples: again from the start, after other sounds, in another
 * instance, and however it is interleaved with others. */
static void check_repeats(const Bands *bands)
{
    random_gaussian(6, 1, 0, samples, LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        samples[i] *= i / 3000 % 2 ? 0.001F : 0.3F;
    float *log_energy = analyse(bands, samples, LENGTH);
    float *other_energy = analyse(bands, samples + 5 * HOP, LENGTH - 5 * HOP);
    uint64_t seed = 3, other_seed = 4;
    Inverter *inverter = inverter_create(bands, SIZE, 2, make_noise, &seed, NULL);
    Inverter *other = inverter_create(bands, SIZE, 2, make_noise, &other_seed, NULL);
    assert_non_null(inverter);
    assert_non_null(other);
    invert(inverter, bands, log_energy, made);
    inverter_reset(inverter);
    const size_t count = bands_count(bands);
    for (size_t b = 0; b < BLOCKS; b++) {
        float *block = again + b * INVERTER_BLOCK * HOP;
        if (b + 1 < BLOCKS)
            inverter_block(other, other_energy + b * INVERTER_BLOCK * count, NULL, block);
        inverter_block(inverter, log_energy + b * INVERTER_BLOCK * count, NULL, block);
    }
    assert_memory_equal(made, again, sizeof made);
    inverter_reset(other);
    other_seed = 3;
    invert(other, bands, log_energy, again);
    assert_memory_equal(made, again, sizeof made);
    inverter_reset(other);
    other_seed = 4;
    invert(other, bands, log_energy, again);
    assert_memory_not_equal(made, again, sizeof made);
    inverter_destroy(inverter);
    inverter_destroy(other);
    free(log_energy);
    free(other_energy);
}

static void test_repeats(void **state)
{
    (void)state;
    Bands *bands = create_bands();
    check_repeats(bands);
    bands_destroy(bands);
    bands = bands_create_mel(rate, SIZE, 64, NULL);
    assert_non_null(bands);
    check_repeats(bands);
    bands_destroy(bands);
}

/* What is to come changes nothing before it: only INVERTER_AHEAD frames are seen. */
static void test_looks_no_further(void **state)
{
    (void)state;
    random_gaussian(6, 2, 0, samples, LENGTH);
    Bands *bands = create_bands();
    float *log_energy = analyse(bands, samples, LENGTH);
    uint64_t seed = 3;
    Inverter *inverter = inverter_create(bands, SIZE, 1, make_noise, &seed, NULL);
    assert_non_null(inverter);
    invert(inverter, bands, log_energy, made);
    for (size_t i = (2 * INVERTER_BLOCK + INVERTER_AHEAD) * COUNT; i < FRAMES * COUNT; i++)
        log_energy[i] = -5.0F;
    inverter_reset(inverter);
    invert(inverter, bands, log_energy, again);
    assert_memory_equal(made, again, 2 * INVERTER_BLOCK * HOP * sizeof *made);
    assert_memory_not_equal(made, again, sizeof made);
    inverter_destroy(inverter);
    free(log_energy);
    bands_destroy(bands);
}

/* Bands that are all wide: noise is given back at the level of each. */
static void test_wide_bands(void **state)
{
    (void)state;
    random_gaussian(5, 2, 0, samples, LENGTH);
    Bands *bands = bands_create_mel(rate, SIZE, 32, NULL);
    assert_non_null(bands);
    round_trip(bands, 2, 1, samples, made);
    float *got = analyse(bands, made, MADE);
    const size_t frames = analysis_frames(MADE, SIZE, HOP);
    for (size_t b = 8; b < 32; b++) {
        double level = 0.0;
        for (size_t f = 3; f < frames; f++)
            level += exp((double)got[f * 32 + b]) / (double)(frames - 3);
        check_near(level, 1.0, 0.3);
    }
    free(got);
    bands_destroy(bands);
}

/* `samples`, led by themselves: `share` of them in all frames, into `made`. */
static void lead(const Bands *bands, float share)
{
    float shares[INVERTER_BLOCK + INVERTER_AHEAD];
    float *log_energy = analyse(bands, samples, LENGTH);
    float complex *spectra = calloc(FRAMES * (SIZE / 2 + 1), sizeof *spectra);
    Stft *stft = stft_create(SIZE, NULL);
    uint64_t seed = 1;
    Inverter *inverter = inverter_create(bands, SIZE, 4, make_noise, &seed, NULL);
    assert_true(spectra && stft && inverter);
    for (size_t f = 0; f < FRAMES; f++)
        stft_forward(stft, samples + f * HOP, spectra + f * (SIZE / 2 + 1));
    for (size_t f = 0; f < INVERTER_BLOCK + INVERTER_AHEAD; f++)
        shares[f] = share;
    for (size_t b = 0; b < BLOCKS; b++) {
        const InverterGuide guide = {spectra + b * INVERTER_BLOCK * (SIZE / 2 + 1), shares};
        inverter_block_guided(inverter, log_energy + b * INVERTER_BLOCK * COUNT, &guide,
                              made + b * INVERTER_BLOCK * HOP);
    }
    inverter_destroy(inverter);
    stft_destroy(stft);
    free(spectra);
    free(log_energy);
}

/* The whole guide is the sound again; of half of it something is left; of none nothing. */
static void test_guided(void **state)
{
    (void)state;
    const float shares[] = {1.0F, 0.5F, 0.0F};
    double before = 0.999;
    random_gaussian(5, 3, 0, samples, LENGTH);
    Bands *bands = create_bands();
    for (size_t k = 0; k < 3; k++) {
        double wrong = 0.0, xy = 0.0, xx = 0.0, yy = 0.0;
        lead(bands, shares[k]);
        for (size_t i = SIZE; i < MADE; i++) {
            const double x = (double)samples[i], y = (double)made[i];
            wrong = fmax(wrong, fabs(x - y));
            xy += x * y, xx += x * x, yy += y * y;
        }
        const double alike = xy / sqrt(xx * yy);
        if (k == 0)
            check_near(wrong, 0.0, 1e-4);
        else
            assert_true(alike < before);
        before = alike - 0.2;
    }
    check_near(before, -0.2, 0.05);
    round_trip(bands, 4, 1, samples, again);
    assert_memory_equal(made, again, sizeof made);
    bands_destroy(bands);
}

static void test_silence(void **state)
{
    (void)state;
    memset(samples, 0, sizeof samples);
    Bands *bands = create_bands();
    round_trip(bands, 2, 1, samples, made);
    for (size_t i = 0; i < MADE; i++)
        assert_true(fabsf(made[i]) <= 1e-6F);
    /* A click out of silence, and silence after it. */
    samples[20000] = 1.0F;
    round_trip(bands, 2, 1, samples, made);
    for (size_t i = 0; i < MADE; i++)
        assert_true(fabsf(made[i]) <= (i > 17000 && i < 23000 ? 2.0F : 1e-5F));
    bands_destroy(bands);
}

static void test_refused(void **state)
{
    (void)state;
    Bands *bands = create_bands();
    Error err = {""};
    uint64_t seed = 1;
    assert_null(inverter_create(bands, SIZE, -1, make_noise, &seed, &err));
    assert_non_null(strstr(err.message, "0 to 64"));
    assert_null(inverter_create(bands, SIZE, 65, make_noise, &seed, NULL));
    assert_null(inverter_create(bands, 1000, 8, make_noise, &seed, &err));
    assert_non_null(strstr(err.message, "power of two"));
    inverter_destroy(NULL);
    bands_destroy(bands);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sine),
        cmocka_unit_test(test_white_noise),
        cmocka_unit_test(test_clicks),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_looks_no_further),
        cmocka_unit_test(test_wide_bands),
        cmocka_unit_test(test_guided),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
