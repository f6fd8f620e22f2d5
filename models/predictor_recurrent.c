#include "models/predictor_network.h"

#include "models/layers.h"

#include <string.h>

static GruSize gru_size(const PredictorPass *pass)
{
    return (GruSize){pass->subframes, pass->lanes, PREDICTOR_INPUTS + PREDICTOR_TOLD,
                     pass->net->config.hidden};
}

static GruWeights gru_weights(const PredictorNet *net, const real *weights)
{
    return (GruWeights){weights + net->gru_w, weights + net->gru_u, weights + net->gru_b,
                        weights + net->gru_c};
}

/* What the GRU hears at the start of each subframe: the inputs of its first sample, and what is
 * told for the frame. */
static void listen(PredictorPass *pass, const PredictorBatch *batch)
{
    real *x = pass->x;
    for (size_t s = 0; s < pass->subframes; s++)
        for (size_t l = 0; l < pass->lanes; l++) {
            const size_t row = l * pass->samples + s * PREDICTOR_SUBFRAME;
            const size_t frame = l * pass->frames + s / PREDICTOR_SUBFRAMES;
            memcpy(x, batch->inputs + row * PREDICTOR_INPUTS, PREDICTOR_INPUTS * sizeof *x);
            x += PREDICTOR_INPUTS;
            memcpy(x, pass->told + frame * PREDICTOR_TOLD, PREDICTOR_TOLD * sizeof *x);
            x += PREDICTOR_TOLD;
        }
}

/* What each sample's first layer gets from the slower ones. */
static void spread(PredictorPass *pass, const real *phase)
{
    const size_t wide = pass->net->config.wide;
    for (size_t l = 0; l < pass->lanes; l++)
        for (size_t t = 0; t < pass->samples; t++) {
            real *at = pass->first + (l * pass->samples + t) * wide;
            const size_t s = t / PREDICTOR_SUBFRAME;
            accumulate(wide, pass->from_state + (s * pass->lanes + l) * wide, at);
            accumulate(wide, pass->notice + (l * pass->frames + t / PREDICTOR_FRAME) * wide, at);
            accumulate(wide, phase + t % PREDICTOR_SUBFRAME * wide, at);
        }
}

/* And back. */
static void gather(PredictorPass *pass, real *dphase)
{
    const size_t wide = pass->net->config.wide;
    memset(pass->dfrom_state, 0, pass->subframes * pass->lanes * wide * sizeof(real));
    memset(pass->dnotice, 0, pass->frames * pass->lanes * wide * sizeof(real));
    for (size_t l = 0; l < pass->lanes; l++)
        for (size_t t = 0; t < pass->samples; t++) {
            const real *at = pass->dfirst + (l * pass->samples + t) * wide;
            const size_t s = t / PREDICTOR_SUBFRAME;
            accumulate(wide, at, pass->dfrom_state + (s * pass->lanes + l) * wide);
            accumulate(wide, at, dphase + t % PREDICTOR_SUBFRAME * wide);
        }
    for (size_t l = 0; l < pass->lanes; l++)
        for (size_t s = 0; s < pass->subframes; s++)
            accumulate(wide, pass->dfrom_state + (s * pass->lanes + l) * wide,
                       pass->dnotice + (l * pass->frames + s / PREDICTOR_SUBFRAMES) * wide);
}

void predictor_recurrent_forward(PredictorPass *pass, const real *weights,
                                 const PredictorBatch *batch, real *out)
{
    const PredictorNet *net = pass->net;
    const PredictorConfig *c = &net->config;
    const GruSize size = gru_size(pass);
    const GruWeights gru = gru_weights(net, weights);
    const size_t states = pass->subframes * pass->lanes;
    listen(pass, batch);
    memset(pass->h, 0, pass->lanes * c->hidden * sizeof(real));
    gru_forward(&size, &gru, pass->x, pass->h, pass->gates, pass->recurrent);
    predictor_linear(&net->state, states, weights, pass->h + pass->lanes * c->hidden,
                     pass->from_state);
    predictor_linear(&net->notice, pass->lanes * pass->frames, weights, pass->told, pass->notice);
    predictor_linear(&net->first, pass->rows, weights, batch->inputs, pass->first);
    spread(pass, weights + net->phase);
    silu_forward(pass->rows * c->wide, pass->first, pass->first_active);
    predictor_linear(&net->second, pass->rows, weights, pass->first_active, pass->second);
    silu_forward(pass->rows * c->narrow, pass->second, pass->second_active);
    predictor_linear(&net->out, pass->rows, weights, pass->second_active, out);
}

/* dx of the GRU: its last PREDICTOR_TOLD columns belong to what was told. */
static void add_told(PredictorPass *pass)
{
    const size_t in = PREDICTOR_INPUTS + PREDICTOR_TOLD;
    for (size_t s = 0; s < pass->subframes; s++)
        for (size_t l = 0; l < pass->lanes; l++) {
            const size_t frame = l * pass->frames + s / PREDICTOR_SUBFRAMES;
            accumulate(PREDICTOR_TOLD, pass->dx + (s * pass->lanes + l) * in + PREDICTOR_INPUTS,
                       pass->dtold + frame * PREDICTOR_TOLD);
        }
}

void predictor_recurrent_backward(PredictorPass *pass, const real *weights,
                                  const PredictorBatch *batch, const real *dout, real *gradients)
{
    const PredictorNet *net = pass->net;
    const PredictorConfig *c = &net->config;
    const GruSize size = gru_size(pass);
    const GruWeights gru = gru_weights(net, weights);
    GruGradients dgru = {gradients + net->gru_w, gradients + net->gru_u, gradients + net->gru_b,
                         gradients + net->gru_c};
    const size_t states = pass->subframes * pass->lanes;
    predictor_linear_back(&net->out, pass->rows, weights, pass->second_active, dout, pass->dsecond,
                          gradients);
    silu_backward(pass->rows * c->narrow, pass->second, pass->dsecond, pass->dsecond);
    predictor_linear_back(&net->second, pass->rows, weights, pass->first_active, pass->dsecond,
                          pass->dfirst, gradients);
    silu_backward(pass->rows * c->wide, pass->first, pass->dfirst, pass->dfirst);
    predictor_linear_back(&net->first, pass->rows, weights, batch->inputs, pass->dfirst, NULL,
                          gradients);
    gather(pass, gradients + net->phase);
    predictor_linear_back(&net->notice, pass->lanes * pass->frames, weights, pass->told,
                          pass->dnotice, pass->dtold, gradients);
    predictor_linear_back(&net->state, states, weights, pass->h + pass->lanes * c->hidden,
                          pass->dfrom_state, pass->dh, gradients);
    gru_backward(&size, &gru, pass->x, pass->h, pass->gates, pass->recurrent, pass->dh, pass->dx,
                 &dgru);
    add_told(pass);
}
