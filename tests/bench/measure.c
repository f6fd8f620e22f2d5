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

double bench_median(const BenchTimes *times, size_t kind)
{
    double sorted[BENCH_ROUNDS];
    const size_t n = times->counts[kind];
    memcpy(sorted, times->seconds[kind], n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    return n ? 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]) : 0.0;
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
