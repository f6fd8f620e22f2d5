/* Forgetting least squares against the coefficients that data were made with. */
#include "dsp/least_squares.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

enum { ORDER = 6 };
static const float TRUE_COEFFICIENTS[ORDER] = {0.5f, -1.0f, 0.25f, 2.0f, 0.0f, -0.125f};

/* Pushes `count` values made from inputs of noise, from `first` on, with `sign` times the
 * coefficients. */
static void feed(LeastSquares *squares, int first, int count, float sign)
{
    for (int t = first; t < first + count; t++) {
        float inputs[ORDER], y = 0.0f;
        random_gaussian(3, 1, (uint64_t)(t * ORDER), inputs, ORDER);
        for (int i = 0; i < ORDER; i++)
            y += sign * TRUE_COEFFICIENTS[i] * inputs[i];
        least_squares_predict(squares, inputs);
        least_squares_push(squares, y);
    }
}

static void coefficients_are_found_and_forgotten(void **state)
{
    (void)state;
    static LeastSquares squares;
    least_squares_reset(&squares, ORDER, 4, 0.99, 1e-12);
    feed(&squares, 0, 400, 1.0f);
    for (int i = 0; i < ORDER; i++)
        assert_true(fabsf(squares.coefficients[i] - TRUE_COEFFICIENTS[i]) < 1e-3f);
    feed(&squares, 400, 2000, -1.0f);
    for (int i = 0; i < ORDER; i++)
        assert_true(fabsf(squares.coefficients[i] + TRUE_COEFFICIENTS[i]) < 1e-3f);
}

static void inputs_that_are_one_another_do_no_harm(void **state)
{
    (void)state;
    static LeastSquares squares;
    least_squares_reset(&squares, 8, 1, 0.999, 1e-9);
    float last = 0.0f;
    for (int t = 0; t < 5000; t++) {
        float inputs[8];
        for (int i = 0; i < 8; i++)
            inputs[i] = sinf(0.1f * (float)(t - i / 2));
        last = fabsf(least_squares_predict(&squares, inputs) - sinf(0.1f * (float)(t + 1)));
        assert_true(isfinite(last));
        least_squares_push(&squares, t % 997 ? sinf(0.1f * (float)(t + 1)) : NAN);
    }
    assert_true(last < 0.05f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_are_found_and_forgotten),
        cmocka_unit_test(inputs_that_are_one_another_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
