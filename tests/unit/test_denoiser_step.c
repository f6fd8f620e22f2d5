/* The denoiser's step over packed weights against the pass that training makes. */
#include "dsp/random.h"
#include "models/denoiser_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 150 };

/* Networks of odd sizes, and one as it is trained where nothing else is asked for. */
static const DenoiserConfig configs[] = {{.bands = 45,
                                          .channels = 24,
                                          .condition = 20,
                                          .classes = 3,
                                          .past = 7,
                                          .blocks = 5,
                                          .dilations = {1, 4, 16, 64, 2},
                                          .refiner = {.channels = 8, .blocks = 3, .stride = 8}},
                                         {.bands = 9,
                                          .channels = 40,
                                          .condition = 8,
                                          .classes = 1,
                                          .past = 1,
                                          .blocks = 1,
                                          .dilations = {3},
                                          .refiner = {.channels = 5, .blocks = 0, .stride = 2}},
                                         {.bands = 101,
                                          .channels = 70,
                                          .condition = 33,
                                          .classes = 4,
                                          .past = 12,
                                          .blocks = 3,
                                          .dilations = {5, 200, 1},
                                          .refiner = {.channels = 36, .blocks = 5, .stride = 12}},
                                         {.bands = 396,
                                          .channels = 256,
                                          .condition = 256,
                                          .classes = 15,
                                          .past = 144,
                                          .blocks = 8,
                                          .dilations = {1, 2, 4, 8, 16, 32, 1, 2},
                                          .refiner = {.channels = 32, .blocks = 4, .stride = 12}}};
enum { CONFIGS = sizeof configs / sizeof *configs };

/* A network with random weights, and a window for it. */
typedef struct Net {
    const DenoiserConfig *config;
    Denoiser *denoiser;
    float *weights;
    DenoiserSteps *steps;
    DenoiserTold *told;
    DenoiserSpace *space;
    float *x, *known, *mix, *memory, *past;
} Net;

static float *values(uint64_t stream, size_t n)
{
    float *at = malloc(n * sizeof *at);
    assert_non_null(at);
    random_gaussian(7, stream, 0, at, n);
    return at;
}

static void must(const void *made, const Error *err)
{
    if (!made)
        fail_msg("%s", err->message);
}

/* Gaussian weights of the size that keeps a layer's output as large as its input. */
static float *weights_of(const Denoiser *denoiser)
{
    const Parameters *parameters = denoiser_parameters(denoiser);
    float *weights = values(1, parameters_size(parameters));
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        const double in = info->rank > 1 ? (double)(info->size / info->shape[0]) : 9.0;
        for (size_t j = 0; j < info->size; j++)
            weights[info->offset + j] *= (float)(0.7 / sqrt(in));
    }
    return weights;
}

static Net net_create(const DenoiserConfig *config, PanelsPath path)
{
    Error err = {""};
    Net net = {.config = config, .denoiser = denoiser_create(config, &err)};
    must(net.denoiser, &err);
    net.weights = weights_of(net.denoiser);
    must(net.steps = denoiser_steps_create(net.denoiser, net.weights, path, &err), &err);
    must(net.told = denoiser_told_create(net.steps, &err), &err);
    must(net.space = denoiser_space_create(net.steps, MOST_FRAMES, &err), &err);
    net.x = values(2, MOST_FRAMES * config->bands);
    net.known = calloc(MOST_FRAMES, sizeof(float));
    net.mix = values(3, config->classes);
    net.memory = values(4, config->bands);
    net.past = values(5, config->past);
    for (size_t t = 0; t < MOST_FRAMES / 3; t++)
        net.known[t] = 1.0f;
    return net;
}

static void net_destroy(Net *net)
{
    denoiser_space_destroy(net->space);
    denoiser_told_destroy(net->told);
    denoiser_steps_destroy(net->steps);
    denoiser_destroy(net->denoiser);
    free(net->weights), free(net->x), free(net->known);
    free(net->mix), free(net->memory), free(net->past);
}

static void tell(Net *net, const double *levels, size_t n)
{
    denoiser_tell(net->told, &(DenoiserWindow){net->mix, net->memory, net->past});
    denoiser_tell_levels(net->told, levels, n);
}

static float *step(Net *net, size_t frames, size_t first, size_t level)
{
    float *out = calloc(frames * net->config->bands, sizeof *out);
    assert_non_null(out);
    denoiser_step(net->space, net->told, &(DenoiserStep){frames, first, net->x, net->known, level},
                  out);
    return out;
}

static float *pass(Net *net, size_t frames, double half_log_snr)
{
    Error err = {""};
    DenoiserPass *made = denoiser_pass_create(net->denoiser, 1, frames, true, &err);
    must(made, &err);
    float *out = calloc(frames * net->config->bands, sizeof *out);
    assert_non_null(out);
    const float level = (float)half_log_snr;
    const DenoiserInput input = {1,      frames,   net->x,      net->known,
                                 &level, net->mix, net->memory, net->past};
    denoiser_forward(made, net->weights, &input, out);
    denoiser_pass_destroy(made);
    return out;
}

/* The largest difference, over the largest value. */
static double unlike(size_t n, const float *a, const float *b)
{
    double most = 0.0, size = 1e-9;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)a[i] - (double)b[i]));
        size = fmax(size, fabs((double)a[i]));
        if (!isfinite(b[i]))
            return INFINITY;
    }
    return most / size;
}

static void a_step_is_what_training_computes(void **state)
{
    (void)state;
    const size_t frames[] = {1, 2, 31, 64, 113, MOST_FRAMES};
    for (int path = 0; path < PANELS_PATHS; path++)
        for (size_t c = 0; panels_has((PanelsPath)path) && c < CONFIGS; c++) {
            Net net = net_create(&configs[c], (PanelsPath)path);
            const double level = -1.25;
            tell(&net, &level, 1);
            for (size_t f = 0; f < sizeof frames / sizeof *frames; f++) {
                float *wanted = pass(&net, frames[f], level), *got = step(&net, frames[f], 0, 0);
                const double error = unlike(frames[f] * net.config->bands, wanted, got);
                if (!(error < 2e-5))
                    fail_msg("%s, network %zu, %zu frames: %g", panels_name((PanelsPath)path), c,
                             frames[f], error);
                free(wanted), free(got);
            }
            net_destroy(&net);
        }
}

static void unwanted_frames_change_nothing(void **state)
{
    (void)state;
    const size_t firsts[] = {1, 2, 7, 16, 33, 50, 64, 99, MOST_FRAMES - 1};
    for (size_t c = 0; c < CONFIGS; c++) {
        Net net = net_create(&configs[c], panels_best());
        const size_t bands = net.config->bands;
        const double level = 0.5;
        tell(&net, &level, 1);
        float *whole = step(&net, MOST_FRAMES, 0, 0);
        for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
            /* A fresh space: nothing is left in it that could help. */
            Error err = {""};
            denoiser_space_destroy(net.space);
            must(net.space = denoiser_space_create(net.steps, MOST_FRAMES, &err), &err);
            float *part = step(&net, MOST_FRAMES, firsts[f], 0);
            const size_t skip = firsts[f] * bands;
            assert_memory_equal(part + skip, whole + skip,
                                (MOST_FRAMES * bands - skip) * sizeof *part);
            for (size_t i = 0; i < skip; i++)
                assert_true(part[i] == 0.0f);
            free(part);
        }
        free(whole);
        net_destroy(&net);
    }
}

static void wide_registers_give_the_same_bits(void **state)
{
    (void)state;
    for (size_t c = 0; panels_has(PANELS_AVX2) && panels_has(PANELS_AVX512) && c < CONFIGS; c++) {
        float *out[2];
        for (int i = 0; i < 2; i++) {
            Net net = net_create(&configs[c], i ? PANELS_AVX512 : PANELS_AVX2);
            const double level = 2.0;
            tell(&net, &level, 1);
            out[i] = step(&net, MOST_FRAMES, 20, 0);
            net_destroy(&net);
        }
        assert_memory_equal(out[0], out[1], MOST_FRAMES * configs[c].bands * sizeof(float));
        free(out[0]), free(out[1]);
    }
}

static void levels_told_together_are_levels_told_alone(void **state)
{
    (void)state;
    double levels[DENOISER_LEVELS];
    for (size_t l = 0; l < DENOISER_LEVELS; l++)
        levels[l] = -5.5 + 1.3 * (double)l;
    Net net = net_create(&configs[0], panels_best());
    const size_t bytes = MOST_FRAMES * net.config->bands * sizeof(float);
    for (size_t l = 0; l < DENOISER_LEVELS; l++) {
        tell(&net, levels, DENOISER_LEVELS);
        float *together = step(&net, MOST_FRAMES, 0, l);
        tell(&net, levels + l, 1);
        float *alone = step(&net, MOST_FRAMES, 0, 0);
        assert_memory_equal(together, alone, bytes);
        free(together), free(alone);
    }
    net_destroy(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_what_training_computes),
        cmocka_unit_test(unwanted_frames_change_nothing),
        cmocka_unit_test(wide_registers_give_the_same_bits),
        cmocka_unit_test(levels_told_together_are_levels_told_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
