/* dsp/fourier: against the sums that define the transform, in double. */
#include "dsp/fourier.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, WIDE = FOURIER_WIDE, NARROW = FOURIER_NARROW };

static float samples[MOST * WIDE], rows[(MOST + 2) * WIDE], narrow[(MOST + 2) * NARROW];

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

/* Sums over samples of lane l with bin k's wave. */
static void direct(size_t size, size_t l, size_t k, double *re, double *im)
{
    const double pi = acos(-1.0);
    *re = *im = 0.0;
    for (size_t i = 0; i < size; i++) {
        const double angle = 2.0 * pi * (double)(i * k % size) / (double)size;
        *re += (double)samples[i * WIDE + l] * cos(angle);
        *im -= (double)samples[i * WIDE + l] * sin(angle);
    }
}

/* All sizes, since some end in a pass of two and some in one of four. */
static void test_forward(void **state)
{
    (void)state;
    for (size_t size = 16; size <= MOST; size *= 2) {
        Fourier *fourier = fourier_create(size, NULL);
        assert_non_null(fourier);
        random_gaussian(1, size, 0, samples, size * WIDE);
        memcpy(rows, samples, size * WIDE * sizeof *rows);
        fourier_forward(fourier, WIDE, rows);
        const size_t step = size > 128 ? size / 128 + 1 : 1;
        const double tolerance = 1e-6 * sqrt((double)size);
        for (size_t k = 0; k <= size / 2; k += k + step > size / 2 && k < size / 2 ? 1 : step) {
            double re, im;
            const size_t l = k % WIDE, row = fourier_rows(fourier)[k];
            direct(size, l, k, &re, &im);
            check_near((double)rows[row * WIDE + l], re, tolerance);
            check_near((double)rows[(row + 1) * WIDE + l], im, tolerance);
        }
        fourier_destroy(fourier);
    }
}

static void test_back(void **state)
{
    (void)state;
    for (size_t size = 16; size <= MOST; size *= 2) {
        Fourier *fourier = fourier_create(size, NULL);
        assert_non_null(fourier);
        random_gaussian(2, size, 0, samples, size * WIDE);
        memcpy(rows, samples, size * WIDE * sizeof *rows);
        fourier_forward(fourier, WIDE, rows);
        for (size_t l = 0; l < WIDE; l++) /* these count for nothing */
            rows[WIDE + l] = rows[(size + 1) * WIDE + l] = 17.0F;
        fourier_inverse(fourier, WIDE, rows);
        for (size_t i = 0; i < size * WIDE; i++)
            check_near((double)rows[i] / (double)size, (double)samples[i], 3e-6);
        fourier_destroy(fourier);
    }
}

/* Rows of bins are pairs, each there once. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t size = 16; size <= 65536; size *= 2) {
        Fourier *fourier = fourier_create(size, NULL);
        unsigned char *seen = calloc(size / 2 + 1, 1);
        assert_true(fourier && seen);
        for (size_t k = 0; k <= size / 2; k++) {
            const size_t row = fourier_rows(fourier)[k];
            assert_true(row % 2 == 0 && row <= size && !seen[row / 2]);
            seen[row / 2] = 1;
        }
        free(seen);
        fourier_destroy(fourier);
    }
}

/* A frame comes out the same to the bit in any lane of any batch. */
static void test_lanes(void **state)
{
    (void)state;
    enum { SIZE = 512 };
    Fourier *fourier = fourier_create(SIZE, NULL);
    assert_non_null(fourier);
    random_gaussian(3, 1, 0, samples, SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        for (size_t l = 0; l < WIDE; l++)
            rows[i * WIDE + l] = l % 5 == 3 ? samples[i] : (float)(i * l % 7);
        for (size_t l = 0; l < NARROW; l++)
            narrow[i * NARROW + l] = l == 1 ? samples[i] : 1.0F;
    }
    for (int back = 0; back < 2; back++) {
        if (back) {
            fourier_inverse(fourier, WIDE, rows);
            fourier_inverse(fourier, NARROW, narrow);
        } else {
            fourier_forward(fourier, WIDE, rows);
            fourier_forward(fourier, NARROW, narrow);
        }
        for (size_t i = 0; i < SIZE; i++)
            for (size_t l = 3; l < WIDE; l += 5)
                assert_memory_equal(&rows[i * WIDE + l], &narrow[i * NARROW + 1], sizeof(float));
    }
    fourier_destroy(fourier);
}

static void test_refused(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 8, 1000, 131072};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Error err = {""};
        assert_null(fourier_create(sizes[i], &err));
        assert_non_null(strstr(err.message, "power of two"));
    }
    fourier_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward), cmocka_unit_test(test_back),    cmocka_unit_test(test_rows),
        cmocka_unit_test(test_lanes),   cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
