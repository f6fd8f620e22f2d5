/* The discretised mixture of logistics against its definition. */
#include "models/logistic_mixture.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

static const float EXAMPLE[LOGISTIC_PARAMETERS] = {0.5f, -1.0f, 0.0f,  2.0f, -3.0f,
                                                   0.2f, -7.5f, 12.0f, 3.0f, 400.0f,
                                                   0.0f, 1.5f,  -2.0f, 0.7f, 3.0f};

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* The mixture's distribution function. */
static double below(double x)
{
    double sum = 0.0, weights = 0.0;
    for (int i = 0; i < LOGISTICS; i++) {
        const double weight = exp((double)EXAMPLE[i]);
        const double scale = exp((double)EXAMPLE[2 * LOGISTICS + i]);
        sum += weight * sigmoid((x - (double)EXAMPLE[LOGISTICS + i]) / scale);
        weights += weight;
    }
    return sum / weights;
}

static void bins_hold_the_mass_of_the_distribution(void **state)
{
    (void)state;
    double total = 0.0;
    for (int v = -1000; v <= 1000; v++) {
        const float value = (float)v;
        float nats;
        logistic_mixture_nats(1, &value, EXAMPLE, &nats, NULL);
        const double mass = below(v + 0.5) - below(v - 0.5);
        if (mass > 1e-9 && fabs((double)nats + log(mass)) > 1e-4)
            fail_msg("%d: %g nats, not %g", v, (double)nats, -log(mass));
        total += exp(-(double)nats);
    }
    assert_true(fabs(total - 1.0) < 1e-4);
}

static void far_and_sharp_stays_finite(void **state)
{
    (void)state;
    static const float scales[] = {-100.0f, -7.0f, 0.0f, 15.0f, 100.0f};
    for (int i = 0; i < 5; i++) {
        float parameters[LOGISTIC_PARAMETERS] = {0.0f}, gradient[LOGISTIC_PARAMETERS], nats;
        const float value = 65535.0f;
        for (int k = 0; k < LOGISTICS; k++)
            parameters[2 * LOGISTICS + k] = scales[i];
        logistic_mixture_nats(1, &value, parameters, &nats, gradient);
        assert_true(isfinite(nats) && nats > 0.0f);
        for (int k = 0; k < LOGISTIC_PARAMETERS; k++)
            assert_true(isfinite(gradient[k]));
    }
}

/* Draws fall below each of some places as often as the distribution says. */
static void samples_follow_the_distribution(void **state)
{
    (void)state;
    enum { DRAWS = 40000 };
    static const double places[] = {-6.0, 0.0, 3.0, 3.5, 12.0, 398.0};
    double counts[6] = {0.0};
    for (uint64_t k = 0; k < DRAWS; k++) {
        const double x =
            logistic_mixture_sample(EXAMPLE, 1.0, random_uniform(1, 1, k), random_uniform(1, 2, k));
        for (int i = 0; i < 6; i++)
            counts[i] += x < places[i];
    }
    for (int i = 0; i < 6; i++)
        assert_true(fabs(counts[i] / DRAWS - below(places[i])) < 0.01);
    /* Cold: the likeliest component's mean. */
    assert_true(fabs(logistic_mixture_sample(EXAMPLE, 0.0, 0.3, 0.9) - 3.0) < 1e-6);
    assert_true(isfinite(logistic_mixture_sample(EXAMPLE, 1.0, 0.0, 0.0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_hold_the_mass_of_the_distribution),
        cmocka_unit_test(far_and_sharp_stays_finite),
        cmocka_unit_test(samples_follow_the_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
