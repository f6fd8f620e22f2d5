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
