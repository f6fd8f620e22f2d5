#include "models/predictor_network.h"

#include "models/layers.h"

#include <string.h>

/* columns: x now, and one dilation before, which is zero before a lane begins. */
static void gather(const PredictorPass *pass, const PredictorBatch *batch, size_t layer)
{
    const size_t c = pass->net->config.hidden, bytes = c * sizeof(real);
    for (size_t l = 0; l < pass->lanes; l++)
        for (size_t t = 0; t < pass->samples; t++) {
            const size_t row = l * pass->samples + t;
            const size_t frame = l * pass->frames + t / PREDICTOR_FRAME;
            const size_t dilation = predictor_dilation(layer, batch->period[frame]);
            real *column = pass->layer[layer].columns + row * 2 * c;
            memcpy(column, pass->trunk + row * c, bytes);
            if (t >= dilation)
                memcpy(column + c, pass->trunk + (row - dilation) * c, bytes);
            else
                memset(column + c, 0, bytes);
        }
}

static void scatter(PredictorPass *pass, const PredictorBatch *batch, size_t layer)
{
    const size_t c = pass->net->config.hidden;
    for (size_t l = 0; l < pass->lanes; l++)
        for (size_t t = 0; t < pass->samples; t++) {
            const size_t row = l * pass->samples + t;
            const size_t frame = l * pass->frames + t / PREDICTOR_FRAME;
            const size_t dilation = predictor_dilation(layer, batch->period[frame]);
            const real *column = pass->dcolumns + row * 2 * c;
            accumulate(c, column, pass->dtrunk + row * c);
            if (t >= dilation)
                accumulate(c, column + c, pass->dtrunk + (row - dilation) * c);
        }
}

static void layer_forward(PredictorPass *pass, const real *weights, const PredictorBatch *batch,
                          size_t layer)
{
    const PredictorNet *net = pass->net;
    const PredictorLayerState *state = &pass->layer[layer];
    const size_t c = net->config.hidden, stride = PREDICTOR_LAYERS * c;
    gather(pass, batch, layer);
    predictor_linear(&net->layer[layer], pass->rows, weights, state->columns, state->inner);
    for (size_t row = 0; row < pass->rows; row++)
        accumulate(c, pass->biases + row / PREDICTOR_FRAME * stride + layer * c,
                   state->inner + row * c);
    silu_forward(pass->rows * c, state->inner, state->active);
    predictor_linear(&net->back[layer], pass->rows, weights, state->active, pass->part);
    accumulate(pass->rows * c, pass->part, pass->trunk);
}

void predictor_convolution_forward(PredictorPass *pass, const real *weights,
                                   const PredictorBatch *batch, real *out)
{
    const PredictorNet *net = pass->net;
    const PredictorConfig *c = &net->config;
    predictor_linear(&net->biases, pass->lanes * pass->frames, weights, pass->told, pass->biases);
    predictor_linear(&net->in, pass->rows, weights, batch->inputs, pass->trunk);
    for (size_t i = 0; i < PREDICTOR_LAYERS; i++)
        layer_forward(pass, weights, batch, i);
    silu_forward(pass->rows * c->hidden, pass->trunk, pass->trunk_active);
    predictor_linear(&net->first, pass->rows, weights, pass->trunk_active, pass->first);
    silu_forward(pass->rows * c->wide, pass->first, pass->first_active);
    predictor_linear(&net->out, pass->rows, weights, pass->first_active, out);
}

static void layer_backward(PredictorPass *pass, const real *weights, const PredictorBatch *batch,
                           size_t layer, real *gradients)
{
    const PredictorNet *net = pass->net;
    const PredictorLayerState *state = &pass->layer[layer];
    const size_t c = net->config.hidden, stride = PREDICTOR_LAYERS * c;
    predictor_linear_back(&net->back[layer], pass->rows, weights, state->active, pass->dtrunk,
                          pass->dinner, gradients);
    silu_backward(pass->rows * c, state->inner, pass->dinner, pass->dinner);
    for (size_t row = 0; row < pass->rows; row++)
        accumulate(c, pass->dinner + row * c,
                   pass->dbiases + row / PREDICTOR_FRAME * stride + layer * c);
    predictor_linear_back(&net->layer[layer], pass->rows, weights, state->columns, pass->dinner,
                          pass->dcolumns, gradients);
    scatter(pass, batch, layer);
}

void predictor_convolution_backward(PredictorPass *pass, const real *weights,
                                    const PredictorBatch *batch, const real *dout, real *gradients)
{
    const PredictorNet *net = pass->net;
    const PredictorConfig *c = &net->config;
    const size_t frames = pass->lanes * pass->frames;
    memset(pass->dbiases, 0, frames * PREDICTOR_LAYERS * c->hidden * sizeof(real));
    predictor_linear_back(&net->out, pass->rows, weights, pass->first_active, dout, pass->dfirst,
                          gradients);
    silu_backward(pass->rows * c->wide, pass->first, pass->dfirst, pass->dfirst);
    predictor_linear_back(&net->first, pass->rows, weights, pass->trunk_active, pass->dfirst,
                          pass->dtrunk, gradients);
    silu_backward(pass->rows * c->hidden, pass->trunk, pass->dtrunk, pass->dtrunk);
    for (size_t i = PREDICTOR_LAYERS; i-- > 0;)
        layer_backward(pass, weights, batch, i, gradients);
    predictor_linear_back(&net->in, pass->rows, weights, batch->inputs, pass->dtrunk, NULL,
                          gradients);
    predictor_linear_back(&net->biases, frames, weights, pass->told, pass->dbiases, pass->dtold,
                          gradients);
}
