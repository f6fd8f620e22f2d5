/* What all tables need: time, medians, a machine's name and a model to run. */
#include "tests/bench/bench.h"

#include "dsp/random.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bench_need(int good, const Error *err)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s\n", err ? err->message : "out of memory");
    exit(1);
}

void bench_add(BenchTimes *times, size_t kind, double seconds)
{
    if (times->counts[kind] < BENCH_ROUNDS)
        times->seconds[kind][times->counts[kind]++] = seconds;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the values in order, the one that lies that far along, between neighbours in proportion. */
static double quantile(const BenchTimes *times, size_t kind, double share)
{
    double sorted[BENCH_ROUNDS];
    const size_t n = times->counts[kind];
    if (n == 0)
        return 0.0;
    memcpy(sorted, times->seconds[kind], n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    const double at = share * (double)(n - 1);
    const size_t low = (size_t)at, high = low + 1 < n ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

double bench_median(const BenchTimes *times, size_t kind)
{
    return quantile(times, kind, 0.5);
}

void bench_print_spread(const BenchTimes *times, size_t kind, double scale)
{
    printf("%.2f (%.2f..%.2f)", scale * quantile(times, kind, 0.5),
           scale * quantile(times, kind, 0.25), scale * quantile(times, kind, 0.75));
}

real *bench_values(size_t n)
{
    real *values = calloc(n, sizeof *values);
    bench_need(values != NULL, NULL);
    return values;
}

TextureModel *bench_model(void)
{
    Error err = {""};
    TextureConfig config = texture_config_default(1);
    strcpy(config.classes[0], "noise");
    TextureModel *model = texture_model_create(&config, &err);
    bench_need(model != NULL, &err);
    const size_t bands = config.denoiser.bands;
    const size_t size = parameters_size(denoiser_parameters(texture_model_denoiser(model)));
    real *weights = texture_model_weights(model);
    random_gaussian(1, 0, 0, weights, size);
    for (size_t i = 0; i < size; i++)
        weights[i] *= (real)0.03;
    float *table = bench_values(bands * NORMALISER_KNOTS);
    for (size_t i = 0; i < bands * NORMALISER_KNOTS; i++)
        table[i] = 0.25f * (float)(i % NORMALISER_KNOTS) - 12.0f;
    bench_need(!normaliser_set_table(texture_model_normaliser(model), table, &err), &err);
    free(table);
    bench_need(!texture_model_pack(model, &err), &err);
    return model;
}

void bench_machine(void)
{
    printf("OpenBLAS: %s, core type in force: %s\n", openblas_get_config(),
           openblas_get_corename());
}
