/* Expected numbers: the published formulas evaluated with 50 decimal digits. */
#include "models/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

typedef struct Expected {
    int t;
    double alpha_bar;
} Expected;

static void assert_near(double value, double expected, double relative)
{
    if (!(fabs(value - expected) <= relative * fabs(expected)))
        fail_msg("%.17g, expected %.17g within %g of it", value, expected, relative);
}

static void check_alpha_bar(ScheduleKind kind, int steps, const Expected *expected, size_t count)
{
    Error err;
    Schedule *schedule = schedule_create(kind, steps, &err);
    assert_non_null(schedule);
    assert_int_equal(schedule_steps(schedule), steps);
    for (size_t i = 0; i < count; i++)
        assert_near(schedule_alpha_bar(schedule, expected[i].t), expected[i].alpha_bar, 1e-11);
    schedule_destroy(schedule);
}

#define CHECK(kind, steps, table) check_alpha_bar(kind, steps, table, sizeof table / sizeof *table)

static void test_linear_values(void **state)
{
    (void)state;
    static const Expected thousand[] = {{0, 1.0},
                                        {1, 9.999000000000000e-01},
                                        {100, 8.970181456749604e-01},
                                        {250, 5.240853738253605e-01},
                                        {500, 7.858724288177824e-02},
                                        {1000, 4.035829765375684e-05}};
    static const Expected two_hundred[] = {{1, 0.9995},
                                           {20, 8.999999251096701e-01},
                                           {50, 5.257474035355683e-01},
                                           {100, 7.665890493502028e-02},
                                           {200, 3.031837167231906e-05}};
    CHECK(SCHEDULE_LINEAR, 1000, thousand);
    CHECK(SCHEDULE_LINEAR, 200, two_hundred);
    Schedule *schedule = schedule_create(SCHEDULE_LINEAR, 1000, NULL);
    assert_non_null(schedule);
    assert_near(schedule_beta(schedule, 1), 1e-4, 1e-14);
    assert_near(schedule_beta(schedule, 1000), 0.02, 1e-14);
    schedule_destroy(schedule);
}

static void test_cosine_values(void **state)
{
    (void)state;
    static const Expected thousand[] = {{0, 1.0},
                                        {1, 9.999587157751783e-01},
                                        {100, 9.720927371139692e-01},
                                        {250, 8.470121613269047e-01},
                                        {500, 4.938435904406377e-01},
                                        {999, 2.428766907034468e-06},
                                        {1000, 2.428766907034468e-09}};
    static const Expected fifty[] = {{1, 9.982524864661345e-01},
                                     {5, 9.720927371139692e-01},
                                     {25, 4.938435904406377e-01},
                                     {49, 9.711930298712446e-04},
                                     {50, 9.711930298712445e-07}};
    CHECK(SCHEDULE_COSINE, 1000, thousand);
    CHECK(SCHEDULE_COSINE, 50, fifty);
    Schedule *schedule = schedule_create(SCHEDULE_COSINE, 1000, NULL);
    assert_non_null(schedule);
    assert_near(schedule_beta(schedule, 1), 4.128422482177781e-05, 1e-10);
    assert_near(schedule_beta(schedule, 500), 3.145886230478197e-03, 1e-11);
    assert_near(schedule_beta(schedule, 1000), 0.999, 0.0);
    schedule_destroy(schedule);
}

static void test_every_step_is_sound(void **state)
{
    (void)state;
    static const int lengths[] = {1, 2, 3, 10, 50, 1000, 4000, 100000};
    for (ScheduleKind kind = SCHEDULE_LINEAR; kind <= SCHEDULE_COSINE; kind++) {
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            Schedule *schedule = schedule_create(kind, lengths[i], NULL);
            assert_non_null(schedule);
            assert_true(schedule_alpha_bar(schedule, 0) == 1.0);
            assert_true(schedule_alpha(schedule, 0) == 1.0);
            assert_true(schedule_beta(schedule, 0) == 0.0);
            for (int t = 1; t <= lengths[i]; t++) {
                const double beta = schedule_beta(schedule, t);
                const double alpha = schedule_alpha(schedule, t);
                const double before = schedule_alpha_bar(schedule, t - 1);
                const double signal = schedule_alpha_bar(schedule, t);
                assert_true(beta > 0.0 && beta <= 0.999);
                assert_near(alpha + beta, 1.0, 1e-15);
                assert_true(signal > 0.0 && signal < before);
                assert_near(signal, before * alpha, 1e-15);
            }
            schedule_destroy(schedule);
        }
    }
}

static void test_half_log_snr_and_scales(void **state)
{
    (void)state;
    for (ScheduleKind kind = SCHEDULE_LINEAR; kind <= SCHEDULE_COSINE; kind++) {
        Schedule *schedule = schedule_create(kind, 1000, NULL);
        assert_non_null(schedule);
        for (int t = 1; t <= 1000; t++) {
            const double signal = schedule_alpha_bar(schedule, t);
            const double lambda = schedule_half_log_snr(schedule, t);
            double alpha, sigma;
            diffusion_scales(lambda, &alpha, &sigma);
            assert_near(exp(2.0 * lambda), signal / (1.0 - signal), 1e-11);
            assert_near(alpha, sqrt(signal), 1e-11);
            assert_near(sigma, sqrt(1.0 - signal), 1e-11);
        }
        schedule_destroy(schedule);
    }
    double alpha, sigma;
    diffusion_scales(0.0, &alpha, &sigma);
    assert_near(alpha, 0.70710678118654752, 1e-15);
    assert_near(sigma, 0.70710678118654752, 1e-15);
    diffusion_scales(0.5 * 1.0986122886681098, &alpha, &sigma); /* SNR = 3 */
    assert_near(alpha, 0.86602540378443865, 1e-15);
    assert_near(sigma, 0.5, 1e-15);
    diffusion_scales(500.0, &alpha, &sigma);
    assert_true(alpha == 1.0 && sigma == 0.0);
    diffusion_scales(-500.0, &alpha, &sigma);
    assert_true(alpha == 0.0 && sigma == 1.0);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    static const int lengths[] = {-1, 0, 100001};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        Error err = {""};
        assert_null(schedule_create(SCHEDULE_COSINE, lengths[i], &err));
        assert_non_null(strstr(err.message, "1 to 100000"));
    }
    Error err = {""};
    assert_null(schedule_create((ScheduleKind)7, 10, &err));
    assert_non_null(strstr(err.message, "linear or cosine"));
    assert_null(schedule_create(SCHEDULE_LINEAR, 0, NULL));
    schedule_destroy(NULL);
}

static void test_names(void **state)
{
    (void)state;
    ScheduleKind kind = SCHEDULE_LINEAR;
    assert_string_equal(schedule_kind_name(SCHEDULE_LINEAR), "linear");
    assert_string_equal(schedule_kind_name(SCHEDULE_COSINE), "cosine");
    assert_int_equal(schedule_kind_parse("cosine", &kind, NULL), 0);
    assert_int_equal(kind, SCHEDULE_COSINE);
    assert_int_equal(schedule_kind_parse("linear", &kind, NULL), 0);
    assert_int_equal(kind, SCHEDULE_LINEAR);
    Error err = {""};
    assert_int_equal(schedule_kind_parse("Cosine", &kind, &err), -1);
    assert_int_equal(kind, SCHEDULE_LINEAR);
    assert_non_null(strstr(err.message, "'Cosine'"));
    assert_non_null(strstr(err.message, "linear or cosine"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_values),       cmocka_unit_test(test_cosine_values),
        cmocka_unit_test(test_every_step_is_sound), cmocka_unit_test(test_half_log_snr_and_scales),
        cmocka_unit_test(test_bad_arguments),       cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
