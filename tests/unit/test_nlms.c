/* NLMS against its update written out, and on a process that it has to learn. */
#include "dsp/nlms.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

enum { ORDER = 5 };

static void updates_are_the_formula(void **state)
{
    (void)state;
    static Nlms nlms;
    float noise[300];
    double weights[ORDER] = {0.0};
    random_gaussian(1, 1, 0, noise, 300);
    nlms_reset(&nlms, ORDER, 0.1f, 0.01f);
    for (int t = 0; t < 300; t++) {
        double predicted = 0.0, energy = 0.01f * ORDER;
        for (int k = 0; k < ORDER && k < t; k++) {
            predicted += weights[k] * (double)noise[t - 1 - k];
            energy += (double)noise[t - 1 - k] * (double)noise[t - 1 - k];
        }
        assert_true(fabs((double)nlms_predict(&nlms) - predicted) < 1e-5);
        const double error = (double)noise[t] - predicted;
        for (int k = 0; k < ORDER && k < t; k++)
            weights[k] += (double)0.1f * error * (double)noise[t - 1 - k] / energy;
        nlms_push(&nlms, noise[t], noise[t] - nlms_predict(&nlms));
    }
}

static void autoregression_is_learnt(void **state)
{
    (void)state;
    static Nlms nlms;
    static float noise[40000];
    float before[2] = {0.0f, 0.0f};
    random_gaussian(2, 1, 0, noise, 40000);
    nlms_reset(&nlms, 16, 0.01f, 1e-9f);
    for (int t = 0; t < 40000; t++) {
        const float x = 0.9f * before[0] - 0.5f * before[1] + 0.1f * noise[t];
        nlms_push(&nlms, x, x - nlms_predict(&nlms));
        before[1] = before[0];
        before[0] = x;
    }
    assert_true(fabsf(nlms.weights[0] - 0.9f) < 0.1f);
    assert_true(fabsf(nlms.weights[1] + 0.5f) < 0.1f);
    assert_true(fabsf(nlms.weights[7]) < 0.1f);
}

static void nonsense_leaves_it_finite(void **state)
{
    (void)state;
    static Nlms nlms;
    nlms_reset(&nlms, 100000, 0.5f, 0.0f);
    assert_int_equal(nlms.order, NLMS_MOST);
    for (int t = 0; t < 2000; t++)
        nlms_push(&nlms, t % 7 ? 0.0f : NAN, t % 5 ? INFINITY : 1.0f);
    assert_true(isfinite(nlms_predict(&nlms)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_the_formula),
        cmocka_unit_test(autoregression_is_learnt),
        cmocka_unit_test(nonsense_leaves_it_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
