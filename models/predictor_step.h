/* One step of the sample tier's networks, for the generator, with weights laid out for products
 * with one vector (models/step_layers.h). The recurrent network's are rounded to 7 bits when it is
 * made, and its activations to 8 when they are multiplied: the same bits on every processor, and
 * 0.002 bits a sample worse than single precision (tests/bench/MELODY.md). */
#ifndef BRUME_MODELS_PREDICTOR_STEP_H
#define BRUME_MODELS_PREDICTOR_STEP_H

#include "models/predictor_network.h"

typedef struct PredictorSteps PredictorSteps; /* immutable */

PredictorSteps *predictor_steps_create(const PredictorNet *net, const float *weights, Error *err);
void predictor_steps_destroy(PredictorSteps *steps);

/* Floats that a network's memory takes. All zero is its start. */
size_t predictor_steps_memory(const PredictorSteps *steps);

/* Of these, the first so many must be put back for a frame to be done again (the rest are then
 * written again); PREDICTOR_KEPT at most. */
enum { PREDICTOR_KEPT = PREDICTOR_TOLD + (PREDICTOR_LAYERS + 3) * PREDICTOR_WIDEST + 32 };
size_t predictor_steps_kept(const PredictorSteps *steps);

/* Begins a frame: what is told of it (PREDICTOR_CONDITION,) and its period. */
void predictor_steps_frame(const PredictorSteps *steps, const float *condition, size_t period,
                           float *memory);

/* Sample number `count` from the start: inputs (PREDICTOR_INPUTS,) -> out (PREDICTOR_OUTPUTS,). */
void predictor_steps_sample(const PredictorSteps *steps, uint64_t count, const float *inputs,
                            float *memory, float *out);

#endif
