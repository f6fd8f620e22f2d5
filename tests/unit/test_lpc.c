/* Levinson's recursion against processes whose predictors are known; backward LPC on a tone. */
#include "dsp/lpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

/* x[t] = 1.2 x[t-1] - 0.8 x[t-2] + noise of variance 1: Yule-Walker gives the autocorrelation. */
static void second_order_process_is_recovered(void **state)
{
    (void)state;
    const double a = 1.2, b = -0.8;
    double r[9], found[8];
    const double rho = a / (1.0 - b);
    r[0] = 1.0 / (1.0 - a * rho - b * (a * rho + b));
    r[1] = rho * r[0];
    for (int k = 2; k < 9; k++)
        r[k] = a * r[k - 1] + b * r[k - 2];
    const double error = lpc_solve(8, r, 0.0, found);
    assert_true(fabs(error - 1.0) < 1e-9);
    assert_true(fabs(found[0] - a) < 1e-9 && fabs(found[1] - b) < 1e-9);
    for (int k = 2; k < 8; k++)
        assert_true(fabs(found[k]) < 1e-9);
}

static void silence_and_nonsense_give_no_prediction(void **state)
{
    (void)state;
    double zero[5] = {0.0}, wrong[5] = {1.0, 2.0, 0.0, 0.0, 0.0}, found[4];
    assert_true(lpc_solve(4, zero, 1e-5, found) == 0.0);
    for (int k = 0; k < 4; k++)
        assert_true(found[k] == 0.0);
    /* No signal has this autocorrelation: the recursion stops. */
    lpc_solve(4, wrong, 0.0, found);
    for (int k = 0; k < 4; k++)
        assert_true(found[k] == 0.0);
}

static void ridge_shrinks_the_prediction(void **state)
{
    (void)state;
    const double r[2] = {2.0, 1.0};
    double found[1];
    assert_true(fabs(lpc_solve(1, r, 0.25, found) - 2.1) < 1e-12);
    assert_true(fabs(found[0] - 0.4) < 1e-12);
}

static void tone_is_predicted_from_its_past(void **state)
{
    (void)state;
    static Lpc lpc;
    lpc_reset(&lpc);
    double error = 0.0, energy = 0.0;
    for (int t = 0; t < 6000; t++) {
        const float x = 0.3f * sinf(0.11f * (float)t) + 0.2f * sinf(0.31f * (float)t);
        if (t >= 3000) {
            const double e = (double)(x - lpc_predict(&lpc));
            error += e * e;
            energy += (double)x * (double)x;
        } else if (t < LPC_HOP) {
            assert_true(lpc_predict(&lpc) == 0.0f);
        }
        lpc_push(&lpc, x);
    }
    assert_true(error < 1e-4 * energy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_order_process_is_recovered),
        cmocka_unit_test(silence_and_nonsense_give_no_prediction),
        cmocka_unit_test(ridge_shrinks_the_prediction),
        cmocka_unit_test(tone_is_predicted_from_its_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
