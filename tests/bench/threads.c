/* What a second thread brings the two families: within one sound, and with two sounds at once. Wall
 * time, so it means something on a quiet machine only. */
#include "tests/bench/bench.h"

#include "dsp/random.h"
#include "models/predictor_net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, FRAMES = 256, STEPS = 8, SAMPLES = 4000, LAYERS = 3 };

typedef void (*Part)(void *work, unsigned side);

typedef struct Side {
    Part part;
    void *work;
    unsigned side;
} Side;

static void *run_side(void *argument)
{
    const Side *side = argument;
    side->part(side->work, side->side);
    return NULL;
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Wall seconds of both sides, one after the other or at once. */
static double both(Part part, void *work, int at_once)
{
    Side sides[2] = {{part, work, 0}, {part, work, 1}};
    pthread_t other;
    const double start = wall();
    if (at_once)
        bench_need(!pthread_create(&other, NULL, run_side, &sides[1]), NULL);
    run_side(&sides[0]);
    if (at_once)
        pthread_join(other, NULL);
    else
        run_side(&sides[1]);
    return wall() - start;
}

/* Texture: each side denoises a channel of a chunk in 8 steps. */
typedef struct Channels {
    DenoiserSpace *spaces[2];
    DenoiserTold *told;
    DenoiserStep step;
    float *out[2];
} Channels;

static void denoise(void *work, unsigned side)
{
    const Channels *channels = work;
    for (int step = 0; step < STEPS; step++)
        denoiser_step(channels->spaces[side], channels->told, &channels->step, channels->out[side]);
}

/* Melody: the products of a sample's network, each side the half of each layer's outputs; what one
 * side has made of a layer the other needs for the next. */
typedef struct Layer {
    size_t in, out;
    float *rows, *y; /* (in, out), (out,) */
} Layer;

typedef struct Samples {
    Layer layers[LAYERS];
    float *x;
    atomic_uint arrived;
    int alone; /* one thread makes both halves */
} Samples;

KERNEL static void product(const Layer *layer, size_t first, size_t n, const float *x)
{
    memset(layer->y + first, 0, n * sizeof *layer->y);
    for (size_t i = 0; i < layer->in; i++)
        for (size_t o = 0; o < n; o++)
            layer->y[first + o] += x[i] * layer->rows[i * layer->out + first + o];
}

/* Waits, without sleeping, until both sides have come here `times` times. */
static void meet(atomic_uint *arrived, unsigned times)
{
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < 2 * times)
        ;
}

static void predict(void *work, unsigned side)
{
    Samples *samples = work;
    unsigned meetings = 0;
    for (int s = 0; s < SAMPLES; s++) {
        const float *x = samples->x;
        for (size_t l = 0; l < LAYERS; l++) {
            const Layer *layer = &samples->layers[l];
            const size_t n = samples->alone ? layer->out : layer->out / 2;
            product(layer, side * n, n, x);
            x = layer->y;
            if (!samples->alone)
                meet(&samples->arrived, ++meetings);
        }
    }
}

static void predict_alone(void *work, unsigned side)
{
    predict((Samples *)work + side, 0);
}

static void make_layers(Samples *samples)
{
    const PredictorConfig config = predictor_config_default(PREDICTOR_RECURRENT);
    const size_t sizes[LAYERS + 1] = {PREDICTOR_INPUTS, config.wide, config.narrow,
                                      PREDICTOR_OUTPUTS + PREDICTOR_OUTPUTS % 2};
    for (size_t l = 0; l < LAYERS; l++) {
        Layer *layer = &samples->layers[l];
        layer->in = sizes[l];
        layer->out = sizes[l + 1];
        layer->rows = bench_values(layer->in * layer->out);
        layer->y = bench_values(layer->out);
        random_gaussian(l, 0, 0, layer->rows, layer->in * layer->out);
    }
    samples->x = bench_values(PREDICTOR_INPUTS);
    random_gaussian(LAYERS, 0, 0, samples->x, PREDICTOR_INPUTS);
}

static void free_layers(Samples *samples)
{
    for (size_t l = 0; l < LAYERS; l++) {
        free(samples->layers[l].rows);
        free(samples->layers[l].y);
    }
    free(samples->x);
}

/* Kinds of times: two channels in turn and at once; a sample whole and halved; two sounds' samples
 * in turn and at once. */
enum { IN_TURN, AT_ONCE, WHOLE, HALVED, TWO_IN_TURN, TWO_AT_ONCE };

static void time_melody(BenchTimes *times)
{
    Samples samples[2] = {{.alone = 0}, {.alone = 0}};
    make_layers(&samples[0]);
    make_layers(&samples[1]);
    for (size_t round = 0; round < ROUNDS; round++) {
        samples[0].alone = samples[1].alone = 1;
        double start = wall();
        predict(&samples[0], 0);
        bench_add(times, WHOLE, wall() - start);
        bench_add(times, TWO_IN_TURN, both(predict_alone, samples, 0));
        bench_add(times, TWO_AT_ONCE, both(predict_alone, samples, 1));
        samples[0].alone = 0;
        atomic_store(&samples[0].arrived, 0);
        bench_add(times, HALVED, both(predict, samples, 1));
    }
    free_layers(&samples[0]);
    free_layers(&samples[1]);
}

static void time_texture(BenchTimes *times)
{
    Error err = {""};
    TextureModel *model = bench_model();
    const DenoiserSteps *steps = texture_model_steps(model);
    const DenoiserConfig *config = denoiser_steps_config(steps);
    const size_t size = FRAMES * config->bands;
    float *x = bench_values(size), *known = bench_values(FRAMES);
    float *mix = bench_values(config->classes), *past = bench_values(config->past);
    const double level = 0.0;
    random_gaussian(5, 0, 0, x, size);
    mix[0] = 1;
    Channels channels = {.told = denoiser_told_create(steps, &err),
                         .step = {FRAMES, 0, x, known, 0}};
    bench_need(channels.told != NULL, &err);
    denoiser_tell(channels.told, &(DenoiserWindow){mix, x, past});
    denoiser_tell_levels(channels.told, &level, 1);
    for (int side = 0; side < 2; side++) {
        channels.spaces[side] = denoiser_space_create(steps, FRAMES, &err);
        bench_need(channels.spaces[side] != NULL, &err);
        channels.out[side] = bench_values(size);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        bench_add(times, IN_TURN, both(denoise, &channels, 0));
        bench_add(times, AT_ONCE, both(denoise, &channels, 1));
    }
    for (int side = 0; side < 2; side++) {
        denoiser_space_destroy(channels.spaces[side]);
        free(channels.out[side]);
    }
    denoiser_told_destroy(channels.told);
    free(x);
    free(known);
    free(mix);
    free(past);
    texture_model_destroy(model);
}

void bench_threads(void)
{
    BenchTimes times = {{0}, {{0.0}}};
    time_texture(&times);
    time_melody(&times);
    /* Two channels are two sounds as well: they share nothing but the weights. */
    const double channels = bench_median(&times, IN_TURN) / bench_median(&times, AT_ONCE);
    printf("{\"texture\": {\"one\": %.3f, \"two\": %.3f}, \"melody\": {\"one\": %.3f, \"two\": "
           "%.3f}}\n",
           channels, channels, bench_median(&times, WHOLE) / bench_median(&times, HALVED),
           bench_median(&times, TWO_IN_TURN) / bench_median(&times, TWO_AT_ONCE));
}
