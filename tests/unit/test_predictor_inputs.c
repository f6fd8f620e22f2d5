/* What a plan's numbers become: noise of the planned level and colour when an autoregression is
 * driven as the plan says, inputs that are bounded, densities that stay near the anchor. */
#include "models/predictor_inputs.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A condition whose noise has these levels (dB) in its four bands. */
static void condition_of(const float levels[4], float *condition)
{
    memset(condition, 0, PREDICTOR_CONDITION * sizeof *condition);
    for (size_t m = 0; m < MELODY_MELS; m++)
        condition[2 + m] = -1.0f;
    for (size_t b = 0; b < 4; b++)
        condition[22 + b] = levels[b] / 20.0f;
    condition[32] = 1.0f;
}

/* Energy of x (n,) within a band of angular frequencies, by a plain Fourier sum at 64 of them, as
 * mean square. */
static double band_power(const float *x, size_t n, double low, double high)
{
    double sum = 0.0;
    for (int k = 0; k < 64; k++) {
        const double w = low + (high - low) * (k + 0.5) / 64.0;
        double re = 0.0, im = 0.0;
        for (size_t t = 0; t < n; t++) {
            re += (double)x[t] * cos(w * (double)t);
            im += (double)x[t] * sin(w * (double)t);
        }
        sum += (re * re + im * im) / (double)n;
    }
    return sum / 64.0 * (high - low) / 3.14159265358979323846;
}

static void planned_noise_has_the_planned_levels(void **state)
{
    (void)state;
    enum { N = 8192 };
    static const float plans[3][4] = {{-30.0f, -30.0f, -30.0f, -30.0f},
                                      {-20.0f, -25.0f, -35.0f, -45.0f},
                                      {-50.0f, -45.0f, -30.0f, -25.0f}};
    static const double edges[5] = {0.0, 0.125, 0.25, 0.5, 1.0}; /* of half the rate */
    const double pi = 3.14159265358979323846;
    for (int p = 0; p < 3; p++) {
        float condition[PREDICTOR_CONDITION], x[N + PREDICTOR_TAPS] = {0.0f}, white[N];
        PredictorFrame frame;
        condition_of(plans[p], condition);
        predictor_frame_plan(condition, -10.0f, 0.0f, &frame);
        assert_true(frame.planned && frame.known == 0.0f && frame.period >= 1);
        random_gaussian(1, 1, 0, white, N);
        for (size_t t = PREDICTOR_TAPS; t < N + PREDICTOR_TAPS; t++) {
            x[t] = frame.scale / 0.5513289f * white[t - PREDICTOR_TAPS];
            for (size_t k = 0; k < PREDICTOR_TAPS; k++)
                x[t] += frame.coefficients[k] * x[t - 1 - k];
        }
        for (int b = 0; b < 4; b++) {
            const double power =
                band_power(x + PREDICTOR_TAPS, N, pi * edges[b], pi * edges[b + 1]);
            const double found = 10.0 * log10(power) - 20.0 * log10(32768.0);
            const double wanted = (double)plans[p][b] - 10.0;
            if (fabs(found - wanted) > 3.0) /* walls, with sixteen coefficients */
                fail_msg("plan %d, band %d: %.1f dB, not %.1f", p, b, found, wanted);
        }
    }
}

static void silence_is_planned_safely(void **state)
{
    (void)state;
    static const float silent[4] = {-80.0f, -80.0f, -80.0f, -80.0f};
    float condition[PREDICTOR_CONDITION];
    PredictorFrame frame;
    condition_of(silent, condition);
    predictor_frame_plan(condition, -90.0f, 1e9f, &frame);
    assert_true(frame.scale > 0.0f && frame.noise > 0.0f && frame.level > 0.0f);
    assert_true(frame.period >= 1 && frame.period < PREDICTOR_REACH);
}

/* Histories of every size give inputs of order ten at most, and finite heads. */
static void inputs_are_bounded(void **state)
{
    (void)state;
    static float x[PREDICTOR_REACH + 1], anchor[PREDICTOR_REACH + PREDICTOR_AHEAD + 1];
    static const float levels[4] = {-40.0f, -40.0f, -40.0f, -40.0f};
    for (int round = 0; round < 40; round++) {
        float condition[PREDICTOR_CONDITION];
        real inputs[PREDICTOR_INPUTS];
        PredictorFrame frame;
        PredictorHead head;
        CascadePrediction past = {.base = 12.0f, .scale = 0.2f, .trend = 50.0f};
        random_gaussian(2, (uint64_t)round, 0, x, PREDICTOR_REACH);
        random_gaussian(3, (uint64_t)round, 0, anchor, PREDICTOR_REACH + PREDICTOR_AHEAD + 1);
        for (size_t i = 0; i < PREDICTOR_REACH; i++)
            x[i] *= powf(10.0f, (float)round / 8.0f);
        condition_of(levels, condition);
        const PredictorView view = {x + PREDICTOR_REACH, x + PREDICTOR_REACH,
                                    anchor + PREDICTOR_REACH, &past};
        if (round % 2)
            predictor_frame_plan(condition, -20.0f, (float)(round * 20), &frame);
        else
            predictor_frame_past(view.x, (float)(round * 20), &frame);
        predictor_inputs_make(&frame, &view, inputs, &head);
        for (size_t i = 0; i < PREDICTOR_INPUTS; i++)
            assert_true(fabsf(inputs[i]) < 10.0f);
        for (size_t i = 0; i < PREDICTOR_TAPS; i++)
            assert_true(fabsf(head.taps[i]) <= 64.0f);
        assert_true(isfinite(head.base) && head.scale > 0.0f);
        assert_true(round % 2 ? head.most > 0.0f : head.most == 0.0f);
    }
}

static void means_stay_near_the_anchor(void **state)
{
    (void)state;
    PredictorHead head = {.base = 50.0f, .scale = 3.0f, .anchor = 40.0f, .most = 20.0f};
    for (int i = 0; i < PREDICTOR_TAPS; i++)
        head.taps[i] = 64.0f;
    for (int size = -3; size <= 3; size++) {
        real out[PREDICTOR_OUTPUTS], parameters[LOGISTIC_PARAMETERS];
        for (int i = 0; i < PREDICTOR_OUTPUTS; i++)
            out[i] = (real)(size * 100);
        predictor_heads_forward(1, &head, out, parameters);
        for (int i = 0; i < LOGISTICS; i++) {
            assert_true(fabsf(parameters[LOGISTICS + i] - 40.0f) <= 20.001f);
            assert_true(fabsf(parameters[2 * LOGISTICS + i] - logf(3.0f)) < 3.0f);
        }
    }
    /* With nothing to say, the density lies about the base. */
    real zero[PREDICTOR_OUTPUTS] = {0}, parameters[LOGISTIC_PARAMETERS];
    head.most = 0.0f;
    predictor_heads_forward(1, &head, zero, parameters);
    for (int i = 0; i < LOGISTICS; i++)
        assert_true(parameters[LOGISTICS + i] == 50.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planned_noise_has_the_planned_levels),
        cmocka_unit_test(silence_is_planned_safely),
        cmocka_unit_test(inputs_are_bounded),
        cmocka_unit_test(means_stay_near_the_anchor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
