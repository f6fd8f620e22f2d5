/* The networks of the sample tier: what is known before a sample -> what is believed about it.
 *
 * Two structures with the same inputs and outputs:
 *  - recurrent: a GRU that steps once in PREDICTOR_SUBFRAME samples, and a small MLP for each
 * sample that sees the GRU's state and the newest inputs (after WaveRNN, Kalchbrenner et al. 2018,
 * and LPCNet, Valin & Skoglund 2019);
 *  - convolution: ten residual layers of causal, dilated convolutions, the first and last at the
 *    distance of a period (after WaveNet, van den Oord et al. 2016, and Quasi-Periodic WaveNet, Wu
 *    et al. 2019).
 *
 * Time is in frames of PREDICTOR_FRAME samples, each with a condition vector and a period. Rows are
 * samples, lane after lane: rows = lanes * samples. */
#ifndef BRUME_MODELS_PREDICTOR_NET_H
#define BRUME_MODELS_PREDICTOR_NET_H

#include "dsp/error.h"
#include "models/parameters.h"
#include "models/predictor_inputs.h"
#include "models/real.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    PREDICTOR_FRAME = 64,
    PREDICTOR_SUBFRAME = 16,
    PREDICTOR_SUBFRAMES = PREDICTOR_FRAME / PREDICTOR_SUBFRAME,
    PREDICTOR_TOLD = 64, /* width of the condition once embedded */
    PREDICTOR_LAYERS = 10,
    PREDICTOR_PERIOD = 512, /* longest period, samples */
    PREDICTOR_WIDEST = 512  /* of any layer */
};

typedef enum { PREDICTOR_RECURRENT, PREDICTOR_CONVOLUTION } PredictorStructure;

/* All 8..PREDICTOR_WIDEST. */
typedef struct PredictorConfig {
    PredictorStructure structure;
    size_t hidden; /* units of the GRU, or channels of the convolutions */
    size_t wide;   /* first layer of the MLP, or of the convolutions' head */
    size_t narrow; /* second layer of the MLP; no use for convolutions */
} PredictorConfig;

/* 192 units, 128, 96; or 48 channels, 64. */
PredictorConfig predictor_config_default(PredictorStructure structure);

/* What one call treats; samples is a multiple of PREDICTOR_FRAME. */
typedef struct PredictorBatch {
    size_t lanes, samples;
    const real *inputs;    /* (rows, PREDICTOR_INPUTS) */
    const real *condition; /* (lanes * frames, PREDICTOR_CONDITION) */
    const size_t *period;  /* (lanes * frames,): 1..PREDICTOR_PERIOD */
} PredictorBatch;

typedef struct PredictorNet PredictorNet;   /* shape and parameter layout; immutable */
typedef struct PredictorPass PredictorPass; /* working space of one thread */

/* NULL with a message when the shape is out of range or memory runs out. */
PredictorNet *predictor_net_create(const PredictorConfig *config, Error *err);
void predictor_net_destroy(PredictorNet *net);
const PredictorConfig *predictor_net_config(const PredictorNet *net);
const Parameters *predictor_net_parameters(const PredictorNet *net);

/* Multiply-adds of one sample. */
double predictor_net_cost(const PredictorNet *net);

/* Space for `lanes` lanes of `samples` samples, with what the way back needs. The net must outlive
 * it. One thread at a time. */
PredictorPass *predictor_pass_create(const PredictorNet *net, size_t lanes, size_t samples,
                                     Error *err);
void predictor_pass_destroy(PredictorPass *pass);

/* batch (of the pass's size) -> out (rows, PREDICTOR_OUTPUTS), from empty states. weights
 * (parameters_size,). */
void predictor_forward(PredictorPass *pass, const real *weights, const PredictorBatch *batch,
                       real *out);

/* After predictor_forward with the same weights and batch: dout -> ADDS to gradients
 * (parameters_size,). Once for each forward. */
void predictor_backward(PredictorPass *pass, const real *weights, const PredictorBatch *batch,
                        const real *dout, real *gradients);

#endif
