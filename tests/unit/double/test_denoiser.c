/* The gradients of every layer and of the whole denoiser against central finite differences, in
 * double precision. */
#include "models/denoiser.h"
#include "models/grid.h"
#include "models/layers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small generator of the test's own: values in [-1, 1). */
static double draw(unsigned long *state)
{
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return (double)(*state >> 11) / 4503599627370496.0 - 1.0;
}

static double *values(size_t n, unsigned long seed)
{
    double *v = malloc(n * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++)
        v[i] = draw(&seed);
    return v;
}

/* loss = sum(target * output), so that target is the gradient by the output. */
static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

typedef double (*Loss)(void *user);

/* Compares `gradient` of `loss` by x (n,) with central differences at up to 40 places. */
static void check_gradient(const char *name, Loss loss, void *user, double *x, size_t n,
                           const double *gradient)
{
    const double step = 1e-5;
    const size_t stride = n > 40 ? n / 40 : 1;
    for (size_t i = 0; i < n; i += stride) {
        const double kept = x[i];
        x[i] = kept + step;
        const double above = loss(user);
        x[i] = kept - step;
        const double below = loss(user);
        x[i] = kept;
        const double numeric = (above - below) / (2.0 * step);
        if (fabs(numeric - gradient[i]) > 1e-6 * (1.0 + fabs(numeric)))
            fail_msg("%s[%zu]: %.10g by differences, %.10g by the layer", name, i, numeric,
                     gradient[i]);
    }
}

enum { ROWS = 12, WINDOWS = 2, FRAMES = 6, IN = 5, OUT = 7 };

typedef struct Layer {
    double *x, *w, *b, *target, *y, *extra;
} Layer;

static double linear_loss(void *user)
{
    Layer *l = user;
    linear_forward(ROWS, IN, OUT, l->x, l->w, l->b, l->y);
    return dot(ROWS * OUT, l->y, l->target);
}

static void test_linear(void **state)
{
    (void)state;
    Layer l = {values(ROWS * IN, 1),  values(OUT * IN, 2),   values(OUT, 3),
               values(ROWS * OUT, 4), values(ROWS * OUT, 5), NULL};
    double dx[ROWS * IN], dw[OUT * IN] = {0}, db[OUT] = {0};
    linear_backward(ROWS, IN, OUT, l.x, l.w, l.target, dx, dw, db);
    check_gradient("linear x", linear_loss, &l, l.x, ROWS * IN, dx);
    check_gradient("linear w", linear_loss, &l, l.w, OUT * IN, dw);
    check_gradient("linear bias", linear_loss, &l, l.b, OUT, db);
    free(l.x), free(l.w), free(l.b), free(l.target), free(l.y);
}

static double taps_loss(void *user)
{
    Layer *l = user;
    taps_forward(WINDOWS, FRAMES, IN, 2, l->x, l->y);
    return dot(ROWS * 3 * IN, l->y, l->target);
}

static void test_taps(void **state)
{
    (void)state;
    Layer l = {.x = values(ROWS * IN, 6),
               .target = values(ROWS * 3 * IN, 7),
               .y = values(ROWS * 3 * IN, 8)};
    double dx[ROWS * IN];
    taps_backward(WINDOWS, FRAMES, IN, 2, l.target, dx);
    check_gradient("taps", taps_loss, &l, l.x, ROWS * IN, dx);
    /* Windows do not see each other, and what lies outside is zero. */
    taps_forward(WINDOWS, FRAMES, IN, 2, l.x, l.y);
    assert_true(l.y[FRAMES * 3 * IN] == 0.0);
    assert_true(l.y[FRAMES * 3 * IN + IN] == l.x[FRAMES * IN]);
    assert_true(l.y[2 * IN] == l.x[2 * IN]);
    free(l.x), free(l.target), free(l.y);
}

static double norm_loss(void *user)
{
    Layer *l = user;
    norm_forward(ROWS, OUT, l->x, l->y, l->extra);
    return dot(ROWS * OUT, l->y, l->target);
}

static void test_norm(void **state)
{
    (void)state;
    Layer l = {.x = values(ROWS * OUT, 9),
               .target = values(ROWS * OUT, 10),
               .y = values(ROWS * OUT, 11),
               .extra = values(ROWS, 12)};
    double dx[ROWS * OUT];
    norm_loss(&l);
    norm_backward(ROWS, OUT, l.y, l.extra, l.target, dx);
    check_gradient("norm", norm_loss, &l, l.x, ROWS * OUT, dx);
    free(l.x), free(l.target), free(l.y), free(l.extra);
}

static double film_loss(void *user)
{
    Layer *l = user;
    film_forward(WINDOWS, FRAMES, IN, 2 * IN, l->w, l->w + IN, l->x, l->y);
    return dot(ROWS * IN, l->y, l->target);
}

static double gate_loss(void *user)
{
    Layer *l = user;
    memset(l->y, 0, ROWS * IN * sizeof *l->y);
    gate_forward(WINDOWS, FRAMES, IN, 2 * IN, l->w, l->x, l->y);
    return dot(ROWS * IN, l->y, l->target);
}

static void test_film_and_gate(void **state)
{
    (void)state;
    Layer l = {.x = values(ROWS * IN, 13),
               .w = values(WINDOWS * 2 * IN, 14),
               .target = values(ROWS * IN, 15),
               .y = values(ROWS * IN, 16)};
    double dx[ROWS * IN], dw[WINDOWS * 2 * IN] = {0}, dgate[WINDOWS * 2 * IN] = {0};
    film_backward(WINDOWS, FRAMES, IN, 2 * IN, l.w, l.x, l.target, dx, dw, dw + IN);
    check_gradient("film x", film_loss, &l, l.x, ROWS * IN, dx);
    check_gradient("film scale and shift", film_loss, &l, l.w, WINDOWS * 2 * IN, dw);
    gate_backward(WINDOWS, FRAMES, IN, 2 * IN, l.w, l.x, l.target, dx, dgate);
    check_gradient("gate y", gate_loss, &l, l.x, ROWS * IN, dx);
    check_gradient("gate", gate_loss, &l, l.w, WINDOWS * 2 * IN, dgate);
    free(l.x), free(l.w), free(l.target), free(l.y);
}

static double silu_loss(void *user)
{
    Layer *l = user;
    silu_forward(ROWS * IN, l->x, l->y);
    return dot(ROWS * IN, l->y, l->target);
}

static void test_silu(void **state)
{
    (void)state;
    Layer l = {
        .x = values(ROWS * IN, 17), .target = values(ROWS * IN, 18), .y = values(ROWS * IN, 19)};
    for (int i = 0; i < ROWS * IN; i++)
        l.x[i] *= 6.0;
    double dx[ROWS * IN];
    silu_backward(ROWS * IN, l.x, l.target, dx);
    check_gradient("silu", silu_loss, &l, l.x, ROWS * IN, dx);
    free(l.x), free(l.target), free(l.y);
}

static double embedding_loss(void *user)
{
    Layer *l = user;
    embedding_forward(ROWS, IN, OUT, l->x, l->w, l->y);
    return dot(ROWS * OUT, l->y, l->target);
}

static void test_embedding(void **state)
{
    (void)state;
    Layer l = {.x = values(ROWS * IN, 20),
               .w = values(IN * OUT, 21),
               .target = values(ROWS * OUT, 22),
               .y = values(ROWS * OUT, 23)};
    double dw[IN * OUT] = {0};
    embedding_backward(ROWS, IN, OUT, l.x, l.target, dw);
    check_gradient("embedding", embedding_loss, &l, l.w, IN * OUT, dw);
    free(l.x), free(l.w), free(l.target), free(l.y);
}

/* The refiner's convolution, over frames and patches. */
typedef struct Grid {
    GridShape shape;
    double *x, *w, *bias, *scratch, *target, *y;
    size_t size;
} Grid;

static double grid_loss(void *user)
{
    Grid *g = user;
    grid_convolve(g->shape, g->x, g->w, g->bias, g->scratch, g->y);
    return dot(g->size, g->y, g->target);
}

static void test_grid(void **state)
{
    (void)state;
    enum { POSITIONS = 4, CHANNELS = 3, SIZE = ROWS * POSITIONS * CHANNELS, TAPS = 9 };
    for (size_t dilation = 1; dilation <= 2; dilation++) {
        Grid g = {.shape = {WINDOWS, FRAMES, POSITIONS, CHANNELS, dilation},
                  .x = values(SIZE, 41),
                  .w = values(CHANNELS * TAPS * CHANNELS, 42),
                  .bias = values(CHANNELS, 43),
                  .scratch = values(grid_scratch(POSITIONS, CHANNELS), 44),
                  .target = values(SIZE, 45),
                  .y = values(SIZE, 46),
                  .size = SIZE};
        double dx[SIZE], dw[CHANNELS * TAPS * CHANNELS] = {0}, dbias[CHANNELS] = {0};
        grid_convolve_backward(g.shape, g.x, g.w, g.target, g.scratch, dx, dw, dbias);
        check_gradient("grid x", grid_loss, &g, g.x, SIZE, dx);
        check_gradient("grid w", grid_loss, &g, g.w, CHANNELS * TAPS * CHANNELS, dw);
        check_gradient("grid bias", grid_loss, &g, g.bias, CHANNELS, dbias);
        free(g.x), free(g.w), free(g.bias), free(g.scratch), free(g.target), free(g.y);
    }
}

typedef struct Net {
    DenoiserPass *pass;
    double *weights, *out, *target;
    DenoiserInput input;
    size_t size;
} Net;

static double net_loss(void *user)
{
    Net *net = user;
    denoiser_forward(net->pass, net->weights, &net->input, net->out);
    return dot(net->size, net->out, net->target);
}

static void test_denoiser(void **state)
{
    (void)state;
    const DenoiserConfig config = {.bands = 9,
                                   .channels = 10,
                                   .condition = 8,
                                   .classes = 3,
                                   .blocks = 3,
                                   .dilations = {1, 4, 2},
                                   .past = 5,
                                   .refiner = {.channels = 4, .blocks = 2, .stride = 2}};
    enum { W = 2, F = 10, B = 9, K = 3, PAST = 5 };
    Error err = {""};
    Denoiser *denoiser = denoiser_create(&config, &err);
    assert_non_null(denoiser);
    const Parameters *parameters = denoiser_parameters(denoiser);
    const size_t n = parameters_size(parameters);
    Net net = {.pass = denoiser_pass_create(denoiser, W, W * F, true, &err),
               .weights = values(n, 31),
               .out = values(W * F * B, 32),
               .target = values(W * F * B, 33),
               .size = W * F * B};
    assert_non_null(net.pass);
    for (size_t i = 0; i < n; i++)
        net.weights[i] *= 0.3;
    double *x = values(W * F * B, 34), known[W * F] = {1, 1, 0}, snr[W] = {-2.5, 1.5};
    double mix[W * K] = {0.25, 0.75, 0, 0, 0, 1};
    double *memory = values(W * B, 35), *past = values(W * PAST, 37);
    net.input = (DenoiserInput){W, F, x, known, snr, mix, memory, past};
    double *gradients = calloc(n, sizeof *gradients);
    assert_non_null(gradients);
    net_loss(&net);
    denoiser_backward(net.pass, net.weights, &net.input, net.target, gradients);
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        check_gradient(info->name, net_loss, &net, net.weights + info->offset, info->size,
                       gradients + info->offset);
    }
    /* A pass for inference says the same. */
    DenoiserPass *inference = denoiser_pass_create(denoiser, W, W * F, false, &err);
    double *again = values(W * F * B, 36);
    net_loss(&net);
    denoiser_forward(inference, net.weights, &net.input, again);
    assert_memory_equal(again, net.out, sizeof(double) * W * F * B);
    denoiser_pass_destroy(inference);
    denoiser_pass_destroy(net.pass);
    denoiser_destroy(denoiser);
    free(net.weights), free(net.out), free(net.target), free(x), free(memory), free(past);
    free(gradients), free(again);
}

static void test_refuses_bad_shapes(void **state)
{
    (void)state;
    const DenoiserConfig good = {.bands = 9,
                                 .channels = 16,
                                 .condition = 8,
                                 .classes = 3,
                                 .past = 1,
                                 .blocks = 1,
                                 .dilations = {1},
                                 .refiner = {.channels = 4, .stride = 2}};
    for (int i = 0; i < 9; i++) {
        DenoiserConfig bad = good;
        size_t *fields[] = {&bad.bands,        &bad.channels,         &bad.condition,
                            &bad.past,         &bad.classes,          &bad.blocks,
                            &bad.dilations[0], &bad.refiner.channels, &bad.refiner.stride};
        *fields[i] = 0;
        Error err = {""};
        assert_null(denoiser_create(&bad, &err));
        assert_non_null(strstr(err.message, "possible"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_taps),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_film_and_gate),
        cmocka_unit_test(test_silu),
        cmocka_unit_test(test_embedding),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_denoiser),
        cmocka_unit_test(test_refuses_bad_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
