/* AdamW against algorithm 2 of Loshchilov & Hutter (2019) in double precision; clipping; averages.
 */
#include "models/adam.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MATRIX = 7 * 13, VECTOR = 19, SIZE = MATRIX + VECTOR, STEPS = 50 };

/* A matrix, which decays, then a vector, which does not. */
static Parameters *example(void)
{
    Parameters *parameters = parameters_create(NULL);
    assert_non_null(parameters);
    parameters_add(parameters, "matrix", PARAMETER_FAN_IN, 2, (size_t[]){7, 13});
    parameters_add(parameters, "vector", PARAMETER_ZERO, 1, (size_t[]){VECTOR});
    assert_int_equal(parameters_ok(parameters, NULL), 0);
    return parameters;
}

/* A gradient that changes over the steps, of sizes from 1e-4 to 1. */
static double gradient_at(size_t step, size_t i)
{
    return pow(10.0, -(double)(i % 5)) * (sin(0.3 * (double)step + (double)i) + 0.2);
}

static double rate_at(size_t step)
{
    return 1e-2 * (1.0 + 0.5 * cos((double)step));
}

/* The algorithm as it is printed, theta decoupled from the gradient. */
static void reference(const AdamSettings *s, double *values)
{
    double first[SIZE] = {0.0}, second[SIZE] = {0.0};
    for (size_t step = 1; step <= STEPS; step++)
        for (size_t i = 0; i < SIZE; i++) {
            const double g = (double)(float)gradient_at(step, i), rate = rate_at(step);
            first[i] = s->beta1 * first[i] + (1.0 - s->beta1) * g;
            second[i] = s->beta2 * second[i] + (1.0 - s->beta2) * g * g;
            const double m = first[i] / (1.0 - pow(s->beta1, (double)step));
            const double v = second[i] / (1.0 - pow(s->beta2, (double)step));
            const double decay = i < MATRIX ? s->decay : 0.0;
            values[i] -= rate * (m / (sqrt(v) + s->epsilon) + decay * values[i]);
        }
}

static void check_adam(double decay)
{
    Parameters *parameters = example();
    AdamSettings settings = adam_defaults();
    settings.decay = decay;
    float values[SIZE], gradients[SIZE], first[SIZE] = {0.0f}, second[SIZE] = {0.0f};
    double wanted[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        wanted[i] = (double)(values[i] = 0.5f + 0.01f * (float)i);
    for (size_t step = 1; step <= STEPS; step++) {
        for (size_t i = 0; i < SIZE; i++)
            gradients[i] = (float)gradient_at(step, i);
        adam_step(&settings, parameters, step, rate_at(step), gradients, values, first, second);
    }
    reference(&settings, wanted);
    for (size_t i = 0; i < SIZE; i++)
        if (!(fabs((double)values[i] - wanted[i]) < 1e-5))
            fail_msg("value %zu, decay %g: %.9g, not %.9g", i, decay, (double)values[i], wanted[i]);
    parameters_destroy(parameters);
}

static void steps_match_the_algorithm(void **state)
{
    (void)state;
    check_adam(0.0);
    check_adam(adam_defaults().decay);
    check_adam(0.5);
}

static void defaults_are_as_documented(void **state)
{
    (void)state;
    const AdamSettings settings = adam_defaults();
    assert_true(settings.beta1 == 0.9 && settings.beta2 == 0.99);
    assert_true(settings.epsilon == 1e-8 && settings.decay == 1e-3);
}

/* From zero moments, the first step is the rate times the gradient's sign; none where that is 0. */
static void first_step_is_the_rate(void **state)
{
    (void)state;
    Parameters *parameters = example();
    AdamSettings settings = adam_defaults();
    settings.decay = 0.0;
    float values[SIZE] = {0.0f}, gradients[SIZE], first[SIZE] = {0.0f}, second[SIZE] = {0.0f};
    for (size_t i = 0; i < SIZE; i++)
        gradients[i] = i % 3 == 0 ? 0.0f : i % 3 == 1 ? 1e-3f : -20.0f;
    adam_step(&settings, parameters, 1, 0.01, gradients, values, first, second);
    for (size_t i = 0; i < SIZE; i++) {
        const double wanted = i % 3 == 0 ? 0.0 : i % 3 == 1 ? -0.01 : 0.01;
        assert_true(fabs((double)values[i] - wanted) < 1e-6);
    }
    parameters_destroy(parameters);
}

/* Without gradients, values shrink by (1 - rate decay) a step. */
static void decay_alone_shrinks_matrices(void **state)
{
    (void)state;
    Parameters *parameters = example();
    AdamSettings settings = adam_defaults();
    settings.decay = 0.1;
    float values[SIZE], gradients[SIZE] = {0.0f}, first[SIZE] = {0.0f}, second[SIZE] = {0.0f};
    for (size_t i = 0; i < SIZE; i++)
        values[i] = 2.0f;
    for (size_t step = 1; step <= STEPS; step++)
        adam_step(&settings, parameters, step, 0.1, gradients, values, first, second);
    for (size_t i = 0; i < SIZE; i++) {
        const double wanted = i < MATRIX ? 2.0 * pow(0.99, STEPS) : 2.0;
        assert_true(fabs((double)values[i] - wanted) < 1e-5);
    }
    parameters_destroy(parameters);
}

static void clipping_keeps_direction_and_limits_length(void **state)
{
    (void)state;
    enum { N = 1003 };
    float gradients[N], before[N];
    double norm = 0.0;
    for (size_t i = 0; i < N; i++) {
        before[i] = gradients[i] = (float)sin((double)i * 0.7) * (i == 5 ? 100.0f : 1.0f);
        norm += (double)before[i] * (double)before[i];
    }
    norm = sqrt(norm);
    assert_true(fabs(gradients_clip(N, gradients, norm * 1.001) / norm - 1.0) < 1e-12);
    assert_memory_equal(gradients, before, sizeof gradients);
    assert_true(fabs(gradients_clip(N, gradients, 2.5) / norm - 1.0) < 1e-12);
    double after = 0.0;
    for (size_t i = 0; i < N; i++) {
        after += (double)gradients[i] * (double)gradients[i];
        assert_true(fabs((double)gradients[i] - (double)before[i] * 2.5 / norm) < 1e-6);
    }
    assert_true(fabs(sqrt(after) - 2.5) < 1e-6);
    memset(gradients, 0, sizeof gradients);
    assert_true(gradients_clip(N, gradients, 1.0) == 0.0);
    assert_true(gradients[N - 1] == 0.0f);
    assert_true(gradients_clip(0, gradients, 1.0) == 0.0);
    /* What is not finite is told by the norm. */
    gradients[N - 1] = NAN;
    assert_true(isnan(gradients_clip(N, gradients, 1.0)));
    gradients[N - 1] = INFINITY;
    assert_true(isinf(gradients_clip(N, gradients, 1.0)));
}

/* With values that stay, the distance to them shrinks geometrically. */
static void average_forgets_geometrically(void **state)
{
    (void)state;
    enum { N = 101 };
    float values[N], average[N];
    for (size_t i = 0; i < N; i++) {
        values[i] = (float)i;
        average[i] = -1.0f;
    }
    for (int step = 0; step < 200; step++)
        average_step(N, 0.99, values, average);
    for (size_t i = 0; i < N; i++) {
        const double wanted = (double)i - ((double)i + 1.0) * pow(0.99, 200.0);
        assert_true(fabs((double)average[i] - wanted) < 1e-4);
    }
    average_step(N, 0.0, values, average);
    assert_memory_equal(average, values, sizeof values);
    values[3] = 100.0f;
    average_step(N, 1.0, values, average);
    assert_true(average[3] == 3.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_match_the_algorithm),
        cmocka_unit_test(defaults_are_as_documented),
        cmocka_unit_test(first_step_is_the_rate),
        cmocka_unit_test(decay_alone_shrinks_matrices),
        cmocka_unit_test(clipping_keeps_direction_and_limits_length),
        cmocka_unit_test(average_forgets_geometrically),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
