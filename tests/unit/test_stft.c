/* dsp/stft: against a discrete Fourier transform written out, and back again. */
#include "dsp/stft.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

static void test_window(void **state)
{
    (void)state;
    Stft *stft = stft_create(1024, NULL);
    assert_non_null(stft);
    assert_int_equal(stft_size(stft), 1024);
    assert_int_equal(stft_bins(stft), 513);
    const float *window = stft_window(stft);
    double squares = 0.0;
    for (size_t i = 0; i < 1024; i++) {
        const double sine = sin(pi * (double)i / 1024.0);
        check_near((double)window[i], sine * sine, 1e-7);
        squares += (double)window[i] * (double)window[i];
    }
    check_near(squares, 0.375 * 1024.0, 1e-4);
    stft_destroy(stft);
}

static void check_forward(size_t size)
{
    float in[256];
    float complex out[129];
    random_gaussian(1, 2, size, in, size);
    Stft *stft = stft_create(size, NULL);
    assert_non_null(stft);
    stft_forward(stft, in, out);
    for (size_t k = 0; k <= size / 2; k++) {
        double real = 0.0, imaginary = 0.0;
        for (size_t i = 0; i < size; i++) {
            const double turn = 2.0 * pi * (double)i / (double)size;
            const double weighted = (double)in[i] * (0.5 - 0.5 * cos(turn));
            real += weighted * cos(turn * (double)k);
            imaginary -= weighted * sin(turn * (double)k);
        }
        check_near((double)crealf(out[k]), real, 1e-5);
        check_near((double)cimagf(out[k]), imaginary, 1e-5);
    }
    stft_destroy(stft);
}

static void test_forward(void **state)
{
    (void)state;
    check_forward(16);
    check_forward(64);
    check_forward(256);
}

/* One frame, forward and back, is multiplied by the squared window and added to what is there. */
static void test_inverse_adds(void **state)
{
    (void)state;
    float in[64], out[64];
    float complex spectrum[33];
    random_gaussian(1, 3, 0, in, 64);
    for (size_t i = 0; i < 64; i++)
        out[i] = 5.0F;
    Stft *stft = stft_create(64, NULL);
    assert_non_null(stft);
    stft_forward(stft, in, spectrum);
    stft_inverse(stft, spectrum, out);
    for (size_t i = 0; i < 64; i++) {
        const double sine = sin(pi * (double)i / 64.0);
        check_near((double)out[i], 5.0 + (double)in[i] * pow(sine, 4.0), 1e-6);
    }
    stft_destroy(stft);
}

static void test_round_trip(void **state)
{
    (void)state;
    enum { SIZE = 512, HOP = SIZE / 4, LENGTH = 16 * HOP };
    static float in[LENGTH], out[LENGTH];
    float complex spectrum[SIZE / 2 + 1];
    random_gaussian(1, 4, 0, in, LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        in[i] *= 0.25F;
    memset(out, 0, sizeof out);
    Stft *stft = stft_create(SIZE, NULL);
    assert_non_null(stft);
    for (size_t at = 0; at + SIZE <= LENGTH; at += HOP) {
        stft_forward(stft, in + at, spectrum);
        stft_inverse(stft, spectrum, out + at);
    }
    for (size_t i = SIZE - HOP; i < LENGTH - (SIZE - HOP); i++)
        check_near((double)out[i] / 1.5, (double)in[i], 1e-6);
    stft_destroy(stft);
}

static void test_refused(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 8, 15, 17, 24, 1000, 131072, (size_t)-1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        Error err = {""};
        assert_null(stft_create(sizes[i], &err));
        assert_non_null(strstr(err.message, "power of two"));
        assert_null(stft_create(sizes[i], NULL));
    }
    stft_destroy(NULL);
    const size_t allowed[] = {16, 65536};
    for (size_t i = 0; i < 2; i++) {
        Stft *stft = stft_create(allowed[i], NULL);
        assert_non_null(stft);
        stft_destroy(stft);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),       cmocka_unit_test(test_forward),
        cmocka_unit_test(test_inverse_adds), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
