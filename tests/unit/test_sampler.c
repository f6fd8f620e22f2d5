/* Samplers on data that is Gaussian, N(mean, deviation^2) in every coordinate: the perfect network
 * is known, and what a sampler makes of x_T and of its noise is affine. So is the exact solution of
 * the probability-flow equation: (x_lambda - alpha mean) / sqrt(alpha^2 deviation^2 + sigma^2)
 * stays. */
#include "models/diffusion.h"
#include "models/sampler.h"
#include "models/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double TWO_PI = 6.28318530717958647693;
enum { MAX_CALLS = 1000 };

/* The data, the perfect network for it, and what the sampler asked for. */
typedef struct World {
    double mean, deviation;
    Prediction prediction;
    size_t n;
    int calls, noises;
    int stop_at;            /* the call that fails; -1: none */
    const char *stop_words; /* what it says then, into stop_err */
    Error *stop_err;
    double lambdas[MAX_CALLS];
    /* Of x as it came to each call, by the responses (see below). */
    double means[MAX_CALLS], variances[MAX_CALLS];
    uint64_t seed;
} World;

static World world_of(double mean, double deviation, Prediction prediction, size_t n)
{
    return (World){.mean = mean,
                   .deviation = deviation,
                   .prediction = prediction,
                   .n = n,
                   .stop_at = -1,
                   .seed = 1};
}

/* Coordinate 0 starts at the mean of x_T; 1 has one more standard deviation of x_T; each further
 * one has one standard deviation of one step's noise. All being affine, 0 ends at the mean of what
 * would be sampled, and the squares of the others' distances from it add up to the variance. */
static double response_variance(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 1; i < n; i++)
        sum += ((double)x[i] - (double)x[0]) * ((double)x[i] - (double)x[0]);
    return sum;
}

static int perfect_network(void *user, const float *x, double lambda, float *output)
{
    World *world = user;
    assert_in_range(world->calls, 0, MAX_CALLS - 1);
    world->lambdas[world->calls] = lambda;
    world->means[world->calls] = (double)x[0];
    world->variances[world->calls] = response_variance(x, world->n);
    if (world->calls++ == world->stop_at) {
        if (world->stop_words)
            error_set(world->stop_err, "%s", world->stop_words);
        return 1;
    }
    double alpha, sigma;
    diffusion_scales(lambda, &alpha, &sigma);
    const double power = world->deviation * world->deviation;
    const double total = alpha * alpha * power + sigma * sigma;
    for (size_t i = 0; i < world->n; i++) {
        const double centred = (double)x[i] - alpha * world->mean;
        const double epsilon = sigma * centred / total;
        const double x0 = world->mean + alpha * power * centred / total;
        output[i] =
            (float)(world->prediction == PREDICTION_V ? alpha * epsilon - sigma * x0 : epsilon);
    }
    return 0;
}

static void impulse_noise(void *user, int step, float *out, size_t n)
{
    World *world = user;
    assert_int_equal(step, world->noises++);
    for (size_t i = 0; i < n; i++)
        out[i] = 0.0f;
    assert_true((size_t)step + 2 < n);
    out[step + 2] = 1.0f;
}

/* Splitmix64, uniform in (0, 1). */
static double uniform(uint64_t *seed)
{
    uint64_t bits = *seed += 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    bits ^= bits >> 31;
    return ((double)(bits >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller; n is even. */
static void gaussian_noise(void *user, int step, float *out, size_t n)
{
    World *world = user;
    (void)step;
    for (size_t i = 0; i < n; i += 2) {
        const double radius = sqrt(-2.0 * log(uniform(&world->seed)));
        const double angle = TWO_PI * uniform(&world->seed);
        out[i] = (float)(radius * cos(angle));
        out[i + 1] = (float)(radius * sin(angle));
    }
}

/* Runs with a workspace of exactly the size asked for, so that the sanitizers see its bounds. */
static int run_sampler(const SamplerSettings *settings, float *x, World *world, SamplerNoise noise,
                       Error *err)
{
    float *workspace = malloc(sampler_workspace(settings, world->n) * sizeof *workspace);
    assert_non_null(workspace);
    Sampler sampler;
    int result = sampler_start(&sampler, settings, x, world->n, workspace, perfect_network, noise,
                               world, err);
    while (result == 0)
        result = sampler_step(&sampler, err);
    free(workspace);
    return result < 0 ? -1 : 0;
}

static SamplerSettings settings_of(SamplerKind kind, int steps, Prediction prediction,
                                   const Schedule *schedule)
{
    SamplerSettings settings = sampler_defaults();
    settings.kind = kind;
    settings.steps = steps;
    settings.prediction = prediction;
    settings.schedule = schedule;
    return settings;
}

static Schedule *schedule_of(ScheduleKind kind, int steps)
{
    Schedule *schedule = schedule_create(kind, steps, NULL);
    assert_non_null(schedule);
    return schedule;
}

static void assert_close(const char *what, double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%s is %.9g, expected %.9g within %g", what, value, expected, tolerance);
}

/* What each sampler makes of data N(0.8, 0.25) and x_T ~ N(0, 1), schedules of 1000 steps: its mean
 * and variance, worked out apart in double precision (for DDPM from the form of Ho et al. 2020, eq.
 * 7, for DDIM from eq. 12, for DPM from algorithm 2), and how far its variance may lie from the
 * truth. beta-tilde is the least of the reverse step's variances, right for one point, so that DDPM
 * falls short for broader data: by an amount that goes with 1 / steps. */
static const struct {
    ScheduleKind schedule;
    SamplerKind sampler;
    int steps;
    double mean, variance, bias;
} OUTCOMES[] = {
    {SCHEDULE_LINEAR, SAMPLER_DDPM, 1000, 0.799991928096, 0.246125211360, 0.02},
    {SCHEDULE_LINEAR, SAMPLER_DDPM, 200, 0.799991928096, 0.232940928229, 0.08},
    {SCHEDULE_LINEAR, SAMPLER_DDIM, 1000, 0.797466520120, 0.248497547169, 0.01},
    {SCHEDULE_LINEAR, SAMPLER_DDIM, 200, 0.797496318456, 0.242686357146, 0.03},
    {SCHEDULE_COSINE, SAMPLER_DDPM, 1000, 0.799999999514, 0.247996702558, 0.01},
    {SCHEDULE_COSINE, SAMPLER_DDPM, 200, 0.799999999514, 0.240782690871, 0.04},
    {SCHEDULE_COSINE, SAMPLER_DDIM, 1000, 0.799980318954, 0.249189953775, 0.01},
    {SCHEDULE_COSINE, SAMPLER_DDIM, 200, 0.799980443643, 0.246042483951, 0.02},
    {SCHEDULE_LINEAR, SAMPLER_DPM, 20, 0.798340642673, 0.257600329857, 0.035},
    {SCHEDULE_LINEAR, SAMPLER_DPM, 40, 0.798359156694, 0.251884126421, 0.01},
};
enum { OUTCOME_COUNT = sizeof OUTCOMES / sizeof OUTCOMES[0] };

/* All that a sampler could make, by the responses: no chance in it. */
static void test_distribution_of_samples(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        Schedule *schedule = schedule_of(OUTCOMES[i].schedule, 1000);
        for (Prediction prediction = PREDICTION_EPSILON; prediction <= PREDICTION_V; prediction++) {
            const int steps = OUTCOMES[i].steps;
            const SamplerSettings settings =
                settings_of(OUTCOMES[i].sampler, steps, prediction, schedule);
            const size_t n = (size_t)steps + 1;
            World world = world_of(0.8, 0.5, prediction, n);
            float *x = calloc(n, sizeof *x);
            assert_non_null(x);
            x[1] = 1.0f;
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, NULL), 0);
            assert_int_equal(world.calls, steps);
            assert_int_equal(world.noises, settings.kind == SAMPLER_DDPM ? steps - 1 : 0);
            const double variance = response_variance(x, n);
            assert_close("mean", (double)x[0], OUTCOMES[i].mean, 2e-5);
            assert_close("mean", (double)x[0], 0.8, 0.003);
            /* A thousand steps round their coefficients a thousand times. */
            assert_close("variance", variance, OUTCOMES[i].variance, 1e-4);
            assert_close("variance / true", variance / 0.25, 1.0, OUTCOMES[i].bias);
            free(x);
        }
        schedule_destroy(schedule);
    }
}

/* The same with real noise, within 4 standard errors. */
static void test_distribution_with_gaussian_noise(void **state)
{
    (void)state;
    enum { N = 40000 };
    static float x[N];
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        if (OUTCOMES[i].steps == 1000)
            continue;
        Schedule *schedule = schedule_of(OUTCOMES[i].schedule, 1000);
        const SamplerSettings settings =
            settings_of(OUTCOMES[i].sampler, OUTCOMES[i].steps, PREDICTION_V, schedule);
        World world = world_of(0.8, 0.5, PREDICTION_V, N);
        gaussian_noise(&world, 0, x, N);
        assert_int_equal(run_sampler(&settings, x, &world, gaussian_noise, NULL), 0);
        double sum = 0.0, squares = 0.0;
        for (size_t k = 0; k < N; k++)
            sum += (double)x[k];
        const double mean = sum / N;
        for (size_t k = 0; k < N; k++)
            squares += ((double)x[k] - mean) * ((double)x[k] - mean);
        assert_close("mean", mean, OUTCOMES[i].mean, 4.0 * 0.5 / sqrt(N));
        assert_close("variance / expected", squares / (N - 1) / OUTCOMES[i].variance, 1.0,
                     4.0 * sqrt(2.0 / N));
        schedule_destroy(schedule);
    }
}

/* For data that is one point, beta-tilde is the exact variance of the reverse step (Ho et al. 2020,
 * eq. 7), respaced or not: x has the mean alpha x_0 and the variance sigma^2 at every step. */
static void test_ddpm_is_exact_for_one_point(void **state)
{
    (void)state;
    const double point = 0.7;
    static const int steps[] = {1000, 200, 37};
    for (ScheduleKind kind = SCHEDULE_LINEAR; kind <= SCHEDULE_COSINE; kind++) {
        Schedule *schedule = schedule_of(kind, 1000);
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            const SamplerSettings settings =
                settings_of(SAMPLER_DDPM, steps[i], PREDICTION_V, schedule);
            const size_t n = (size_t)steps[i] + 1;
            World world = world_of(point, 0.0, PREDICTION_V, n);
            float *x = calloc(n, sizeof *x);
            assert_non_null(x);
            const double signal = schedule_alpha_bar(schedule, 1000);
            for (size_t k = 0; k < n; k++)
                x[k] = (float)(sqrt(signal) * point);
            x[1] += (float)sqrt(1.0 - signal);
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, NULL), 0);
            for (int call = 0; call < steps[i]; call++) {
                double alpha, sigma;
                diffusion_scales(world.lambdas[call], &alpha, &sigma);
                assert_close("mean", world.means[call], alpha * point, 2e-5);
                assert_close("variance / sigma^2", world.variances[call] / (sigma * sigma), 1.0,
                             2e-4);
            }
            assert_close("mean", (double)x[0], point, 2e-5);
            assert_close("variance", response_variance(x, n), 0.0, 1e-6);
            free(x);
        }
        schedule_destroy(schedule);
    }
}

/* The largest distance of the samples from the exact flow of x_T in -3..3 that starts at
 * lambda_start; DPM ends at x_0 as seen from lambda_last, DDIM at the data. */
static double flow_error(const SamplerSettings *settings, double lambda_start)
{
    enum { N = 13 };
    const double mean = 0.8, deviation = 0.5, power = deviation * deviation;
    float start[N], x[N];
    World world = world_of(mean, deviation, settings->prediction, N);
    for (size_t i = 0; i < N; i++)
        start[i] = x[i] = (float)(0.5 * (double)i - 3.0);
    assert_int_equal(run_sampler(settings, x, &world, NULL, NULL), 0);
    double alpha, sigma, error = 0.0;
    diffusion_scales(lambda_start, &alpha, &sigma);
    const double from_mean = alpha * mean;
    const double from_total = alpha * alpha * power + sigma * sigma;
    double slope = deviation;
    if (settings->kind == SAMPLER_DPM) {
        diffusion_scales(settings->lambda_last, &alpha, &sigma);
        slope = alpha * power / sqrt(alpha * alpha * power + sigma * sigma);
    }
    for (size_t i = 0; i < N; i++) {
        const double exact = mean + slope * ((double)start[i] - from_mean) / sqrt(from_total);
        error = fmax(error, fabs((double)x[i] - exact));
    }
    return error;
}

static void test_order_of_convergence(void **state)
{
    (void)state;
    for (ScheduleKind kind = SCHEDULE_LINEAR; kind <= SCHEDULE_COSINE; kind++) {
        Schedule *schedule = schedule_of(kind, 1000);
        const double lambda_start = schedule_half_log_snr(schedule, 1000);
        for (Prediction prediction = PREDICTION_EPSILON; prediction <= PREDICTION_V; prediction++) {
            /* DDIM with 20, 40, 80 and 160 steps; DPM with 20 of them, then 40, 80, 160 strides. */
            double ddim[4], dpm[4];
            SamplerSettings settings = settings_of(SAMPLER_DDIM, 0, prediction, schedule);
            for (int i = 0; i < 4; i++) {
                settings.kind = SAMPLER_DDIM;
                settings.steps = 20 << i;
                ddim[i] = flow_error(&settings, lambda_start);
                settings.kind = SAMPLER_DPM;
                settings.steps = i == 0 ? 20 : (20 << i) + 1;
                dpm[i] = flow_error(&settings, settings.lambda_first);
            }
            assert_true(dpm[0] < 0.5 * ddim[0]);
            assert_close("order of DDIM", log2(ddim[2] / ddim[3]), 1.0, 0.25);
            assert_close("order of DPM", log2(dpm[1] / dpm[2]), 2.0, 0.25);
        }
        schedule_destroy(schedule);
    }
}

static void test_kept_steps(void **state)
{
    (void)state;
    static const struct {
        int length, steps, kept[10];
    } cases[] = {{10, 4, {10, 8, 5, 3}},
                 {10, 1, {10}},
                 {10, 3, {10, 7, 3}},
                 {1000, 8, {1000, 875, 750, 625, 500, 375, 250, 125}},
                 {10, 10, {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
                 {1, 1, {1}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Schedule *schedule = schedule_of(SCHEDULE_COSINE, cases[i].length);
        for (SamplerKind kind = SAMPLER_DDPM; kind <= SAMPLER_DDIM; kind++) {
            const SamplerSettings settings =
                settings_of(kind, cases[i].steps, PREDICTION_V, schedule);
            World world = world_of(0.0, 1.0, PREDICTION_V, 12);
            float x[12] = {0.0f};
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, NULL), 0);
            assert_int_equal(world.calls, cases[i].steps);
            for (int call = 0; call < world.calls; call++)
                assert_close("lambda", world.lambdas[call],
                             schedule_half_log_snr(schedule, cases[i].kept[call]), 1e-12);
        }
        schedule_destroy(schedule);
    }
}

static void test_dpm_nodes(void **state)
{
    (void)state;
    SamplerSettings settings = sampler_defaults();
    settings.lambda_first = -4.0;
    settings.lambda_last = 3.0;
    settings.steps = 8;
    World world = world_of(0.0, 1.0, settings.prediction, 2);
    float x[2] = {0.0f, 1.0f};
    assert_int_equal(run_sampler(&settings, x, &world, NULL, NULL), 0);
    assert_int_equal(world.calls, 8);
    for (int call = 0; call < 8; call++)
        assert_close("lambda", world.lambdas[call], -4.0 + call, 1e-12);

    /* One step is x_0 as seen from the first node; any number finds data that is one point. */
    settings.steps = 1;
    world = world_of(0.5, 2.0, settings.prediction, 2);
    x[0] = 0.0f;
    x[1] = 1.0f;
    assert_int_equal(run_sampler(&settings, x, &world, NULL, NULL), 0);
    assert_int_equal(world.calls, 1);
    double alpha, sigma;
    diffusion_scales(-4.0, &alpha, &sigma);
    const double slope = alpha * 4.0 / (alpha * alpha * 4.0 + sigma * sigma);
    assert_close("x_0 of 0", (double)x[0], 0.5 - slope * alpha * 0.5, 1e-5);
    assert_close("x_0 of 1", (double)x[1], 0.5 + slope * (1.0 - alpha * 0.5), 1e-5);
    for (settings.steps = 1; settings.steps < 30; settings.steps++) {
        world = world_of(0.5, 0.0, settings.prediction, 2);
        x[0] = 0.0f;
        x[1] = 1.0f;
        assert_int_equal(run_sampler(&settings, x, &world, NULL, NULL), 0);
        assert_close("point", (double)x[0], 0.5, 2e-5);
        assert_close("point", (double)x[1], 0.5, 2e-5);
    }
}

static void test_clip(void **state)
{
    (void)state;
    Schedule *schedule = schedule_of(SCHEDULE_COSINE, 100);
    for (SamplerKind kind = SAMPLER_DDPM; kind <= SAMPLER_DPM; kind++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            SamplerSettings settings = settings_of(kind, 10, PREDICTION_V, schedule);
            World world = world_of(5.0 * sign, 0.0, PREDICTION_V, 20);
            float x[20] = {0.0f};
            settings.clip = 1.5f;
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, NULL), 0);
            for (size_t i = 0; i < 20; i++)
                assert_close("sample", (double)x[i], (kind == SAMPLER_DDPM ? 5.0 : 1.5) * sign,
                             2e-5);
            /* The pull is to the clipped x_0 from the first step on. */
            if (kind != SAMPLER_DDPM)
                assert_true(fabs(world.means[9]) < 1.5);
            settings.clip = 6.0f;
            world = world_of(5.0 * sign, 0.0, PREDICTION_V, 20);
            memset(x, 0, sizeof x);
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, NULL), 0);
            assert_close("sample", (double)x[0], 5.0 * sign, 5e-5);
        }
    }
    schedule_destroy(schedule);
}

static void check_refused(SamplerSettings settings, SamplerNoise noise, const char *words)
{
    Error err = {"old"};
    World world = world_of(0.0, 1.0, settings.prediction, 2);
    float x[2] = {0.25f, 1.0f};
    assert_int_equal(run_sampler(&settings, x, &world, noise, &err), -1);
    if (!strstr(err.message, words))
        fail_msg("'%s' does not say '%s'", err.message, words);
    assert_int_equal(world.calls, 0);
    assert_true(x[0] == 0.25f);
    assert_int_equal(run_sampler(&settings, x, &world, noise, NULL), -1);
}

static void test_bad_settings(void **state)
{
    (void)state;
    Schedule *schedule = schedule_of(SCHEDULE_COSINE, 50);
    for (SamplerKind kind = SAMPLER_DDPM; kind <= SAMPLER_DPM; kind++) {
        const SamplerSettings good = settings_of(kind, 50, PREDICTION_V, schedule);
        SamplerSettings bad = good;
        const char *range = kind == SAMPLER_DPM ? "1 to 1000" : "1 to 50";
        bad.steps = 0;
        check_refused(bad, impulse_noise, range);
        bad.steps = -3;
        check_refused(bad, impulse_noise, range);
        bad.steps = kind == SAMPLER_DPM ? 1001 : 51;
        check_refused(bad, impulse_noise, range);
        bad = good;
        bad.clip = -1.0f;
        check_refused(bad, impulse_noise, "clip -1");
        bad.clip = NAN;
        check_refused(bad, impulse_noise, "clip");
        bad = good;
        bad.schedule = NULL;
        if (kind != SAMPLER_DPM)
            check_refused(bad, impulse_noise, "schedule");
    }
    SamplerSettings bad = settings_of(SAMPLER_DPM, 20, PREDICTION_V, NULL);
    bad.lambda_last = bad.lambda_first;
    check_refused(bad, NULL, "lambda");
    bad.lambda_last = INFINITY;
    check_refused(bad, NULL, "-20 to 20");
    bad.lambda_last = NAN;
    check_refused(bad, NULL, "-20 to 20");
    bad = settings_of(SAMPLER_DDPM, 20, PREDICTION_V, schedule);
    check_refused(bad, NULL, "noise");
    bad.kind = (SamplerKind)9;
    check_refused(bad, impulse_noise, "ddpm, ddim or dpm");
    schedule_destroy(schedule);
}

static void test_network_that_fails(void **state)
{
    (void)state;
    Schedule *schedule = schedule_of(SCHEDULE_COSINE, 50);
    for (SamplerKind kind = SAMPLER_DDPM; kind <= SAMPLER_DPM; kind++) {
        const SamplerSettings settings = settings_of(kind, 10, PREDICTION_V, schedule);
        for (int stop_at = 0; stop_at < 10; stop_at++) {
            Error err = {"old"};
            World world = world_of(0.0, 1.0, PREDICTION_V, 12);
            float x[12] = {0.0f};
            world.stop_at = stop_at;
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, &err), -1);
            assert_int_equal(world.calls, stop_at + 1);
            assert_non_null(strstr(err.message, "network stopped"));

            world = world_of(0.0, 1.0, PREDICTION_V, 12);
            world.stop_at = stop_at;
            world.stop_words = "the reason";
            world.stop_err = &err;
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, &err), -1);
            assert_string_equal(err.message, "the reason");

            world = world_of(0.0, 1.0, PREDICTION_V, 12);
            world.stop_at = stop_at;
            assert_int_equal(run_sampler(&settings, x, &world, impulse_noise, NULL), -1);
        }
    }
    schedule_destroy(schedule);
}

static void test_names_and_defaults(void **state)
{
    (void)state;
    static const char *const names[] = {"ddpm", "ddim", "dpm"};
    for (int i = 0; i < 3; i++) {
        SamplerKind kind = (SamplerKind)((i + 1) % 3);
        assert_int_equal(sampler_kind_parse(names[i], &kind, NULL), 0);
        assert_int_equal(kind, i);
        assert_string_equal(sampler_kind_name(kind), names[i]);
    }
    SamplerKind kind = SAMPLER_DDIM;
    Error err = {""};
    assert_int_equal(sampler_kind_parse("euler", &kind, &err), -1);
    assert_int_equal(kind, SAMPLER_DDIM);
    assert_non_null(strstr(err.message, "'euler'"));
    assert_non_null(strstr(err.message, "ddpm, ddim or dpm"));
    const SamplerSettings settings = sampler_defaults();
    assert_true(settings.lambda_first == -5.5 && settings.lambda_last == 4.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distribution_of_samples),
        cmocka_unit_test(test_distribution_with_gaussian_noise),
        cmocka_unit_test(test_ddpm_is_exact_for_one_point),
        cmocka_unit_test(test_order_of_convergence),
        cmocka_unit_test(test_kept_steps),
        cmocka_unit_test(test_dpm_nodes),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_bad_settings),
        cmocka_unit_test(test_network_that_fails),
        cmocka_unit_test(test_names_and_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
