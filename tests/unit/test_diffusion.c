#include "models/diffusion.h"
#include "models/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const double TWO_PI = 6.28318530717958647693;
static const double LAMBDAS[] = {-5.5, -2.0, -0.3, 0.0, 1.0, 4.5};
enum { LAMBDA_COUNT = sizeof LAMBDAS / sizeof LAMBDAS[0], SAMPLES = 40000, STEPS = 100 };

/* Splitmix64, uniform in (0, 1). */
static double uniform(uint64_t *seed)
{
    uint64_t bits = *seed += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    bits ^= bits >> 31;
    return ((double)(bits >> 11) + 0.5) / 9007199254740992.0;
}

/* Standard Gaussian values by Box and Muller; n is even. */
static void gaussian(uint64_t *seed, float *out, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        const double radius = sqrt(-2.0 * log(uniform(seed)));
        const double angle = TWO_PI * uniform(seed);
        out[i] = (float)(radius * cos(angle));
        out[i + 1] = (float)(radius * sin(angle));
    }
}

/* The mean and the variance of values that should be Gaussian with these, within 5 standard errors.
 */
static void check_moments(const float *values, size_t n, double mean, double variance)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    const double mean_found = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += ((double)values[i] - mean_found) * ((double)values[i] - mean_found);
    const double variance_found = squares / (double)(n - 1);
    if (!(fabs(mean_found - mean) < 5.0 * sqrt(variance / (double)n)))
        fail_msg("mean %g, expected %g", mean_found, mean);
    if (!(fabs(variance_found - variance) < 5.0 * variance * sqrt(2.0 / (double)n)))
        fail_msg("variance %g, expected %g", variance_found, variance);
}

/* q(x_t | x_0) in one go and x_t = sqrt(alpha_t) x_{t-1} + sqrt(beta_t) z over and over: the two
 * have the mean sqrt(alpha_bar_t) x_0 and the variance 1 - alpha_bar_t. */
static void test_closed_form_is_many_small_steps(void **state)
{
    (void)state;
    static float x0[SAMPLES], stepped[SAMPLES], direct[SAMPLES], noise[SAMPLES];
    const double start = 1.7;
    uint64_t seed = 1;
    for (ScheduleKind kind = SCHEDULE_LINEAR; kind <= SCHEDULE_COSINE; kind++) {
        Schedule *schedule = schedule_create(kind, STEPS, NULL);
        assert_non_null(schedule);
        for (size_t i = 0; i < SAMPLES; i++)
            stepped[i] = x0[i] = (float)start;
        for (int t = 1; t <= STEPS; t++) {
            const float keep = (float)sqrt(schedule_alpha(schedule, t));
            const float add = (float)sqrt(schedule_beta(schedule, t));
            gaussian(&seed, noise, SAMPLES);
            for (size_t i = 0; i < SAMPLES; i++)
                stepped[i] = keep * stepped[i] + add * noise[i];
            if (t != 1 && t % 20 != 0)
                continue;
            const double signal = schedule_alpha_bar(schedule, t);
            check_moments(stepped, SAMPLES, sqrt(signal) * start, 1.0 - signal);
            gaussian(&seed, noise, SAMPLES);
            diffusion_forward(schedule_half_log_snr(schedule, t), x0, noise, direct, SAMPLES);
            check_moments(direct, SAMPLES, sqrt(signal) * start, 1.0 - signal);
        }
        schedule_destroy(schedule);
    }
}

/* SNR = 3: alpha = sqrt(3)/2, sigma = 1/2. */
static void test_values_by_hand(void **state)
{
    (void)state;
    const double lambda = 0.5 * 1.0986122886681098;
    const float x0 = 2.0f, epsilon = -1.0f;
    float out;
    diffusion_forward(lambda, &x0, &epsilon, &out, 1);
    assert_true(fabs((double)out - 1.2320508075688773) < 1e-6);
    diffusion_target(PREDICTION_EPSILON, lambda, &x0, &epsilon, &out, 1);
    assert_true(out == -1.0f);
    diffusion_target(PREDICTION_V, lambda, &x0, &epsilon, &out, 1);
    assert_true(fabs((double)out + 1.8660254037844386) < 1e-6);
}

static void check_close(const float *values, const float *expected, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabs((double)values[i] - (double)expected[i]) <= tolerance))
            fail_msg("[%zu] = %g, expected %g within %g", i, (double)values[i], (double)expected[i],
                     tolerance);
    }
}

static void test_conversions_agree(void **state)
{
    (void)state;
    enum { N = 1000 };
    float x0[N], epsilon[N], xt[N], target[N], found[N];
    uint64_t seed = 2;
    gaussian(&seed, x0, N);
    gaussian(&seed, epsilon, N);
    for (int i = 0; i < LAMBDA_COUNT; i++) {
        const double lambda = LAMBDAS[i];
        /* What single precision leaves of x_0 once the noise is taken off. */
        const double lost = 2e-6 * (1.0 + exp(-lambda));
        diffusion_forward(lambda, x0, epsilon, xt, N);
        for (Prediction prediction = PREDICTION_EPSILON; prediction <= PREDICTION_V; prediction++) {
            diffusion_target(prediction, lambda, x0, epsilon, target, N);
            diffusion_epsilon(prediction, lambda, xt, target, found, N);
            check_close(found, epsilon, N, 2e-6);
            diffusion_x0(prediction, lambda, xt, target, found, N);
            check_close(found, x0, N, prediction == PREDICTION_V ? 2e-6 : lost);
            /* In place. */
            memcpy(found, target, sizeof found);
            diffusion_x0(prediction, lambda, xt, found, found, N);
            check_close(found, x0, N, prediction == PREDICTION_V ? 2e-6 : lost);
            diffusion_epsilon(prediction, lambda, xt, target, target, N);
            check_close(target, epsilon, N, 2e-6);
        }
    }
}

/* Any raw output, right or wrong, means an x_0 and an epsilon that make up x_t. */
static void test_any_output_makes_up_xt(void **state)
{
    (void)state;
    enum { N = 1000 };
    float xt[N], output[N], x0[N], epsilon[N], again[N];
    uint64_t seed = 3;
    gaussian(&seed, xt, N);
    gaussian(&seed, output, N);
    for (int i = 0; i < LAMBDA_COUNT; i++) {
        for (Prediction prediction = PREDICTION_EPSILON; prediction <= PREDICTION_V; prediction++) {
            diffusion_x0(prediction, LAMBDAS[i], xt, output, x0, N);
            diffusion_epsilon(prediction, LAMBDAS[i], xt, output, epsilon, N);
            diffusion_forward(LAMBDAS[i], x0, epsilon, again, N);
            check_close(again, xt, N, 4e-6);
            diffusion_target(prediction, LAMBDAS[i], x0, epsilon, again, N);
            check_close(again, output, N, 4e-6);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    Prediction prediction = PREDICTION_EPSILON;
    assert_string_equal(prediction_name(PREDICTION_EPSILON), "epsilon");
    assert_string_equal(prediction_name(PREDICTION_V), "v");
    assert_int_equal(prediction_parse("v", &prediction, NULL), 0);
    assert_int_equal(prediction, PREDICTION_V);
    assert_int_equal(prediction_parse("epsilon", &prediction, NULL), 0);
    assert_int_equal(prediction, PREDICTION_EPSILON);
    Error err = {""};
    assert_int_equal(prediction_parse("x0", &prediction, &err), -1);
    assert_int_equal(prediction, PREDICTION_EPSILON);
    assert_non_null(strstr(err.message, "'x0'"));
    assert_non_null(strstr(err.message, "epsilon or v"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_form_is_many_small_steps),
        cmocka_unit_test(test_values_by_hand),
        cmocka_unit_test(test_conversions_agree),
        cmocka_unit_test(test_any_output_makes_up_xt),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
