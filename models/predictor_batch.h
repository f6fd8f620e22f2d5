/* Windows of clips as the sample tier's network is trained on them: drawn, shown with a plan or
 * without, with errors in the history that it is shown, and scored. */
#ifndef BRUME_MODELS_PREDICTOR_BATCH_H
#define BRUME_MODELS_PREDICTOR_BATCH_H

#include "models/predictor_clip.h"
#include "models/predictor_net.h"

#include <stdint.h>

/* What is to be drawn: a pure function of these. */
typedef struct PredictorDraw {
    uint64_t seed, step;
    double planned; /* share of lanes with a plan (of clips that have one), 0..1 */
    double errors;  /* share of those whose history has errors put in, 0..1 */
} PredictorDraw;

/* Nats and samples of lanes without and with a plan. */
typedef struct PredictorLoss {
    double nats[2], samples[2];
} PredictorLoss;

typedef struct PredictorBatchMaker PredictorBatchMaker;

/* For `lanes` windows of `samples` samples (a multiple of PREDICTOR_FRAME) each. */
PredictorBatchMaker *predictor_batch_create(const PredictorNet *net, size_t lanes, size_t samples,
                                            Error *err);
void predictor_batch_destroy(PredictorBatchMaker *maker);

/* Draws the windows; clips (count,), count at least 1. Windows in clips shorter than one are filled
 * with silence before them. */
void predictor_batch_draw(PredictorBatchMaker *maker, const PredictorClip *clips, size_t count,
                          const PredictorDraw *draw);

/* Scores the windows drawn last, and ADDS the gradient of the mean nats a sample to gradients
 * (parameters_size,) unless NULL. */
PredictorLoss predictor_batch_loss(PredictorBatchMaker *maker, const real *weights,
                                   real *gradients);

#endif
