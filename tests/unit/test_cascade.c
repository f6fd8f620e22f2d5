/* The cascade on sounds whose predictability is known. */
#include "dsp/cascade.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

enum { PHRASE = 8000, SAMPLES = 2 * PHRASE };

/* Error energies of the base prediction in both halves of x, over x's own. */
static void errors_of(const float *x, double halves[2])
{
    Cascade *cascade = cascade_create(NULL);
    assert_non_null(cascade);
    for (int h = 0; h < 2; h++) {
        double error = 0.0, energy = 0.0;
        for (int t = h * PHRASE; t < (h + 1) * PHRASE; t++) {
            CascadePrediction p;
            cascade_predict(cascade, &p);
            assert_true(p.scale > 0.0f && isfinite(p.trend) && fabsf(p.base) <= 1.0f);
            if (t >= h * PHRASE + PHRASE / 2) {
                error += pow((double)(x[t] - p.base), 2.0);
                energy += pow((double)x[t], 2.0);
            }
            cascade_push(cascade, x[t]);
        }
        halves[h] = error / energy;
    }
    cascade_destroy(cascade);
}

static float *noise(void)
{
    float *x = malloc(SAMPLES * sizeof *x);
    assert_non_null(x);
    random_gaussian(6, 1, 0, x, SAMPLES);
    for (int t = 0; t < SAMPLES; t++)
        x[t] *= 0.05f;
    return x;
}

/* White noise cannot be predicted, but its repetition can. */
static void repeated_noise_is_recalled(void **state)
{
    (void)state;
    float *x = noise();
    double halves[2];
    for (int t = 0; t < PHRASE; t++)
        x[PHRASE + t] = x[t];
    errors_of(x, halves);
    assert_true(halves[0] > 1.0 && halves[0] < 1.6);
    assert_true(halves[1] < 0.1);
    free(x);
}

static void partials_under_noise_are_predicted(void **state)
{
    (void)state;
    float *x = noise();
    double halves[2];
    for (int t = 0; t < SAMPLES; t++) {
        x[t] *= 0.001f / 0.05f;
        for (int k = 1; k < 8; k++)
            x[t] += 0.1f / (float)k * sinf(0.071f * (float)(k * t));
    }
    errors_of(x, halves);
    assert_true(halves[0] < 2e-3 && halves[1] < 5e-4);
    free(x);
}

static void nonsense_leaves_it_finite(void **state)
{
    (void)state;
    float *x = noise();
    CascadePrediction p;
    Cascade *cascade = cascade_create(NULL);
    for (int t = 0; t < SAMPLES; t++) {
        cascade_predict(cascade, &p);
        assert_true(isfinite(p.base) && isfinite(p.scale));
        cascade_push(cascade, t % 3 ? 1e20f * x[t] : t % 2 ? NAN : INFINITY);
    }
    cascade_destroy(cascade);
    cascade_destroy(NULL);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_noise_is_recalled),
        cmocka_unit_test(partials_under_noise_are_predicted),
        cmocka_unit_test(nonsense_leaves_it_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
