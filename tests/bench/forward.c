/* The denoiser's step when it plays: chunks of several lengths. */
#include "tests/bench/bench.h"

#include "dsp/random.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, SHAPES = 5, REPEATS = 4 };

static const struct {
    size_t windows, frames;
} shapes[SHAPES] = {{1, 16}, {1, 32}, {1, 64}, {1, 256}, {2, 256}};

/* Seconds of one denoising step. */
static double forward(const TextureModel *model, DenoiserPass *pass, size_t windows, size_t frames)
{
    const DenoiserConfig *config = &texture_model_config(model)->denoiser;
    const size_t rows = windows * frames;
    real *x = bench_values(rows * config->bands), *out = bench_values(rows * config->bands);
    real *known = bench_values(rows), *level = bench_values(windows), *mix = bench_values(windows);
    real *memory = bench_values(windows * config->bands);
    real *past = bench_values(windows * config->past);
    random_gaussian(5, 0, 0, x, rows * config->bands);
    for (size_t w = 0; w < windows; w++)
        mix[w] = 1;
    const DenoiserInput input = {windows, frames, x, known, level, mix, memory, past};
    const real *weights = texture_model_values(model);
    denoiser_forward(pass, weights, &input, out);
    const double start = bench_seconds();
    for (size_t i = 0; i < REPEATS; i++)
        denoiser_forward(pass, weights, &input, out);
    const double took = (bench_seconds() - start) / REPEATS;
    free(x);
    free(out);
    free(known);
    free(level);
    free(mix);
    free(memory);
    free(past);
    return took;
}

void bench_forward(void)
{
    Error err = {""};
    TextureModel *model = bench_model();
    const Denoiser *denoiser = texture_model_denoiser(model);
    BenchProduct products[BENCH_PRODUCTS];
    bench_products(denoiser_config(denoiser), products);
    BenchTimes times = {{0}, {{0.0}}};
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t s = 0; s < SHAPES; s++) {
            const size_t rows = shapes[s].windows * shapes[s].frames;
            DenoiserPass *pass =
                denoiser_pass_create(denoiser, shapes[s].windows, rows, false, &err);
            bench_need(pass != NULL, &err);
            bench_add(&times, s, forward(model, pass, shapes[s].windows, shapes[s].frames));
            denoiser_pass_destroy(pass);
            double ideal = 0.0;
            for (size_t p = 0; p < BENCH_PRODUCTS; p++)
                ideal +=
                    (double)products[p].count * bench_product(&products[p], BENCH_FORWARD, rows);
            bench_add(&times, SHAPES + s, ideal);
        }
    printf("| windows x frames | ms a step | GFLOP/s | the products alone | products / step |\n"
           "|---|---|---|---|---|\n");
    for (size_t s = 0; s < SHAPES; s++) {
        const double took = bench_median(&times, s), ideal = bench_median(&times, SHAPES + s);
        const double rows = (double)(shapes[s].windows * shapes[s].frames);
        printf("| %zu x %zu | %.2f | %.1f | %.2f ms | %.2f |\n", shapes[s].windows,
               shapes[s].frames, 1e3 * took, 2e-9 * denoiser_cost(denoiser) * rows / took,
               1e3 * ideal, ideal / took);
    }
    texture_model_destroy(model);
}
