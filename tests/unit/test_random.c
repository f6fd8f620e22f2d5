/* dsp/random: Random123's known answers, the independence of a value from how it was asked for, and
 * the statistics of the distributions against their analytic values. Everything is a function of
 * fixed seeds, so a bound that holds once holds always. */
#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 1000000, SOME = 100000 };

static void check_philox(const uint32_t counter[4], const uint32_t key[2], const uint32_t want[4])
{
    uint32_t got[4];
    philox4x32(counter, key, got);
    for (int i = 0; i < 4; i++)
        assert_int_equal(got[i], want[i]);
}

/* Random123, tests/kat_vectors, "philox4x32 10". */
static void test_known_answers(void **state)
{
    (void)state;
    check_philox((const uint32_t[4]){0}, (const uint32_t[2]){0},
                 (const uint32_t[4]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check_philox((const uint32_t[4]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                 (const uint32_t[2]){0xffffffff, 0xffffffff},
                 (const uint32_t[4]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check_philox((const uint32_t[4]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                 (const uint32_t[2]){0xa4093822, 0x299f31d0},
                 (const uint32_t[4]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

static void test_philox_in_place(void **state)
{
    (void)state;
    uint32_t block[4] = {0};
    philox4x32(block, (const uint32_t[2]){0}, block);
    assert_int_equal(block[0], 0x6627e8d5);
    assert_int_equal(block[3], 0x9b00dbd8);
}

static void test_bits_layout(void **state)
{
    (void)state;
    const uint64_t seed = 0x0123456789abcdefU;
    const uint64_t stream = 0xfedcba9876543210U;
    const uint64_t index = 0x0a0b0c0d01020304U;
    uint32_t want[4], got[4];
    philox4x32((const uint32_t[4]){0x01020304, 0x0a0b0c0d, 0x76543210, 0xfedcba98},
               (const uint32_t[2]){0x89abcdef, 0x01234567}, want);
    random_bits(seed, stream, index * 4, got, 4);
    assert_memory_equal(got, want, sizeof want);
}

static void test_bits_any_cut(void **state)
{
    (void)state;
    enum { LENGTH = 64 };
    const uint64_t start = 0x3fffffff0U; /* crosses the carry into the counter's second word */
    uint32_t whole[LENGTH], part[LENGTH];
    random_bits(7, 3, start, whole, LENGTH);
    for (size_t first = 0; first < LENGTH; first++) {
        for (size_t n = 0; n <= LENGTH - first; n++) {
            memset(part, 0, sizeof part);
            random_bits(7, 3, start + first, part, n);
            assert_memory_equal(part, whole + first, n * sizeof *part);
            for (size_t i = n; i < LENGTH; i++)
                assert_int_equal(part[i], 0);
        }
    }
}

static void test_bits_wrap(void **state)
{
    (void)state;
    uint32_t around[8], zero[4];
    random_bits(7, 3, UINT64_MAX - 3, around, 8);
    random_bits(7, 3, 0, zero, 4);
    assert_memory_equal(around + 4, zero, sizeof zero);
}

static void test_uniform(void **state)
{
    (void)state;
    double sum = 0.0, squares = 0.0;
    size_t counts[16] = {0};
    for (uint64_t k = 0; k < MANY; k++) {
        const double u = random_uniform(5, 9, k);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
        counts[(size_t)(u * 16.0)]++;
    }
    assert_true(fabs(sum / MANY - 0.5) < 4.0 * sqrt(1.0 / 12.0 / MANY));
    assert_true(fabs(squares / MANY - 1.0 / 12.0) < 4.0 * sqrt(1.0 / 180.0 / MANY));
    double chi_square = 0.0;
    for (int i = 0; i < 16; i++) {
        const double off = (double)counts[i] - MANY / 16.0;
        chi_square += off * off / (MANY / 16.0);
    }
    assert_true(chi_square < 37.7); /* 15 degrees of freedom, one in a thousand */

    uint32_t words[2];
    random_bits(5, 9, 2 * 12345, words, 2);
    const double whole = (double)(((uint64_t)words[1] << 32 | words[0]) >> 11);
    assert_true(random_uniform(5, 9, 12345) == ldexp(whole, -53));
}

static void test_below(void **state)
{
    (void)state;
    size_t counts[7] = {0};
    for (uint64_t k = 0; k < 7 * (uint64_t)SOME; k++) {
        const uint64_t value = random_below(1, 2, k, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    double chi_square = 0.0;
    for (int i = 0; i < 7; i++) {
        const double off = (double)counts[i] - SOME;
        chi_square += off * off / SOME;
    }
    assert_true(chi_square < 22.5); /* 6 degrees of freedom, one in a thousand */

    const uint64_t large = UINT64_C(3) << 62;
    size_t upper = 0;
    for (uint64_t k = 0; k < 1000; k++) {
        assert_int_equal(random_below(1, 2, k, 1), 0);
        assert_int_equal(random_below(1, 2, k, 0), 0);
        const uint64_t value = random_below(1, 2, k, large);
        assert_true(value < large);
        upper += value >= large / 2;
    }
    assert_in_range(upper, 436, 564); /* 4 standard deviations of 1000 fair coins */
}

static void test_gaussian_any_cut(void **state)
{
    (void)state;
    enum { LENGTH = 150 }; /* more than two of the batches that they are made in */
    const uint64_t start = 1000003;
    float whole[LENGTH], part[LENGTH];
    random_gaussian(11, 4, start, whole, LENGTH);
    for (size_t first = 0; first < LENGTH; first++) {
        for (size_t n = 0; n <= LENGTH - first; n++) {
            memset(part, 0, sizeof part);
            random_gaussian(11, 4, start + first, part, n);
            assert_memory_equal(part, whole + first, n * sizeof *part);
            for (size_t i = n; i < LENGTH; i++)
                assert_true(part[i] == 0.0F);
        }
    }
}

static void check_formula(const uint32_t words[2], const float got[2])
{
    const long double two_pi = 2.0L * acosl(-1.0L);
    const long double radius = sqrtl(-2.0L * logl((words[0] + 0.5L) / 4294967296.0L));
    const long double angle = two_pi * words[1] / 4294967296.0L;
    /* Half a unit in the last place of a float, and what the double that is rounded may be off. */
    const long double want[2] = {radius * cosl(angle), radius * sinl(angle)};
    for (size_t i = 0; i < 2; i++)
        assert_true(fabsl(got[i] - want[i]) <= 5.97e-8L * fabsl(want[i]) + 4e-15L);
}

/* The formula in the header, in long double, from the published words of the all-zero block and
 * from many others. */
static void test_gaussian_formula(void **state)
{
    (void)state;
    const uint32_t zero[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    static uint32_t words[SOME];
    static float got[SOME];
    random_gaussian(0, 0, 0, got, 4);
    check_formula(zero, got);
    check_formula(zero + 2, got + 2);
    random_bits(3, 8, 0, words, SOME);
    random_gaussian(3, 8, 0, got, SOME);
    for (size_t i = 0; i < SOME; i += 2)
        check_formula(words + i, got + i);
}

static void test_gaussian_wrap(void **state)
{
    (void)state;
    enum { LENGTH = 200, BEFORE = 101 };
    float around[LENGTH], zero[LENGTH - BEFORE];
    random_gaussian(7, 3, UINT64_MAX - BEFORE + 1, around, LENGTH);
    random_gaussian(7, 3, 0, zero, LENGTH - BEFORE);
    assert_memory_equal(around + BEFORE, zero, sizeof zero);
}

static float *gaussians(uint64_t seed, uint64_t stream, size_t n)
{
    float *values = malloc(n * sizeof *values);
    assert_non_null(values);
    random_gaussian(seed, stream, 0, values, n);
    return values;
}

static void test_gaussian_moments(void **state)
{
    (void)state;
    float *values = gaussians(42, 0, MANY);
    double moments[5] = {0};
    for (size_t i = 0; i < MANY; i++) {
        assert_true(isfinite(values[i]) && fabsf(values[i]) < 6.764F);
        double power = 1.0;
        for (int order = 1; order <= 4; order++) {
            power *= (double)values[i];
            moments[order] += power / MANY;
        }
    }
    /* Four standard errors: the variances of x, x^2, x^3, x^4 are 1, 2, 15, 96. */
    assert_true(fabs(moments[1]) < 4.0 * sqrt(1.0 / MANY));
    assert_true(fabs(moments[2] - 1.0) < 4.0 * sqrt(2.0 / MANY));
    assert_true(fabs(moments[3]) < 4.0 * sqrt(15.0 / MANY));
    assert_true(fabs(moments[4] - 3.0) < 4.0 * sqrt(96.0 / MANY));
    free(values);
}

static int compare_floats(const void *left, const void *right)
{
    const float a = *(const float *)left;
    const float b = *(const float *)right;
    return (a > b) - (a < b);
}

/* Kolmogorov and Smirnov: sqrt(n) D exceeds 1.95 once in a thousand. */
static void test_gaussian_distribution(void **state)
{
    (void)state;
    float *values = gaussians(2024, 77, MANY);
    qsort(values, MANY, sizeof *values, compare_floats);
    double distance = 0.0;
    for (size_t i = 0; i < MANY; i++) {
        const double expected = 0.5 * erfc(-(double)values[i] / sqrt(2.0));
        distance = fmax(distance, fabs(expected - (double)i / MANY));
        distance = fmax(distance, fabs(expected - (double)(i + 1) / MANY));
    }
    assert_true(sqrt((double)MANY) * distance < 1.95);
    /* 6.33e-5 of a normal lies beyond 4 on either side: 63 values, give or take 8. */
    size_t beyond = 0;
    for (size_t i = 0; i < MANY; i++)
        beyond += fabsf(values[i]) > 4.0F;
    assert_in_range(beyond, 31, 95);
    free(values);
}

static void check_uncorrelated(const float *a, const float *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    assert_true(fabs(sum / (double)n) < 4.5 / sqrt((double)n));
}

static void test_gaussian_independence(void **state)
{
    (void)state;
    /* Neighbours in seed and stream, and pairs that a careless mix of the two would merge. */
    const uint64_t names[][2] = {
        {0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {0, UINT64_C(1) << 32}, {UINT64_C(1) << 32, 0},
    };
    enum { NAMES = sizeof names / sizeof names[0] };
    float *streams[NAMES];
    for (size_t i = 0; i < NAMES; i++)
        streams[i] = gaussians(names[i][0], names[i][1], SOME);
    for (size_t i = 0; i < NAMES; i++) {
        for (size_t lag = 1; lag <= 8; lag++)
            check_uncorrelated(streams[i], streams[i] + lag, SOME - lag);
        for (size_t j = 0; j < i; j++) {
            check_uncorrelated(streams[i], streams[j], SOME);
            check_uncorrelated(streams[i] + 1, streams[j], SOME - 1);
        }
    }
    for (size_t i = 0; i < NAMES; i++)
        free(streams[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_philox_in_place),
        cmocka_unit_test(test_bits_layout),
        cmocka_unit_test(test_bits_any_cut),
        cmocka_unit_test(test_bits_wrap),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_gaussian_any_cut),
        cmocka_unit_test(test_gaussian_formula),
        cmocka_unit_test(test_gaussian_wrap),
        cmocka_unit_test(test_gaussian_moments),
        cmocka_unit_test(test_gaussian_distribution),
        cmocka_unit_test(test_gaussian_independence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
