/* A training step, its parts, and how near it comes to the speed of its matrix products. */
#include "tests/bench/bench.h"

#include "dsp/random.h"
#include "models/texture_batch.h"
#include "models/texture_trainer.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, WINDOWS = 8 };

/* Kinds of times; the products' three ways follow PRODUCTS. */
enum { STEP, DRAW, LOSS, PRODUCTS };

/* Four recordings of 46 s: Gaussian log energies. */
static Corpus *make_corpus(const TextureConfig *config)
{
    enum { TAKES = 4, FRAMES = 4000 };
    Error err = {""};
    const size_t bands = config->denoiser.bands;
    Corpus *corpus = corpus_create(bands, &err);
    bench_need(corpus && corpus_class(corpus, config->classes[0], &err) == 0, &err);
    float *frames = bench_values(FRAMES * bands);
    for (unsigned take = 0; take < TAKES; take++) {
        char name[16];
        snprintf(name, sizeof name, "%u noise", take);
        random_gaussian(3, take, 0, frames, FRAMES * bands);
        for (size_t i = 0; i < FRAMES * bands; i++)
            frames[i] = 2.0f * frames[i] - 8.0f;
        bench_need(!corpus_add(corpus, 0, name, CORPUS_MONO, frames, FRAMES, &err), &err);
    }
    free(frames);
    bench_need(!corpus_split(corpus, 0.1, 1, &err), &err);
    return corpus;
}

static void time_products(const BenchProduct *products, size_t rows, BenchTimes *times)
{
    for (size_t p = 0; p < BENCH_PRODUCTS; p++)
        for (BenchWay way = BENCH_FORWARD; way <= BENCH_DW; way++)
            if (way != BENCH_DX || products[p].has_dx)
                bench_add(times, PRODUCTS + 3 * p + way, bench_product(&products[p], way, rows));
}

static void measure(BenchTimes *times, const BenchProduct *products, size_t rows)
{
    Error err = {""};
    TextureModel *model = bench_model();
    Corpus *corpus = make_corpus(texture_model_config(model));
    TextureTrainerSettings settings = texture_trainer_defaults();
    settings.batch = WINDOWS;
    TextureTrainer *trainer = texture_trainer_create(model, corpus, &settings, &err);
    TextureBatch *batch = texture_batch_create(model, WINDOWS, true, &err);
    bench_need(trainer && batch, &err);
    const Parameters *parameters = denoiser_parameters(texture_model_denoiser(model));
    real *gradients = bench_values(parameters_size(parameters));
    real *weights = bench_values(parameters_size(parameters));
    parameters_start(parameters, 1, weights);
    for (size_t round = 0; round <= ROUNDS; round++) {
        const TextureDraw draw = {.seed = 1, .step = round, .windows = WINDOWS, .of = WINDOWS};
        const double start = bench_seconds();
        bench_need(!texture_trainer_step(trainer, &err), &err);
        const double stepped = bench_seconds();
        bench_need(!texture_batch_draw(batch, corpus, &draw), NULL);
        const double drawn = bench_seconds();
        texture_batch_loss(batch, weights, 1e-6, gradients);
        const double done = bench_seconds();
        if (round == 0) /* touches all memory for the first time */
            continue;
        bench_add(times, STEP, stepped - start);
        bench_add(times, DRAW, drawn - stepped);
        bench_add(times, LOSS, done - drawn);
        time_products(products, rows, times);
    }
    free(weights);
    free(gradients);
    texture_batch_destroy(batch);
    texture_trainer_destroy(trainer);
    corpus_destroy(corpus);
    texture_model_destroy(model);
}

/* A line for each layer; returns the seconds of all products of a step and sums their cost. */
static double print_products(const BenchTimes *times, const BenchProduct *products, size_t rows,
                             double *cost)
{
    double seconds = 0.0;
    printf("| product | how many | forward | dx | dw | share of the products' time |\n"
           "|---|---|---|---|---|---|\n");
    double each[BENCH_PRODUCTS] = {0.0};
    for (size_t p = 0; p < BENCH_PRODUCTS; p++)
        for (BenchWay way = BENCH_FORWARD; way <= BENCH_DW; way++) {
            const double took = bench_median(times, PRODUCTS + 3 * p + way);
            each[p] += (double)products[p].count * took;
            seconds += (double)products[p].count * took;
            if (took > 0.0)
                *cost += (double)products[p].count * bench_product_cost(&products[p], rows);
        }
    for (size_t p = 0; p < BENCH_PRODUCTS; p++) {
        const double gigaflops = 2e-9 * bench_product_cost(&products[p], rows);
        printf("| %s, %zu x %zu x %zu | %zu |", products[p].layer, rows * products[p].places,
               products[p].out, products[p].in, products[p].count);
        for (BenchWay way = BENCH_FORWARD; way <= BENCH_DW; way++) {
            const double took = bench_median(times, PRODUCTS + 3 * p + way);
            if (took > 0.0)
                printf(" %.1f GFLOP/s |", gigaflops / took);
            else
                printf(" - |");
        }
        printf(" %.0f %% |\n", 100.0 * each[p] / seconds);
    }
    return seconds;
}

void bench_training(void)
{
    const TextureConfig config = texture_config_default(1);
    const size_t rows = WINDOWS * config.window;
    BenchProduct products[BENCH_PRODUCTS];
    BenchTimes times = {{0}, {{0.0}}};
    bench_products(&config.denoiser, products);
    measure(&times, products, rows);

    double cost = 0.0;
    const double ideal = print_products(&times, products, rows, &cost);
    Error err = {""};
    Denoiser *denoiser = denoiser_create(&config.denoiser, &err);
    bench_need(denoiser != NULL, &err);
    const double nominal = 3.0 * 2.0 * denoiser_cost(denoiser) * (double)rows;
    denoiser_destroy(denoiser);
    const double step = bench_median(&times, STEP), loss = bench_median(&times, LOSS);
    printf("\n| a step | ms |\n|---|---|\n| drawing windows, noise | ");
    bench_print_spread(&times, DRAW, 1e3);
    printf(" |\n| forward, loss and backward | ");
    bench_print_spread(&times, LOSS, 1e3);
    printf(" |\n| the rest: clipping, AdamW, average | %.2f |\n| all | ",
           1e3 * (step - bench_median(&times, DRAW) - loss));
    bench_print_spread(&times, STEP, 1e3);
    printf(": %.2f steps/s |\n"
           "| at 3 x 2 x cost x frames = %.2f GFLOP | %.1f GFLOP/s |\n"
           "| the products alone | %.1f: %.1f GFLOP/s |\n"
           "| **time of the products / time of the step** (required: 0.5) | **%.2f** |\n",
           1.0 / step, 1e-9 * nominal, 1e-9 * nominal / step, 1e3 * ideal, 2e-9 * cost / ideal,
           ideal / step);
}
