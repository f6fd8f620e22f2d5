/* The parameters: where tensors lie, and how they begin. */
#include "models/parameters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 33 };

/* weight (200, 3, 50), bias (33,), table (7, 400), odd (3, 333), in this order. */
static Parameters *example(void)
{
    Error err = {""};
    Parameters *parameters = parameters_create(&err);
    assert_non_null(parameters);
    assert_int_equal(
        parameters_add(parameters, "weight", PARAMETER_FAN_IN, 3, (size_t[]){200, 3, 50}), 0);
    assert_int_equal(parameters_add(parameters, "bias", PARAMETER_ZERO, 1, (size_t[]){SMALL}),
                     30000);
    assert_int_equal(parameters_add(parameters, "table", PARAMETER_FAN_IN, 2, (size_t[]){7, 400}),
                     30000 + SMALL);
    assert_int_equal(parameters_add(parameters, "odd", PARAMETER_FAN_IN, 2, (size_t[]){3, 333}),
                     30000 + SMALL + 2800);
    assert_int_equal(parameters_ok(parameters, &err), 0);
    return parameters;
}

static void tensors_lie_one_after_another(void **state)
{
    (void)state;
    Parameters *parameters = example();
    assert_int_equal(parameters_count(parameters), 4);
    assert_int_equal(parameters_size(parameters), 30000 + SMALL + 2800 + 999);
    const ParameterInfo *weight = parameters_info(parameters, 0);
    assert_string_equal(weight->name, "weight");
    assert_int_equal(weight->rank, 3);
    assert_int_equal(weight->shape[0], 200);
    assert_int_equal(weight->shape[1], 3);
    assert_int_equal(weight->shape[2], 50);
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        size_t product = 1;
        for (size_t j = 0; j < info->rank; j++)
            product *= info->shape[j];
        assert_int_equal(info->offset, at);
        assert_int_equal(info->size, product);
        at += product;
    }
    parameters_destroy(parameters);
    parameters_destroy(NULL);
}

static void many_tensors_keep_their_names(void **state)
{
    (void)state;
    Parameters *parameters = parameters_create(NULL);
    assert_non_null(parameters);
    char name[32];
    for (size_t i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "blocks.%zu.bias", i);
        assert_int_equal(parameters_add(parameters, name, PARAMETER_ZERO, 1, (size_t[]){i + 1}),
                         i * (i + 1) / 2);
    }
    for (size_t i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "blocks.%zu.bias", i);
        assert_string_equal(parameters_info(parameters, i)->name, name);
        assert_int_equal(parameters_info(parameters, i)->size, i + 1);
    }
    parameters_destroy(parameters);
}

/* Gaussian with variance 1 / fan-in: mean, variance and kurtosis within five deviations of each. */
static void check_start(const ParameterInfo *info, const float *values)
{
    const double n = (double)info->size, variance = (double)info->shape[0] / n;
    double sums[3] = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < info->size; i++) {
        const double x = (double)values[info->offset + i] / sqrt(variance);
        sums[0] += x;
        sums[1] += x * x;
        sums[2] += x * x * x * x;
    }
    assert_true(fabs(sums[0] / n) < 5.0 * sqrt(1.0 / n));
    assert_true(fabs(sums[1] / n - 1.0) < 5.0 * sqrt(2.0 / n));
    assert_true(fabs(sums[2] / n - 3.0) < 5.0 * sqrt(96.0 / n));
}

static void tensors_start_with_unit_gain(void **state)
{
    (void)state;
    Parameters *parameters = example();
    float *values = malloc(parameters_size(parameters) * sizeof *values);
    assert_non_null(values);
    memset(values, 0x55, parameters_size(parameters) * sizeof *values);
    parameters_start(parameters, 7, values);
    check_start(parameters_info(parameters, 0), values);
    check_start(parameters_info(parameters, 2), values);
    check_start(parameters_info(parameters, 3), values);
    for (size_t i = 0; i < SMALL; i++)
        assert_true(values[parameters_info(parameters, 1)->offset + i] == 0.0f);
    /* No piece of a tensor is a copy of another: lag products of white noise vanish. */
    for (size_t lag = 1; lag <= 512; lag *= 2) {
        double sum = 0.0;
        for (size_t i = 0; i + lag < 30000; i++)
            sum += 150.0 * (double)values[i] * (double)values[i + lag];
        assert_true(fabs(sum / 30000.0) < 5.0 / sqrt(30000.0));
    }
    free(values);
    parameters_destroy(parameters);
}

static void start_depends_on_the_seed_alone(void **state)
{
    (void)state;
    Parameters *parameters = example(), *again = example();
    const size_t n = parameters_size(parameters);
    float *a = malloc(n * sizeof *a), *b = malloc((n + 10) * sizeof *b);
    assert_true(a && b);
    parameters_start(parameters, 7, a);
    parameters_start(again, 7, b);
    assert_memory_equal(a, b, n * sizeof *a);
    /* A tensor more does not change those before it. */
    parameters_add(again, "more", PARAMETER_FAN_IN, 1, (size_t[]){10});
    parameters_start(again, 7, b);
    assert_memory_equal(a, b, n * sizeof *a);
    parameters_start(parameters, 8, b);
    size_t equal = 0;
    for (size_t i = 0; i < 30000; i++)
        equal += memcmp(&a[i], &b[i], sizeof *a) == 0;
    assert_true(equal < 10);
    free(a), free(b);
    parameters_destroy(parameters);
    parameters_destroy(again);
}

static void networks_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    Error err = {""};
    Parameters *parameters = parameters_create(NULL);
    assert_non_null(parameters);
    parameters_add(parameters, "a", PARAMETER_ZERO, 2, (size_t[]){1 << 13, 1 << 13});
    assert_int_equal(parameters_ok(parameters, &err), 0);
    parameters_add(parameters, "b", PARAMETER_ZERO, 1, (size_t[]){1});
    assert_int_equal(parameters_ok(parameters, &err), -1);
    assert_non_null(strstr(err.message, "67108865 values"));
    parameters_destroy(parameters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_lie_one_after_another),
        cmocka_unit_test(many_tensors_keep_their_names),
        cmocka_unit_test(tensors_start_with_unit_gain),
        cmocka_unit_test(start_depends_on_the_seed_alone),
        cmocka_unit_test(networks_beyond_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
