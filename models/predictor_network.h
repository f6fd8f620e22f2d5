/* Inside of the sample tier's networks, for predictor_net.c, its two structures and the generator.
 */
#ifndef BRUME_MODELS_PREDICTOR_NETWORK_H
#define BRUME_MODELS_PREDICTOR_NETWORK_H

#include "models/gru.h"
#include "models/predictor_net.h"

/* A layer's places among the parameters. */
typedef struct PredictorLinear {
    size_t w, b, in, out;
} PredictorLinear;

struct PredictorNet {
    PredictorConfig config;
    Parameters *parameters;
    PredictorLinear told1, told2; /* the condition's embedding */
    /* Recurrent. */
    size_t gru_w, gru_u, gru_b, gru_c;
    PredictorLinear state;  /* GRU's state -> wide, no bias */
    PredictorLinear notice; /* embedded condition -> wide, no bias */
    PredictorLinear first, second;
    size_t phase; /* (PREDICTOR_SUBFRAME, wide): bias by place in the subframe */
    /* Convolution. */
    PredictorLinear in, layer[PREDICTOR_LAYERS], back[PREDICTOR_LAYERS];
    PredictorLinear biases; /* embedded condition -> PREDICTOR_LAYERS * channels, no bias */
    PredictorLinear out;
};

/* A pass's arrays. Not all are used by both structures. */
typedef struct PredictorLayerState {
    real *columns, *inner, *active; /* (rows, 2 channels), (rows, channels) twice */
} PredictorLayerState;

struct PredictorPass {
    const PredictorNet *net;
    size_t lanes, samples, rows, frames, subframes;
    real *told1, *told1_active, *told2, *told; /* (lanes * frames, PREDICTOR_TOLD) */
    real *dtold, *dtold1;
    /* Recurrent. */
    real *x, *h, *gates, *recurrent, *dh, *dx; /* time first */
    real *from_state, *dfrom_state;            /* (subframes, lanes, wide) */
    real *notice, *dnotice;                    /* (lanes * frames, wide) */
    real *first, *first_active, *second, *second_active, *dfirst, *dsecond;
    /* Convolution. */
    PredictorLayerState layer[PREDICTOR_LAYERS];
    real *trunk, *trunk_active, *dtrunk, *dcolumns, *dinner, *biases, *dbiases, *part;
    real *memory; /* the one allocation that all of these lie in */
};

/* Dilation of a layer, in samples, where the period is `period`. */
size_t predictor_dilation(size_t layer, size_t period);

void predictor_linear(const PredictorLinear *layer, size_t rows, const real *weights, const real *x,
                      real *y);
void predictor_linear_back(const PredictorLinear *layer, size_t rows, const real *weights,
                           const real *x, const real *dy, real *dx, real *gradients);

/* The structures: `told` is there, dtold is to be written. */
void predictor_recurrent_forward(PredictorPass *pass, const real *weights,
                                 const PredictorBatch *batch, real *out);
void predictor_recurrent_backward(PredictorPass *pass, const real *weights,
                                  const PredictorBatch *batch, const real *dout, real *gradients);
void predictor_convolution_forward(PredictorPass *pass, const real *weights,
                                   const PredictorBatch *batch, real *out);
void predictor_convolution_backward(PredictorPass *pass, const real *weights,
                                    const PredictorBatch *batch, const real *dout, real *gradients);

#endif
