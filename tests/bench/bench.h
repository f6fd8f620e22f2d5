/* Measurements, each a table in Markdown on standard output. One thread, processor time, medians of
 * interleaved rounds. A fault ends the program with a message: nothing is left to measure then. */
#ifndef BRUME_TESTS_BENCH_H
#define BRUME_TESTS_BENCH_H

#include "models/texture_model.h"

#include <stddef.h>

/* Processor seconds that this program has used. */
double bench_seconds(void);

/* Ends the program with a message unless `good`. */
void bench_need(int good, const Error *err);

/* Samples of several times: of `kinds` kinds, one of each a round. */
enum { BENCH_KINDS = 32, BENCH_ROUNDS = 32 };
typedef struct BenchTimes {
    size_t counts[BENCH_KINDS];
    double seconds[BENCH_KINDS][BENCH_ROUNDS];
} BenchTimes;

void bench_add(BenchTimes *times, size_t kind, double seconds);
double bench_median(const BenchTimes *times, size_t kind);

/* Prints the median and, in brackets, the quartiles, times `scale`, with two decimals. */
void bench_print_spread(const BenchTimes *times, size_t kind, double scale);

/* `n` zeroed values; a model of the default network with random weights and quantiles. */
real *bench_values(size_t n);
TextureModel *bench_model(void);

/* A matrix product of m x n x k multiply-adds as the layers call it. */
typedef enum { BENCH_FORWARD, BENCH_DX, BENCH_DW } BenchWay;

/* Products that a network's step is made of. */
typedef struct BenchProduct {
    const char *layer;
    size_t in, out, count; /* of one linear layer, and how many of them there are */
    bool has_dx;
    size_t places; /* rows of it for each frame: 1, or the refiner's patches */
} BenchProduct;
enum { BENCH_PRODUCTS = 9 };
void bench_products(const DenoiserConfig *config, BenchProduct products[BENCH_PRODUCTS]);

/* Seconds that one such product for `rows` frames takes, alone and warm. */
double bench_product(const BenchProduct *product, BenchWay way, size_t rows);

/* All products of a step forward of one window, one after the other, each on weights of its own, as
 * a pass over all layers meets them: those for each frame, and those of the window's condition. */
typedef struct BenchWalk BenchWalk;
BenchWalk *bench_walk_create(const DenoiserConfig *config, size_t most_frames);
void bench_walk_destroy(BenchWalk *walk);

/* Seconds that they take for a window of `frames` frames. */
double bench_walk(BenchWalk *walk, size_t frames);

/* Multiply-adds of one such product. */
double bench_product_cost(const BenchProduct *product, size_t rows);

/* The tables. */
void bench_machine(void);
void bench_training(void);
void bench_forward(void);
void bench_render(void);

/* Not a table but JSON: {family: {"one": speed-up of one sound on two threads, "two": of two}}. */
void bench_threads(void);

/* Runs the network of the model file at a driver's word, forward or whole training steps; see
 * tests/bench/worker.c. */
void bench_worker(const char *model, bool training);

/* Trains from the model file on noise, a few steps, and writes into the folder what the last of
 * them began with and what came of it, for tests/bench/peers/step.py. */
void bench_step(const char *model, const char *folder);

#endif
