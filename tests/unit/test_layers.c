/* The layers in single precision against the plainest computation in double precision, and against
 * themselves as compiled without wide registers: those must agree to the bit. */
#include "models/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The file once more, for the plainest instruction set, under other names. */
#undef KERNEL
#define KERNEL
#define linear_forward     plain_linear_forward
#define linear_backward    plain_linear_backward
#define taps_forward       plain_taps_forward
#define taps_backward      plain_taps_backward
#define norm_forward       plain_norm_forward
#define norm_backward      plain_norm_backward
#define film_forward       plain_film_forward
#define film_backward      plain_film_backward
#define gate_forward       plain_gate_forward
#define gate_backward      plain_gate_backward
#define accumulate         plain_accumulate
#define silu_forward       plain_silu_forward
#define silu_backward      plain_silu_backward
#define sinusoid_forward   plain_sinusoid_forward
#define embedding_forward  plain_embedding_forward
#define embedding_backward plain_embedding_backward
#include "models/layers.c"
#undef linear_forward
#undef linear_backward
#undef taps_forward
#undef taps_backward
#undef norm_forward
#undef norm_backward
#undef film_forward
#undef film_backward
#undef gate_forward
#undef gate_backward
#undef accumulate
#undef silu_forward
#undef silu_backward
#undef sinusoid_forward
#undef embedding_forward
#undef embedding_backward

/* Sizes that are no multiple of any register's width. */
enum { WINDOWS = 3, FRAMES = 7, ROWS = WINDOWS * FRAMES, IN = 37, OUT = 53, CLASSES = 5 };

/* n values in -1..1, to be freed. */
static float *values(size_t n, uint64_t seed)
{
    float *v = malloc(n * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        v[i] = (float)((double)(seed >> 11) / 4503599627370496.0 - 1.0);
    }
    return v;
}

static void check_near(const char *what, size_t i, double wanted, double got)
{
    if (!(fabs(got - wanted) <= 1e-5 * (1.0 + fabs(wanted))))
        fail_msg("%s[%zu]: %.9g, not %.9g", what, i, got, wanted);
}

static void forward_products_match_sums(void **state)
{
    (void)state;
    float *x = values(ROWS * IN, 1), *w = values(OUT * IN, 2), *bias = values(OUT, 3);
    float *y = values(ROWS * OUT, 4), *bare = values(ROWS * OUT, 5);
    linear_forward(ROWS, IN, OUT, x, w, bias, y);
    linear_forward(ROWS, IN, OUT, x, w, NULL, bare);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t o = 0; o < OUT; o++) {
            double sum = 0.0;
            for (size_t i = 0; i < IN; i++)
                sum += (double)x[r * IN + i] * (double)w[o * IN + i];
            check_near("linear", r * OUT + o, sum + (double)bias[o], (double)y[r * OUT + o]);
            check_near("linear without bias", r * OUT + o, sum, (double)bare[r * OUT + o]);
        }
    free(x), free(w), free(bias), free(y), free(bare);

    float *mix = values(ROWS * CLASSES, 6), *table = values(CLASSES * OUT, 7);
    y = values(ROWS * OUT, 8);
    embedding_forward(ROWS, CLASSES, OUT, mix, table, y);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t o = 0; o < OUT; o++) {
            double sum = 0.0;
            for (size_t c = 0; c < CLASSES; c++)
                sum += (double)mix[r * CLASSES + c] * (double)table[c * OUT + o];
            check_near("embedding", r * OUT + o, sum, (double)y[r * OUT + o]);
        }
    free(mix), free(table), free(y);
}

static void gradients_of_products_match_sums(void **state)
{
    (void)state;
    float *x = values(ROWS * IN, 11), *w = values(OUT * IN, 12), *dy = values(ROWS * OUT, 13);
    float *dx = values(ROWS * IN, 14), *dw = values(OUT * IN, 15), *dbias = values(OUT, 16);
    float *dw_before = values(OUT * IN, 15), *dbias_before = values(OUT, 16);
    linear_backward(ROWS, IN, OUT, x, w, dy, dx, dw, dbias);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < IN; i++) {
            double sum = 0.0;
            for (size_t o = 0; o < OUT; o++)
                sum += (double)dy[r * OUT + o] * (double)w[o * IN + i];
            check_near("dx", r * IN + i, sum, (double)dx[r * IN + i]);
        }
    for (size_t o = 0; o < OUT; o++) {
        double of_bias = (double)dbias_before[o];
        for (size_t r = 0; r < ROWS; r++)
            of_bias += (double)dy[r * OUT + o];
        check_near("dbias", o, of_bias, (double)dbias[o]);
        for (size_t i = 0; i < IN; i++) {
            double sum = (double)dw_before[o * IN + i];
            for (size_t r = 0; r < ROWS; r++)
                sum += (double)dy[r * OUT + o] * (double)x[r * IN + i];
            check_near("dw", o * IN + i, sum, (double)dw[o * IN + i]);
        }
    }
    /* What is not asked for is left alone. */
    linear_backward(ROWS, IN, OUT, x, w, dy, NULL, NULL, NULL);
    free(x), free(w), free(dy), free(dx), free(dw), free(dbias), free(dw_before);
    free(dbias_before);
}

/* The frame that a tap sees, zero outside its window. */
static double frame_at(const float *x, size_t window, long t, size_t i)
{
    return t < 0 || t >= FRAMES ? 0.0 : (double)x[(window * FRAMES + (size_t)t) * IN + i];
}

static void taps_are_zero_outside_their_window(void **state)
{
    (void)state;
    const size_t dilations[] = {1, 2, FRAMES - 1, FRAMES, FRAMES + 1, 1024};
    float *x = values(ROWS * IN, 21), *dcolumns = values(ROWS * 3 * IN, 22);
    for (size_t d = 0; d < sizeof dilations / sizeof *dilations; d++) {
        float *columns = values(ROWS * 3 * IN, 23), *dx = values(ROWS * IN, 24);
        double *wanted = calloc(ROWS * IN, sizeof *wanted);
        assert_non_null(wanted);
        taps_forward(WINDOWS, FRAMES, IN, dilations[d], x, columns);
        taps_backward(WINDOWS, FRAMES, IN, dilations[d], dcolumns, dx);
        for (size_t w = 0; w < WINDOWS; w++)
            for (long t = 0; t < FRAMES; t++)
                for (long tap = 0; tap < 3; tap++)
                    for (size_t i = 0; i < IN; i++) {
                        const long at = t + (tap - 1) * (long)dilations[d];
                        const size_t column = ((w * FRAMES + (size_t)t) * 3 + (size_t)tap) * IN + i;
                        assert_true(frame_at(x, w, at, i) == (double)columns[column]);
                        if (at >= 0 && at < FRAMES)
                            wanted[(w * FRAMES + (size_t)at) * IN + i] += (double)dcolumns[column];
                    }
        for (size_t i = 0; i < ROWS * IN; i++)
            check_near("taps dx", i, wanted[i], (double)dx[i]);
        free(columns), free(dx), free(wanted);
    }
    free(x), free(dcolumns);
}

static void norm_has_mean_0_and_variance_1(void **state)
{
    (void)state;
    float *x = values(ROWS * OUT, 31), *y = values(ROWS * OUT, 32), *inverse = values(ROWS, 33);
    for (size_t i = 0; i < ROWS * OUT; i++)
        x[i] = i / OUT % 2 ? 5.0f * x[i] + 3.0f : 0.01f * x[i];
    memset(x, 0, OUT * sizeof *x);
    norm_forward(ROWS, OUT, x, y, inverse);
    for (size_t r = 0; r < ROWS; r++) {
        double mean = 0.0, variance = 0.0;
        for (size_t i = 0; i < OUT; i++)
            mean += (double)x[r * OUT + i] / OUT;
        for (size_t i = 0; i < OUT; i++)
            variance += pow((double)x[r * OUT + i] - mean, 2.0) / OUT;
        const double scale = 1.0 / sqrt(variance + 1e-5);
        check_near("inverse", r, scale, (double)inverse[r]);
        for (size_t i = 0; i < OUT; i++)
            check_near("norm", r * OUT + i, ((double)x[r * OUT + i] - mean) * scale,
                       (double)y[r * OUT + i]);
    }
    free(x), free(y), free(inverse);
}

static void film_and_gate_follow_their_formulas(void **state)
{
    (void)state;
    enum { APART = 2 * IN + 3 };
    float *x = values(ROWS * IN, 41), *film = values(WINDOWS * APART, 42);
    float *y = values(ROWS * IN, 43), *sum = values(ROWS * IN, 44), *before = values(ROWS * IN, 44);
    film_forward(WINDOWS, FRAMES, IN, APART, film, film + IN, x, y);
    gate_forward(WINDOWS, FRAMES, IN, APART, film, x, sum);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < IN; i++) {
            const size_t at = r * IN + i;
            const double scale = (double)film[r / FRAMES * APART + i];
            const double shift = (double)film[r / FRAMES * APART + IN + i];
            check_near("film", at, (double)x[at] * (1.0 + scale) + shift, (double)y[at]);
            check_near("gate", at, (double)before[at] + (double)x[at] * (1.0 + scale),
                       (double)sum[at]);
        }
    free(x), free(film), free(y), free(sum), free(before);
}

static void exponential_is_near_exp(void **state)
{
    (void)state;
    double worst = 0.0;
    for (int i = -870000; i <= 870000; i++) {
        const float x = (float)i * 1e-4f;
        const double wanted = exp(fmin(fmax((double)x, -87.0), 87.0));
        worst = fmax(worst, fabs((double)exponential(x) / wanted - 1.0));
    }
    if (!(worst < 2e-7))
        fail_msg("exp is off by %g of its value", worst);
    /* Beyond +-87 it stays where it is there. */
    assert_true(exponential(90.0f) == exponential(87.0f));
    assert_true(exponential(-90.0f) == exponential(-87.0f));
    assert_true(exponential(-1e30f) == exponential(-87.0f));
    assert_true(exponential(0.0f) == 1.0f);
}

static void silu_is_near_its_formula(void **state)
{
    (void)state;
    enum { N = 180001 };
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y), *dx = malloc(N * sizeof *dx);
    assert_true(x && y && dx);
    for (int i = 0; i < N; i++)
        x[i] = (float)(i - N / 2) * 1e-3f;
    silu_forward(N, x, y);
    for (size_t i = 0; i < N; i++)
        dx[i] = 1.0f;
    silu_backward(N, x, dx, dx);
    for (size_t i = 0; i < N; i++) {
        const double at = (double)x[i], s = 1.0 / (1.0 + exp(-at)),
                     slope = s * (1.0 + at * (1.0 - s));
        const double error = fabs((double)y[i] - at * s);
        /* Below -87 both are nothing, to any precision that counts. */
        if (!(error <= 5e-7 * fabs(at * s) || (at < -86.9 && error < 1e-35)))
            fail_msg("silu(%g) = %.9g, not %.9g", at, (double)y[i], at * s);
        if (!(fabs((double)dx[i] - slope) < 1e-6))
            fail_msg("silu'(%g) = %.9g, not %.9g", at, (double)dx[i], slope);
    }
    /* In place. */
    memcpy(dx, x, N * sizeof *x);
    silu_forward(N, dx, dx);
    assert_memory_equal(dx, y, N * sizeof *y);
    free(x), free(y), free(dx);
}

static void sinusoids_go_from_1_down_to_the_longest(void **state)
{
    (void)state;
    enum { HALF = 8 };
    float out[2 * HALF];
    sinusoid_forward(2.5, 10000.0, HALF, out);
    for (size_t i = 0; i < HALF; i++) {
        const double angle = 2.5 / pow(10000.0, (double)i / HALF);
        check_near("cos", i, cos(angle), (double)out[i]);
        check_near("sin", i, sin(angle), (double)out[HALF + i]);
    }
}

/* The layers that have loops of their own, as they were compiled once. */
typedef struct Layers {
    void (*linear)(size_t, size_t, size_t, const float *, const float *, const float *, float *);
    void (*linear_back)(size_t, size_t, size_t, const float *, const float *, const float *,
                        float *, float *, float *);
    void (*taps_back)(size_t, size_t, size_t, size_t, const float *, float *);
    void (*norm)(size_t, size_t, const float *, float *, float *);
    void (*norm_back)(size_t, size_t, const float *, const float *, const float *, float *);
    void (*film)(size_t, size_t, size_t, size_t, const float *, const float *, const float *,
                 float *);
    void (*film_back)(size_t, size_t, size_t, size_t, const float *, const float *, const float *,
                      float *, float *, float *);
    void (*gate)(size_t, size_t, size_t, size_t, const float *, const float *, float *);
    void (*gate_back)(size_t, size_t, size_t, size_t, const float *, const float *, const float *,
                      float *, float *);
    void (*silu)(size_t, const float *, float *);
    void (*silu_back)(size_t, const float *, const float *, float *);
} Layers;

enum { SIZE = ROWS * OUT, STRIDE = 2 * OUT, RESULTS = 10 * SIZE + OUT + 2 * WINDOWS * STRIDE };

/* All results one after another; to be freed. */
static float *run_all(const Layers *layers)
{
    float *a = values(SIZE, 51), *b = values(SIZE, 52), *film = values(WINDOWS * STRIDE, 53);
    float *rows = values(ROWS, 54), *columns = values(3 * SIZE, 55), *w = values(OUT * OUT, 56);
    float *results = calloc(RESULTS, sizeof *results), *at = results;
    assert_non_null(results);
    layers->linear(ROWS, OUT, OUT, a, w, b, at);
    layers->linear_back(ROWS, OUT, OUT, a, w, b, NULL, NULL, at + SIZE);
    at += SIZE + OUT;
    layers->taps_back(WINDOWS, FRAMES, OUT, 2, columns, at);
    at += SIZE;
    layers->norm(ROWS, OUT, a, at, rows);
    layers->norm_back(ROWS, OUT, at, rows, b, at + SIZE);
    at += 2 * SIZE;
    layers->film(WINDOWS, FRAMES, OUT, STRIDE, film, film + OUT, a, at);
    at += SIZE;
    layers->film_back(WINDOWS, FRAMES, OUT, STRIDE, film, a, b, at, at + SIZE, at + SIZE + OUT);
    at += SIZE + WINDOWS * STRIDE;
    layers->gate(WINDOWS, FRAMES, OUT, STRIDE, film, a, at);
    at += SIZE;
    layers->gate_back(WINDOWS, FRAMES, OUT, STRIDE, film, a, b, at, at + SIZE);
    at += SIZE + WINDOWS * STRIDE;
    for (size_t i = 0; i < SIZE; i++)
        a[i] *= 20.0f;
    layers->silu(SIZE, a, at);
    layers->silu_back(SIZE, a, b, at + SIZE);
    free(a), free(b), free(film), free(rows), free(columns), free(w);
    return results;
}

static void wide_registers_change_no_bit(void **state)
{
    (void)state;
    const Layers chosen = {linear_forward, linear_backward, taps_backward, norm_forward,
                           norm_backward,  film_forward,    film_backward, gate_forward,
                           gate_backward,  silu_forward,    silu_backward};
    const Layers plain = {plain_linear_forward, plain_linear_backward, plain_taps_backward,
                          plain_norm_forward,   plain_norm_backward,   plain_film_forward,
                          plain_film_backward,  plain_gate_forward,    plain_gate_backward,
                          plain_silu_forward,   plain_silu_backward};
    float *a = run_all(&chosen), *b = run_all(&plain);
    for (size_t i = 0; i < RESULTS; i++)
        if (memcmp(&a[i], &b[i], sizeof *a))
            fail_msg("result %zu: %.9g, and %.9g without wide registers", i, (double)a[i],
                     (double)b[i]);
    free(a), free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_products_match_sums),
        cmocka_unit_test(gradients_of_products_match_sums),
        cmocka_unit_test(taps_are_zero_outside_their_window),
        cmocka_unit_test(norm_has_mean_0_and_variance_1),
        cmocka_unit_test(film_and_gate_follow_their_formulas),
        cmocka_unit_test(exponential_is_near_exp),
        cmocka_unit_test(silu_is_near_its_formula),
        cmocka_unit_test(sinusoids_go_from_1_down_to_the_longest),
        cmocka_unit_test(wide_registers_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
