/* dsp/partial_fit: amplitudes of known sinusoids, alone, close together, and under a prior. */
#include "dsp/partial_fit.h"

#include "dsp/complex_float.h"
#include "dsp/pitch.h"
#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

enum { KNOTS = 5, N = 1280 };

static const size_t knot[KNOTS] = {0, 320, 640, 960, 1280};
static const double turn = 6.283185307179586;

/* Adds a sinusoid of constant frequency whose amplitude goes straight from knot to knot. */
static void add(float *x, double hertz, double phase, const float complex *c, size_t stride)
{
    for (size_t t = 0; t < N; t++) {
        const size_t k = t / 320;
        const float along = (float)(t - knot[k]) / 320.0F;
        const float complex a = c[k * stride] + along * (c[(k + 1) * stride] - c[k * stride]);
        const double angle = turn * (phase + hertz / PITCH_RATE * (double)t);
        x[t] += crealf(a) * (float)cos(angle) - cimagf(a) * (float)sin(angle);
    }
}

static void solve(const float *x, size_t partials, const float *hertz, const float *rate,
                  const float *keep, float noise, float complex *c, float *y)
{
    const double phase[3] = {0.1, 0.7, 0.3};
    const PartialStretch stretch = {.x = x,
                                    .n = N,
                                    .knots = KNOTS,
                                    .partials = partials,
                                    .knot = knot,
                                    .hertz = hertz,
                                    .phase = phase,
                                    .rate = rate,
                                    .keep = keep,
                                    .precision = 1e-6F,
                                    .noise = noise};
    PartialFit *fit = partial_fit_create(NULL);
    assert_non_null(fit);
    partial_fit_solve(fit, &stretch, c, y);
    partial_fit_destroy(fit);
}

/* Three partials, two of them 60 Hz apart: their amplitudes come out, and the sound. */
static void test_exact(void **state)
{
    (void)state;
    float x[N] = {0.0F}, y[N], hertz[KNOTS * 3], rate[KNOTS * 3];
    const float tones[3] = {440.0F, 500.0F, 3000.0F}, keep[3] = {1.0F, 1.0F, 1.0F};
    float complex want[KNOTS * 3], got[KNOTS * 3];
    for (size_t i = 0; i < KNOTS * 3; i++) {
        hertz[i] = tones[i % 3];
        rate[i] = 1e6F;
        want[i] = CMPLXF(0.1F * (float)((i * 7) % 5), 0.1F * (float)((i * 3) % 4) - 0.2F);
    }
    memcpy(got, want, sizeof got);
    add(x, 440.0, 0.1, want, 3);
    add(x, 500.0, 0.7, want + 1, 3);
    add(x, 3000.0, 0.3, want + 2, 3);
    solve(x, 3, hertz, rate, keep, 1e-6F, got, y);
    for (size_t i = 0; i < KNOTS * 3; i++) {
        check_near((double)crealf(got[i]), (double)crealf(want[i]), 0.01);
        check_near((double)cimagf(got[i]), (double)cimagf(want[i]), 0.01);
    }
    for (size_t t = 0; t < N; t++)
        check_near((double)y[t], (double)x[t], 2e-3);
}

/* A rate of 0 keeps what is given; what is expected to fade fades where there is nothing to hear.
 */
static void test_prior(void **state)
{
    (void)state;
    float x[N] = {0.0F}, y[N], hertz[KNOTS * 2], rate[KNOTS * 2];
    const float keep[2] = {1.0F, 1e-6F};
    float complex c[KNOTS * 2] = {0};
    for (size_t k = 0; k < KNOTS; k++) {
        hertz[2 * k] = 440.0F;
        hertz[2 * k + 1] = 900.0F;
        rate[2 * k] = 0.0F;
        rate[2 * k + 1] = 1e-4F;
        c[2 * k] = 0.25F;
    }
    c[1] = 0.1F;
    solve(x, 2, hertz, rate, keep, 100.0F, c, y);
    for (size_t k = 0; k < KNOTS; k++) {
        check_near((double)crealf(c[2 * k]), 0.25, 0.0);
        check_near((double)crealf(c[2 * k + 1]), 0.1 * pow(1e-6, 0.02 * (double)k), 2e-3);
    }
}

/* A frequency that rises from knot to knot: the phase is its integral. */
static void test_glide(void **state)
{
    (void)state;
    float x[N], y[N], hertz[KNOTS], rate[KNOTS];
    const float keep = 1.0F;
    float complex c[KNOTS] = {0.5F};
    double phase = 0.1;
    for (size_t t = 0; t < N; t++) {
        x[t] = (float)(0.5 * cos(turn * phase));
        phase += (500.0 + 400.0 * ((double)t + 0.5) / N) / PITCH_RATE;
    }
    for (size_t k = 0; k < KNOTS; k++) {
        hertz[k] = 500.0F + 100.0F * (float)k;
        rate[k] = 100.0F;
    }
    solve(x, 1, hertz, rate, &keep, 1e-6F, c, y);
    for (size_t k = 0; k < KNOTS; k++) {
        check_near((double)crealf(c[k]), 0.5, 2e-3);
        check_near((double)cimagf(c[k]), 0.0, 2e-3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_prior),
        cmocka_unit_test(test_glide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
