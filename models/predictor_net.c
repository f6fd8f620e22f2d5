#include "models/predictor_network.h"

#include "models/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PredictorConfig predictor_config_default(PredictorStructure structure)
{
    return structure == PREDICTOR_RECURRENT
               ? (PredictorConfig){structure, .hidden = 192, .wide = 128, .narrow = 96}
               : (PredictorConfig){structure, .hidden = 48, .wide = 64, .narrow = 64};
}

size_t predictor_dilation(size_t layer, size_t period)
{
    return layer == 0 || layer == PREDICTOR_LAYERS - 1 ? period : (size_t)1 << (layer - 1);
}

static int check_config(const PredictorConfig *c, Error *err)
{
    const size_t sizes[3] = {c->hidden, c->wide, c->narrow};
    if (c->structure != PREDICTOR_RECURRENT && c->structure != PREDICTOR_CONVOLUTION)
        return error_set(err, "a predictor of structure %d: 0 and 1 are known", (int)c->structure);
    for (int i = 0; i < 3; i++)
        if (sizes[i] < 8 || sizes[i] > PREDICTOR_WIDEST)
            return error_set(err, "a predictor's layer of %zu units: 8 to %d are possible",
                             sizes[i], PREDICTOR_WIDEST);
    return 0;
}

static PredictorLinear add_linear(Parameters *p, const char *name, ParameterStart start, size_t in,
                                  size_t out, bool bias)
{
    char text[96];
    PredictorLinear layer = {.in = in, .out = out};
    snprintf(text, sizeof text, "%s.weight", name);
    layer.w = parameters_add(p, text, start, 2, (size_t[]){out, in});
    snprintf(text, sizeof text, "%s.bias", name);
    layer.b = bias ? parameters_add(p, text, PARAMETER_ZERO, 1, &out) : SIZE_MAX;
    return layer;
}

static void add_recurrent(PredictorNet *net)
{
    const PredictorConfig *c = &net->config;
    Parameters *p = net->parameters;
    const size_t in = PREDICTOR_INPUTS + PREDICTOR_TOLD, three = 3 * c->hidden;
    net->gru_w = parameters_add(p, "gru.input", PARAMETER_FAN_IN, 2, (size_t[]){three, in});
    net->gru_u =
        parameters_add(p, "gru.recurrent", PARAMETER_FAN_IN, 2, (size_t[]){three, c->hidden});
    net->gru_b = parameters_add(p, "gru.bias", PARAMETER_ZERO, 1, &three);
    net->gru_c = parameters_add(p, "gru.recurrent_bias", PARAMETER_ZERO, 1, &c->hidden);
    net->state = add_linear(p, "state", PARAMETER_FAN_IN, c->hidden, c->wide, false);
    net->notice = add_linear(p, "notice", PARAMETER_FAN_IN, PREDICTOR_TOLD, c->wide, false);
    net->phase =
        parameters_add(p, "phase", PARAMETER_ZERO, 2, (size_t[]){PREDICTOR_SUBFRAME, c->wide});
    net->first = add_linear(p, "first", PARAMETER_FAN_IN, PREDICTOR_INPUTS, c->wide, true);
    net->second = add_linear(p, "second", PARAMETER_FAN_IN, c->wide, c->narrow, true);
    net->out = add_linear(p, "out", PARAMETER_ZERO, c->narrow, PREDICTOR_OUTPUTS, true);
}

static void add_convolution(PredictorNet *net)
{
    const PredictorConfig *c = &net->config;
    Parameters *p = net->parameters;
    net->in = add_linear(p, "in", PARAMETER_FAN_IN, PREDICTOR_INPUTS, c->hidden, true);
    for (size_t i = 0; i < PREDICTOR_LAYERS; i++) {
        char name[64];
        snprintf(name, sizeof name, "layers.%zu.in", i);
        net->layer[i] = add_linear(p, name, PARAMETER_FAN_IN, 2 * c->hidden, c->hidden, true);
        snprintf(name, sizeof name, "layers.%zu.out", i);
        net->back[i] = add_linear(p, name, PARAMETER_ZERO, c->hidden, c->hidden, true);
    }
    net->biases = add_linear(p, "biases", PARAMETER_FAN_IN, PREDICTOR_TOLD,
                             PREDICTOR_LAYERS * c->hidden, false);
    net->first = add_linear(p, "first", PARAMETER_FAN_IN, c->hidden, c->wide, true);
    net->out = add_linear(p, "out", PARAMETER_ZERO, c->wide, PREDICTOR_OUTPUTS, true);
}

PredictorNet *predictor_net_create(const PredictorConfig *config, Error *err)
{
    if (check_config(config, err))
        return NULL;
    PredictorNet *net = calloc(1, sizeof *net);
    if (!net || !(net->parameters = parameters_create(NULL))) {
        free(net);
        error_set(err, "out of memory for a predictor");
        return NULL;
    }
    net->config = *config;
    net->told1 = add_linear(net->parameters, "told.0", PARAMETER_FAN_IN, PREDICTOR_CONDITION,
                            PREDICTOR_TOLD, true);
    net->told2 = add_linear(net->parameters, "told.1", PARAMETER_FAN_IN, PREDICTOR_TOLD,
                            PREDICTOR_TOLD, true);
    if (config->structure == PREDICTOR_RECURRENT)
        add_recurrent(net);
    else
        add_convolution(net);
    if (parameters_ok(net->parameters, err)) {
        predictor_net_destroy(net);
        return NULL;
    }
    return net;
}

void predictor_net_destroy(PredictorNet *net)
{
    if (!net)
        return;
    parameters_destroy(net->parameters);
    free(net);
}

const PredictorConfig *predictor_net_config(const PredictorNet *net)
{
    return &net->config;
}

const Parameters *predictor_net_parameters(const PredictorNet *net)
{
    return net->parameters;
}

double predictor_net_cost(const PredictorNet *net)
{
    const PredictorConfig *c = &net->config;
    const double inputs = PREDICTOR_INPUTS, told = PREDICTOR_TOLD, outputs = PREDICTOR_OUTPUTS;
    const double hidden = (double)c->hidden, wide = (double)c->wide, narrow = (double)c->narrow;
    const double condition = told * (told + PREDICTOR_CONDITION);
    if (c->structure == PREDICTOR_RECURRENT)
        return (condition + told * wide) / PREDICTOR_FRAME +
               hidden * (3.0 * (inputs + told + hidden) + wide) / PREDICTOR_SUBFRAME +
               wide * (inputs + narrow) + narrow * outputs;
    return (condition + told * PREDICTOR_LAYERS * hidden) / PREDICTOR_FRAME + inputs * hidden +
           PREDICTOR_LAYERS * 3.0 * hidden * hidden + hidden * wide + wide * outputs;
}

/* Hands out `n` values of the pass's memory; with no memory yet it only counts. */
static real *take(PredictorPass *pass, size_t *used, size_t n)
{
    real *at = pass->memory ? pass->memory + *used : NULL;
    *used += (n + 15) & ~(size_t)15;
    return at;
}

static void lay_out_recurrent(PredictorPass *pass, size_t *used)
{
    const PredictorConfig *c = &pass->net->config;
    const size_t states = pass->subframes * pass->lanes, frames = pass->lanes * pass->frames;
    const size_t in = PREDICTOR_INPUTS + PREDICTOR_TOLD;
    pass->x = take(pass, used, states * in);
    pass->dx = take(pass, used, states * in);
    pass->h = take(pass, used, (states + pass->lanes) * c->hidden);
    pass->dh = take(pass, used, states * c->hidden);
    pass->gates = take(pass, used, states * 3 * c->hidden);
    pass->recurrent = take(pass, used, states * 3 * c->hidden);
    pass->from_state = take(pass, used, states * c->wide);
    pass->dfrom_state = take(pass, used, states * c->wide);
    pass->notice = take(pass, used, frames * c->wide);
    pass->dnotice = take(pass, used, frames * c->wide);
    real **const wide[3] = {&pass->first, &pass->first_active, &pass->dfirst};
    real **const narrow[3] = {&pass->second, &pass->second_active, &pass->dsecond};
    for (int i = 0; i < 3; i++) {
        *wide[i] = take(pass, used, pass->rows * c->wide);
        *narrow[i] = take(pass, used, pass->rows * c->narrow);
    }
}

static void lay_out_convolution(PredictorPass *pass, size_t *used)
{
    const PredictorConfig *c = &pass->net->config;
    const size_t size = pass->rows * c->hidden;
    const size_t biases = pass->lanes * pass->frames * PREDICTOR_LAYERS * c->hidden;
    for (size_t i = 0; i < PREDICTOR_LAYERS; i++) {
        pass->layer[i].columns = take(pass, used, 2 * size);
        pass->layer[i].inner = take(pass, used, size);
        pass->layer[i].active = take(pass, used, size);
    }
    real **const trunks[5] = {&pass->trunk, &pass->trunk_active, &pass->dtrunk, &pass->dinner,
                              &pass->part};
    for (int i = 0; i < 5; i++)
        *trunks[i] = take(pass, used, size);
    pass->dcolumns = take(pass, used, 2 * size);
    pass->biases = take(pass, used, biases);
    pass->dbiases = take(pass, used, biases);
    pass->first = take(pass, used, pass->rows * c->wide);
    pass->first_active = take(pass, used, pass->rows * c->wide);
    pass->dfirst = take(pass, used, pass->rows * c->wide);
}

/* Divides the memory; returns how many values it takes. */
static size_t lay_out(PredictorPass *pass)
{
    size_t used = 0;
    real **const told[6] = {&pass->told1, &pass->told1_active, &pass->told2,
                            &pass->told,  &pass->dtold,        &pass->dtold1};
    for (int i = 0; i < 6; i++)
        *told[i] = take(pass, &used, pass->lanes * pass->frames * PREDICTOR_TOLD);
    if (pass->net->config.structure == PREDICTOR_RECURRENT)
        lay_out_recurrent(pass, &used);
    else
        lay_out_convolution(pass, &used);
    return used;
}

PredictorPass *predictor_pass_create(const PredictorNet *net, size_t lanes, size_t samples,
                                     Error *err)
{
    PredictorPass *pass = calloc(1, sizeof *pass);
    if (pass) {
        pass->net = net;
        pass->lanes = lanes;
        pass->samples = samples;
        pass->rows = lanes * samples;
        pass->frames = samples / PREDICTOR_FRAME;
        pass->subframes = samples / PREDICTOR_SUBFRAME;
        pass->memory = calloc(lay_out(pass), sizeof *pass->memory);
    }
    if (!pass || !pass->memory) {
        free(pass);
        error_set(err, "out of memory for a predictor at %zu samples", lanes * samples);
        return NULL;
    }
    lay_out(pass);
    return pass;
}

void predictor_pass_destroy(PredictorPass *pass)
{
    if (!pass)
        return;
    free(pass->memory);
    free(pass);
}

void predictor_linear(const PredictorLinear *layer, size_t rows, const real *weights, const real *x,
                      real *y)
{
    linear_forward(rows, layer->in, layer->out, x, weights + layer->w,
                   layer->b == SIZE_MAX ? NULL : weights + layer->b, y);
}

void predictor_linear_back(const PredictorLinear *layer, size_t rows, const real *weights,
                           const real *x, const real *dy, real *dx, real *gradients)
{
    linear_backward(rows, layer->in, layer->out, x, weights + layer->w, dy, dx,
                    gradients + layer->w, layer->b == SIZE_MAX ? NULL : gradients + layer->b);
}

void predictor_forward(PredictorPass *pass, const real *weights, const PredictorBatch *batch,
                       real *out)
{
    const PredictorNet *net = pass->net;
    const size_t rows = pass->lanes * pass->frames, size = rows * PREDICTOR_TOLD;
    predictor_linear(&net->told1, rows, weights, batch->condition, pass->told1);
    silu_forward(size, pass->told1, pass->told1_active);
    predictor_linear(&net->told2, rows, weights, pass->told1_active, pass->told2);
    silu_forward(size, pass->told2, pass->told);
    if (net->config.structure == PREDICTOR_RECURRENT)
        predictor_recurrent_forward(pass, weights, batch, out);
    else
        predictor_convolution_forward(pass, weights, batch, out);
}

void predictor_backward(PredictorPass *pass, const real *weights, const PredictorBatch *batch,
                        const real *dout, real *gradients)
{
    const PredictorNet *net = pass->net;
    const size_t rows = pass->lanes * pass->frames, size = rows * PREDICTOR_TOLD;
    if (net->config.structure == PREDICTOR_RECURRENT)
        predictor_recurrent_backward(pass, weights, batch, dout, gradients);
    else
        predictor_convolution_backward(pass, weights, batch, dout, gradients);
    silu_backward(size, pass->told2, pass->dtold, pass->dtold);
    predictor_linear_back(&net->told2, rows, weights, pass->told1_active, pass->dtold, pass->dtold1,
                          gradients);
    silu_backward(size, pass->told1, pass->dtold1, pass->dtold1);
    predictor_linear_back(&net->told1, rows, weights, batch->condition, pass->dtold1, NULL,
                          gradients);
}
