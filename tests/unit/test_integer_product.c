/* Each kernel of the products in whole numbers against the sum as it is defined, over random shapes
 * and at the ends of what may be given. */
#include "models/integer_product.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WIDTH = 640, SHAPES = 200 };

static uint8_t rows[INTEGER_INPUTS * MOST_WIDTH] __attribute__((aligned(64)));
static IntegerVector x;

/* Weights of any size, and activations of which a share is zero. */
static void fill(size_t in, size_t width, uint64_t stream, double zeros)
{
    for (size_t i = 0; i < in * width; i++)
        rows[i] = (uint8_t)(1 + random_below(1, stream, i, 2 * INTEGER_WEIGHT + 1));
    x.sum = 0;
    for (size_t i = 0; i < in; i++) {
        const int whole = (int)random_below(2, stream, 2 * i, 2 * INTEGER_MOST + 1) - INTEGER_MOST;
        x.x[i] = (int8_t)(random_uniform(2, stream, 2 * i + 1) < zeros ? 0 : whole);
        x.sum += x.x[i];
    }
}

static int wanted(size_t in, size_t width, size_t o)
{
    int sum = 0;
    for (size_t i = 0; i < in; i++)
        sum += (rows[integer_place(in, width, i, o)] - INTEGER_OFFSET) * x.x[i];
    return sum;
}

static void check_kernels(size_t in, size_t width)
{
    for (int kernel = 0; kernel < INTEGER_KERNELS; kernel++) {
        int32_t y[MOST_WIDTH + 1];
        IntegerProduct *product = integer_product_for((IntegerKernel)kernel);
        if (!product)
            continue;
        for (size_t o = 0; o <= width; o++)
            y[o] = 77;
        product(in, width, rows, &x, y);
        for (size_t o = 0; o < width; o++)
            if (y[o] != wanted(in, width, o))
                fail_msg("kernel %d, %zu inputs, %zu outputs: output %zu is %d, not %d", kernel, in,
                         width, o, (int)y[o], wanted(in, width, o));
        assert_int_equal(y[width], 77);
    }
}

static void kernels_agree_with_the_sum(void **state)
{
    (void)state;
    for (uint64_t shape = 0; shape < SHAPES; shape++) {
        const size_t in = INTEGER_WIDTH * (1 + random_below(3, 1, shape, 16));
        const size_t width = INTEGER_WIDTH * (1 + random_below(3, 2, shape, 24));
        fill(in, width, shape, random_uniform(3, 3, shape));
        check_kernels(in, width);
    }
}

/* The largest sums of either sign that there can be: no kernel cuts them off on its way. */
static void the_largest_sums_fit(void **state)
{
    (void)state;
    for (int weight = -1; weight <= 1; weight += 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            memset(rows, INTEGER_OFFSET + weight * INTEGER_WEIGHT, sizeof rows);
            memset(x.x, sign * INTEGER_MOST, sizeof x.x);
            x.sum = sign * INTEGER_MOST * INTEGER_INPUTS;
            check_kernels(INTEGER_INPUTS, MOST_WIDTH);
        }
}

/* Each weight has a place of its own. */
static void places_are_apart(void **state)
{
    (void)state;
    static uint8_t taken[INTEGER_INPUTS * MOST_WIDTH];
    for (size_t width = 16; width <= 208; width += 48) {
        memset(taken, 0, sizeof taken);
        for (size_t i = 0; i < 48; i++)
            for (size_t o = 0; o < width; o++)
                assert_int_equal(taken[integer_place(48, width, i, o)]++, 0);
        for (size_t i = 0; i < 48 * width; i++)
            assert_int_equal(taken[i], 1);
    }
}

static void plain_c_is_there_and_the_best_is_one_of_them(void **state)
{
    (void)state;
    assert_non_null(integer_product_for(INTEGER_PLAIN));
    int found = 0;
    for (int kernel = 0; kernel < INTEGER_KERNELS; kernel++)
        found += integer_product_for((IntegerKernel)kernel) == integer_product_best();
    assert_int_equal(found, 1);
}

static void rounds_to_the_nearest_and_keeps_within(void **state)
{
    (void)state;
    const float values[] = {0.0f,    0.4f,  0.6f,     -0.6f,  63.26f,    -63.26f, 63.5f, 5000.f,
                            -5000.f, 1e30f, INFINITY, -1e30f, -INFINITY, NAN,     0.24f, -100.0f};
    const int8_t doubled[] = {0,    1,   1,   -1,   127,  -127, 127, 127,
                              -127, 127, 127, -127, -127, 127,  0,   -127};
    enum { COUNT = sizeof values / sizeof *values };
    IntegerVector out;
    int sum = 0;
    memset(&out, 55, sizeof out);
    integer_round(COUNT, 2.0f, values, &out);
    for (size_t i = 0; i < COUNT; i++) {
        if (isnan(values[i]) ? abs(out.x[i]) != INTEGER_MOST : out.x[i] != doubled[i])
            fail_msg("twice %g became %d, not %d", (double)values[i], out.x[i], doubled[i]);
        sum += out.x[i];
    }
    assert_int_equal(out.sum, sum);
    assert_int_equal(out.x[16], 55);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_with_the_sum),
        cmocka_unit_test(the_largest_sums_fit),
        cmocka_unit_test(places_are_apart),
        cmocka_unit_test(plain_c_is_there_and_the_best_is_one_of_them),
        cmocka_unit_test(rounds_to_the_nearest_and_keeps_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
