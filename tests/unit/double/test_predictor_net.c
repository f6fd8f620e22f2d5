/* The gradients of the sample tier against central differences, in double precision: the GRU
 * through time, the mixture's log-likelihood, the head, and both whole networks. */
#include "models/gru.h"
#include "models/logistic_mixture.h"
#include "models/predictor_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A small generator of the test's own: n values in [-size, size). */
static double *values(size_t n, unsigned long seed, double size)
{
    double *v = malloc(n * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        v[i] = size * ((double)(seed >> 11) / 4503599627370496.0 - 1.0);
    }
    return v;
}

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
        if (fabs(numeric - gradient[i]) > 2e-6 * (1.0 + fabs(numeric)))
            fail_msg("%s[%zu]: %.10g by differences, %.10g by the layer", name, i, numeric,
                     gradient[i]);
    }
}

enum { STEPS = 5, LANES = 2, IN = 3, HIDDEN = 4, STATES = STEPS * LANES };

typedef struct Recurrence {
    double *x, *w, *u, *b, *c, *target;
    double h[(STEPS + 1) * LANES * HIDDEN];
    double gates[STATES * 3 * HIDDEN], recurrent[STATES * 3 * HIDDEN];
} Recurrence;

static const GruSize GRU = {STEPS, LANES, IN, HIDDEN};

static double gru_loss(void *user)
{
    Recurrence *r = user;
    const GruWeights weights = {r->w, r->u, r->b, r->c};
    memset(r->h, 0, LANES * HIDDEN * sizeof(double));
    gru_forward(&GRU, &weights, r->x, r->h, r->gates, r->recurrent);
    return dot(STATES * HIDDEN, r->h + LANES * HIDDEN, r->target);
}

static void gru_through_time(void **state)
{
    (void)state;
    Recurrence r = {.x = values(STATES * IN, 1, 1.0),
                    .w = values(3 * HIDDEN * IN, 2, 1.0),
                    .u = values(3 * HIDDEN * HIDDEN, 3, 1.0),
                    .b = values(3 * HIDDEN, 4, 1.0),
                    .c = values(HIDDEN, 5, 1.0),
                    .target = values(STATES * HIDDEN, 6, 1.0)};
    double dh[STATES * HIDDEN], dx[STATES * IN],
        dw[3 * HIDDEN * IN] = {0}, du[3 * HIDDEN * HIDDEN] = {0}, db[3 * HIDDEN] = {0},
                        dc[HIDDEN] = {0};
    GruGradients gradients = {dw, du, db, dc};
    const GruWeights weights = {r.w, r.u, r.b, r.c};
    gru_loss(&r);
    memcpy(dh, r.target, sizeof dh);
    gru_backward(&GRU, &weights, r.x, r.h, r.gates, r.recurrent, dh, dx, &gradients);
    check_gradient("gru x", gru_loss, &r, r.x, STATES * IN, dx);
    check_gradient("gru w", gru_loss, &r, r.w, 3 * HIDDEN * IN, dw);
    check_gradient("gru u", gru_loss, &r, r.u, 3 * HIDDEN * HIDDEN, du);
    check_gradient("gru b", gru_loss, &r, r.b, 3 * HIDDEN, db);
    check_gradient("gru c", gru_loss, &r, r.c, HIDDEN, dc);
    free(r.x), free(r.w), free(r.u), free(r.b), free(r.c), free(r.target);
}

enum { ROWS = 24 };

typedef struct Density {
    double value[ROWS], *parameters, nats[ROWS];
} Density;

static double density_loss(void *user)
{
    Density *d = user;
    logistic_mixture_nats(ROWS, d->value, d->parameters, d->nats, NULL);
    double sum = 0.0;
    for (int r = 0; r < ROWS; r++)
        sum += d->nats[r];
    return sum;
}

static void density_by_its_parameters(void **state)
{
    (void)state;
    Density d = {.parameters = values(ROWS * LOGISTIC_PARAMETERS, 7, 3.0)};
    double gradient[ROWS * LOGISTIC_PARAMETERS];
    for (int r = 0; r < ROWS; r++)
        d.value[r] = r % 8 == 7 ? 900.0 : (double)(r % 8 - 3) * 1.0 + 0.25;
    logistic_mixture_nats(ROWS, d.value, d.parameters, d.nats, gradient);
    check_gradient("density", density_loss, &d, d.parameters, ROWS * LOGISTIC_PARAMETERS, gradient);
    free(d.parameters);
}

enum { SAMPLES = 4 * PREDICTOR_FRAME, FRAMES = SAMPLES / PREDICTOR_FRAME };

typedef struct Network {
    PredictorPass *pass;
    PredictorBatch batch;
    PredictorHead heads[LANES * SAMPLES];
    double *weights, *value, out[LANES * SAMPLES * PREDICTOR_OUTPUTS];
    double parameters[LANES * SAMPLES * LOGISTIC_PARAMETERS], nats[LANES * SAMPLES];
} Network;

static double network_loss(void *user)
{
    Network *n = user;
    predictor_forward(n->pass, n->weights, &n->batch, n->out);
    predictor_heads_forward(LANES * SAMPLES, n->heads, n->out, n->parameters);
    logistic_mixture_nats(LANES * SAMPLES, n->value, n->parameters, n->nats, NULL);
    double sum = 0.0;
    for (int r = 0; r < LANES * SAMPLES; r++)
        sum += n->nats[r];
    return sum / 64.0;
}

static void draw_heads(Network *n)
{
    double *draws = values(LANES * SAMPLES * (PREDICTOR_TAPS + 2), 8, 2.0), *at = draws;
    for (int r = 0; r < LANES * SAMPLES; r++) {
        PredictorHead *h = &n->heads[r];
        h->base = 3.0 * *at++;
        h->scale = 2.5 + *at++;
        h->anchor = r % 2 ? 1.0 : 0.0;
        h->most = r < SAMPLES ? 0.0 : 8.0; /* the second lane has a plan */
        for (int i = 0; i < PREDICTOR_TAPS; i++)
            h->taps[i] = *at++;
    }
    free(draws);
}

/* One network: gradients by all its parameters. */
static void check_network(PredictorStructure structure)
{
    const PredictorConfig config = {structure, .hidden = 8, .wide = 12, .narrow = 9};
    PredictorNet *net = predictor_net_create(&config, NULL);
    assert_non_null(net);
    const Parameters *parameters = predictor_net_parameters(net);
    const size_t size = parameters_size(parameters), rows = LANES * SAMPLES;
    static const size_t period[LANES * FRAMES] = {3, 3, 70, 1, 200, 17, 17, 64};
    static Network n;
    n.weights = values(size, 9, 0.3);
    n.value = values(rows, 10, 6.0);
    n.pass = predictor_pass_create(net, LANES, SAMPLES, NULL);
    n.batch = (PredictorBatch){LANES, SAMPLES, values(rows * PREDICTOR_INPUTS, 11, 1.0),
                               values(LANES * FRAMES * PREDICTOR_CONDITION, 12, 1.0), period};
    draw_heads(&n);
    double *gradient = calloc(size, sizeof *gradient), dout[LANES * SAMPLES * PREDICTOR_OUTPUTS],
           slopes[LANES * SAMPLES * LOGISTIC_PARAMETERS];
    network_loss(&n);
    logistic_mixture_nats(rows, n.value, n.parameters, n.nats, slopes);
    predictor_heads_backward(rows, n.heads, n.out, slopes, dout);
    for (size_t i = 0; i < rows * PREDICTOR_OUTPUTS; i++)
        dout[i] /= 64.0;
    predictor_backward(n.pass, n.weights, &n.batch, dout, gradient);
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        check_gradient(info->name, network_loss, &n, n.weights + info->offset, info->size,
                       gradient + info->offset);
    }
    predictor_pass_destroy(n.pass);
    predictor_net_destroy(net);
    free(n.weights), free(n.value), free(gradient);
    free((double *)n.batch.inputs), free((double *)n.batch.condition);
}

static void recurrent_network(void **state)
{
    (void)state;
    check_network(PREDICTOR_RECURRENT);
}

static void convolution_network(void **state)
{
    (void)state;
    check_network(PREDICTOR_CONVOLUTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gru_through_time),
        cmocka_unit_test(density_by_its_parameters),
        cmocka_unit_test(recurrent_network),
        cmocka_unit_test(convolution_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
