/* dsp/lapped: against frames that are transformed one by one, over FFTW (dsp/stft.h). */
#include "dsp/lapped.h"

#include "dsp/random.h"
#include "dsp/stft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 128, HOP = SIZE / 4, BINS = SIZE / 2 + 1, SPAN = LAPPED_HOPS * HOP };
enum { WOVEN = LAPPED_STRIDE * HOP, SPECTRA = LAPPED_FRAMES * (SIZE + 2) };

static float sound[SPAN], back[SPAN], woven[WOVEN], before[WOVEN], norm[WOVEN];
static float spectra[SPECTRA], other[SPECTRA], left[HOP * LAPPED_TAIL];

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

static Lapped *begin(Stft **stft)
{
    Lapped *lapped = lapped_create(SIZE, NULL);
    *stft = stft_create(SIZE, NULL);
    assert_true(lapped && *stft);
    random_gaussian(5, 1, 0, sound, SPAN);
    memset(woven, 0, sizeof woven);
    lapped_weave(lapped, sound, woven);
    return lapped;
}

/* Bin k of frame f. */
static float complex bin(const Lapped *lapped, const float *from, size_t f, size_t k)
{
    const size_t b = f < FOURIER_WIDE ? 0 : 1, lanes = lapped_lanes(b), l = f - lapped_first(b);
    const float *batch = from + lapped_batch(b, SIZE + 2);
    const size_t row = lapped_rows(lapped)[k];
    return batch[row * lanes + l] + batch[(row + 1) * lanes + l] * I;
}

static void test_weave(void **state)
{
    (void)state;
    Stft *stft;
    Lapped *lapped = begin(&stft);
    assert_true(woven[3 * LAPPED_STRIDE + 7] == sound[7 * HOP + 3]);
    lapped_unweave(lapped, woven, LAPPED_HOPS, 2.0F, back);
    for (size_t i = 0; i < SPAN; i++)
        assert_true(back[i] == 2.0F * sound[i]);
    stft_destroy(stft);
    lapped_destroy(lapped);
}

static void test_forward(void **state)
{
    (void)state;
    Stft *stft;
    Lapped *lapped = begin(&stft);
    assert_memory_equal(lapped_window(lapped), stft_window(stft), SIZE * sizeof(float));
    lapped_forward(lapped, woven, spectra);
    for (size_t f = 0; f < LAPPED_FRAMES; f++) {
        float complex want[BINS];
        stft_forward(stft, sound + f * HOP, want);
        for (size_t k = 0; k < BINS; k++)
            check_near((double)cabsf(bin(lapped, spectra, f, k) - want[k]), 0.0, 1e-5);
    }
    stft_destroy(stft);
    lapped_destroy(lapped);
}

static void test_inverse(void **state)
{
    (void)state;
    Stft *stft;
    Lapped *lapped = begin(&stft);
    for (size_t batches = 1; batches <= LAPPED_BATCHES; batches++) {
        const size_t frames = batches == 1 ? FOURIER_WIDE : LAPPED_FRAMES;
        static float want[SPAN];
        random_gaussian(5, 2, 0, want, SPAN);
        lapped_weave(lapped, want, before);
        lapped_forward(lapped, woven, spectra);
        for (size_t f = 0; f < frames; f++) {
            float complex spectrum[BINS];
            for (size_t k = 0; k < BINS; k++)
                spectrum[k] = bin(lapped, spectra, f, k);
            stft_inverse(stft, spectrum, want + f * HOP);
        }
        lapped_inverse(lapped, batches, spectra, before);
        lapped_unweave(lapped, before, LAPPED_HOPS, 1.0F, back);
        for (size_t i = 0; i < SPAN; i++)
            check_near((double)back[i], (double)want[i], 1e-5);
    }
    stft_destroy(stft);
    lapped_destroy(lapped);
}

/* A round is the inverse, the sound moved on, and forward. */
static void test_refine(void **state)
{
    (void)state;
    const float momentum = 0.75F;
    Stft *stft;
    Lapped *lapped = begin(&stft);
    random_gaussian(5, 3, 0, left, HOP * LAPPED_TAIL);
    random_gaussian(5, 4, 0, norm, WOVEN);
    random_gaussian(5, 5, 0, before, WOVEN);
    lapped_forward(lapped, woven, spectra);
    memcpy(other, spectra, sizeof other);
    memset(woven, 0, sizeof woven);
    for (size_t j = 0; j < HOP; j++)
        memcpy(woven + j * LAPPED_STRIDE, left + j * LAPPED_TAIL, LAPPED_TAIL * sizeof *left);
    lapped_inverse(lapped, LAPPED_BATCHES, other, woven);
    static float moved[WOVEN];
    for (size_t i = 0; i < WOVEN; i++) {
        woven[i] *= norm[i];
        moved[i] = woven[i] + momentum * (woven[i] - before[i]);
    }
    lapped_forward(lapped, moved, other);
    lapped_refine(lapped, left, norm, momentum, before, spectra);
    for (size_t f = 0; f < LAPPED_FRAMES; f++)
        for (size_t k = 0; k < BINS; k++)
            check_near((double)cabsf(bin(lapped, spectra, f, k) - bin(lapped, other, f, k)), 0.0,
                       2e-5);
    for (size_t j = 0; j < HOP; j++)
        for (size_t h = 0; h < LAPPED_HOPS; h++)
            check_near((double)before[j * LAPPED_STRIDE + h], (double)woven[j * LAPPED_STRIDE + h],
                       1e-6);
    stft_destroy(stft);
    lapped_destroy(lapped);
}

static void test_refused(void **state)
{
    (void)state;
    Error err = {""};
    assert_null(lapped_create(1000, &err));
    assert_non_null(strstr(err.message, "power of two"));
    lapped_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weave),   cmocka_unit_test(test_forward),
        cmocka_unit_test(test_inverse), cmocka_unit_test(test_refine),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
