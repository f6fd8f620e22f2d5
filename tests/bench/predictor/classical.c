/* Adaptive classical coders of 16-bit samples: backward LPC32, with NLMS32 behind it, and the whole
 * cascade; errors coded with a logistic density whose scale follows their mean size. */
#include "tests/bench/predictor/bench.h"

#include "dsp/cascade.h"
#include "dsp/lpc.h"
#include "dsp/nlms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODERS = 3, QUANTUM = 32768 };

/* The density's scale follows errors over 32 and 512 samples. */
typedef struct Coder {
    double fast, slow, bits;
} Coder;

static double softplus(double x)
{
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Adds the code length of a sample, all in steps of 16 bits, and learns from its error. */
static void code(Coder *coder, double error)
{
    const double size = fabs(error), scale = 0.275 * (coder->fast + coder->slow) + 0.15;
    const double above = (size + 0.5) / scale, below = (size - 0.5) / scale;
    coder->bits += (softplus(-above) + softplus(below) - log(-expm1(-1.0 / scale))) / log(2.0);
    coder->fast += (size - coder->fast) / 32.0;
    coder->slow += (size - coder->slow) / 512.0;
}

static void code_file(const float *x, size_t n, Cascade *cascade, Coder coders[CODERS])
{
    static Lpc lpc;
    static Nlms nlms;
    lpc_reset(&lpc);
    nlms_reset(&nlms, 32, 0.08f, 1e-9f); /* faster gains under 0.01 bits */
    cascade_reset(cascade);
    for (int i = 0; i < CODERS; i++)
        coders[i] = (Coder){8.0, 8.0, 0.0};
    for (size_t t = 0; t < n; t++) {
        CascadePrediction prediction;
        const float linear = lpc_predict(&lpc), both = linear + nlms_predict(&nlms);
        cascade_predict(cascade, &prediction);
        code(&coders[0], QUANTUM * (double)(x[t] - linear));
        code(&coders[1], QUANTUM * (double)(x[t] - both));
        code(&coders[2], QUANTUM * (double)(x[t] - prediction.base));
        nlms_push(&nlms, x[t] - linear, x[t] - both);
        lpc_push(&lpc, x[t]);
        cascade_push(cascade, x[t]);
    }
}

int bench_classical(int files, char **paths)
{
    Error err = {""};
    double sums[CODERS] = {0.0}, samples = 0.0;
    Cascade *cascade = cascade_create(&err);
    bench_need(cascade != NULL, &err);
    printf("| bits a sample | LPC32 | LPC32 + NLMS32 | cascade |\n|---|---|---|---|\n");
    for (int f = 0; f < files; f++) {
        Coder coders[CODERS];
        size_t n;
        float *x = bench_read(paths[f], &n);
        code_file(x, n, cascade, coders);
        free(x);
        printf("| %s |", bench_name(paths[f]));
        for (int i = 0; i < CODERS; i++) {
            printf(" %.3f |", coders[i].bits / (double)n);
            sums[i] += coders[i].bits;
        }
        printf("\n");
        samples += (double)n;
    }
    printf("| **all** |");
    for (int i = 0; i < CODERS; i++)
        printf(" %.3f |", sums[i] / samples);
    printf("\n");
    cascade_destroy(cascade);
    return 0;
}
