/* The matrix products of the denoiser, one by one: what its time is measured against. */
#include "tests/bench/bench.h"

#include "dsp/random.h"
#include "models/grid.h"
#include "models/matrix.h"

#include <stdlib.h>

void bench_products(const DenoiserConfig *config, BenchProduct products[BENCH_PRODUCTS])
{
    const size_t c = config->channels;
    const RefinerConfig *refiner = &config->refiner;
    const size_t r = refiner->channels, patch = 2 * refiner->stride;
    const size_t places = grid_positions(config->bands, refiner->stride);
    products[0] = (BenchProduct){"in", 3 * (config->bands + 1), c, 1, false, 1};
    products[1] = (BenchProduct){"blocks' conv", 3 * c, c, config->blocks, true, 1};
    products[2] = (BenchProduct){"blocks' out", c, c, config->blocks, true, 1};
    products[3] = (BenchProduct){"final", c, config->bands, 1, true, 1};
    products[4] = (BenchProduct){"refiner's outline", c, places * r, 1, true, 1};
    products[5] = (BenchProduct){"refiner's patches", patch, r, 1, false, places};
    products[6] = (BenchProduct){"refiner's conv", 9 * r, r, refiner->blocks, true, places};
    products[7] = (BenchProduct){"refiner's out", r, r, refiner->blocks, true, places};
    products[8] = (BenchProduct){"refiner's final", r, patch, 1, true, places};
}

double bench_product_cost(const BenchProduct *product, size_t rows)
{
    return (double)product->in * (double)product->out * (double)(rows * product->places);
}

static void run(const BenchProduct *product, BenchWay way, size_t rows, const real *x,
                const real *w, real *y)
{
    if (way == BENCH_FORWARD)
        matrix_times_transposed(rows, product->out, product->in, x, w, 0, y);
    else if (way == BENCH_DX)
        matrix_times(rows, product->in, product->out, x, w, 0, y);
    else
        matrix_transposed_times_add(product->out, product->in, rows, x, w, y);
}

double bench_product(const BenchProduct *product, BenchWay way, size_t frames)
{
    const size_t rows = frames * product->places;
    const size_t in = rows * product->in, out = rows * product->out;
    const size_t weights = product->in * product->out;
    const size_t sizes[3][3] = {{in, weights, out}, {out, weights, in}, {out, in, weights}};
    real *values[3];
    for (size_t i = 0; i < 3; i++) {
        values[i] = bench_values(sizes[way][i]);
        random_gaussian(i, 0, 0, values[i], sizes[way][i]);
    }
    const size_t times = bench_product_cost(product, frames) < 1e8 ? 8 : 2;
    run(product, way, rows, values[0], values[1], values[2]);
    const double start = bench_seconds();
    for (size_t i = 0; i < times; i++)
        run(product, way, rows, values[0], values[1], values[2]);
    const double took = (bench_seconds() - start) / (double)times;
    for (size_t i = 0; i < 3; i++)
        free(values[i]);
    return took;
}

enum { CONDITIONS = 6, WALK = BENCH_PRODUCTS + CONDITIONS };

struct BenchWalk {
    BenchProduct products[WALK]; /* of the condition's: no places, one row a window */
    real **weights[WALK];        /* (count,): each layer's own */
    real *x, *y;
};

/* As models/denoiser.c has them. */
static void conditions(const DenoiserConfig *config, BenchProduct products[CONDITIONS])
{
    const size_t c = config->condition, sinusoids = 64;
    const size_t film = (3 * config->blocks + 2) * config->channels;
    const size_t refined = (3 * config->refiner.blocks + 2) * config->refiner.channels;
    products[0] = (BenchProduct){"level", sinusoids, c, 1, false, 0};
    products[1] = (BenchProduct){"level", c, c, 1, false, 0};
    products[2] = (BenchProduct){"memory", config->bands, c, 1, false, 0};
    products[3] = (BenchProduct){"past", config->past, c, 1, false, 0};
    products[4] = (BenchProduct){"FiLM", c, film, 1, false, 0};
    products[5] = (BenchProduct){"refiner's FiLM", c, refined, 1, false, 0};
}

static size_t walk_rows(const BenchProduct *product, size_t frames)
{
    return product->places ? frames * product->places : 1;
}

BenchWalk *bench_walk_create(const DenoiserConfig *config, size_t most_frames)
{
    size_t in = 0, out = 0;
    BenchWalk *walk = calloc(1, sizeof *walk);
    bench_need(walk != NULL, NULL);
    conditions(config, walk->products);
    bench_products(config, walk->products + CONDITIONS);
    for (size_t p = 0; p < WALK; p++) {
        const BenchProduct *product = &walk->products[p];
        const size_t rows = walk_rows(product, most_frames), size = product->in * product->out;
        in = rows * product->in > in ? rows * product->in : in;
        out = rows * product->out > out ? rows * product->out : out;
        walk->weights[p] = calloc(product->count, sizeof(real *));
        bench_need(walk->weights[p] != NULL, NULL);
        for (size_t i = 0; i < product->count; i++) {
            walk->weights[p][i] = bench_values(size);
            random_gaussian(p, i, 0, walk->weights[p][i], size);
        }
    }
    walk->x = bench_values(in);
    walk->y = bench_values(out);
    random_gaussian(WALK, 0, 0, walk->x, in);
    return walk;
}

void bench_walk_destroy(BenchWalk *walk)
{
    for (size_t p = 0; p < WALK; p++) {
        for (size_t i = 0; i < walk->products[p].count; i++)
            free(walk->weights[p][i]);
        free(walk->weights[p]);
    }
    free(walk->x);
    free(walk->y);
    free(walk);
}

double bench_walk(BenchWalk *walk, size_t frames)
{
    const double start = bench_seconds();
    for (size_t p = 0; p < WALK; p++)
        for (size_t i = 0; i < walk->products[p].count; i++)
            run(&walk->products[p], BENCH_FORWARD, walk_rows(&walk->products[p], frames), walk->x,
                walk->weights[p][i], walk->y);
    return bench_seconds() - start;
}
