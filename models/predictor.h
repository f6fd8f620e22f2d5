/* The sample tier at work: one sample after another, drawn from the density that the network gives
 * it (or given, and then only listened to and scored). The same arithmetic as training's, with
 * weights laid out for products with one vector.
 *
 * A Predictor is immutable and may be shared by threads; a state belongs to one at a time. Nothing
 * allocates but create. Memory is constant however long it runs. */
#ifndef BRUME_MODELS_PREDICTOR_H
#define BRUME_MODELS_PREDICTOR_H

#include "models/predictor_net.h"

#include <stdint.h>

typedef struct Predictor Predictor;
typedef struct PredictorState PredictorState;

/* Takes a copy of the weights (parameters_size,); net need not outlive it. */
Predictor *predictor_create(const PredictorNet *net, const real *weights, Error *err);
void predictor_destroy(Predictor *predictor);

/* `unplanned`: the state can also do without a plan; it then holds a cascade of adaptive
 * predictors, which takes most of the time. The predictor must outlive it. */
PredictorState *predictor_state_create(const Predictor *predictor, bool unplanned, Error *err);
void predictor_state_destroy(PredictorState *state);

/* Before the first sample. */
void predictor_state_reset(PredictorState *state);

/* to becomes what from is: states of one predictor, made without `unplanned`. This is how a place
 * is come back to. */
void predictor_state_copy(PredictorState *to, const PredictorState *from);

/* Samples heard or made so far. */
uint64_t predictor_state_samples(const PredictorState *state);

/* Frames that were done again, since the start: see predictor_play. */
uint64_t predictor_state_recoveries(const PredictorState *state);

/* The plan of the next frame of 64 samples. anchor (PREDICTOR_FRAME + PREDICTOR_AHEAD + 1,): the
 * frame's and what follows, full scale 1, as it will be given again then. */
typedef struct PredictorPlan {
    PredictorFrame frame; /* of predictor_frame_plan */
    const float *anchor;
} PredictorPlan;

/* How samples are drawn: number i of all (of the state) from random words of (seed, stream, i). */
typedef struct PredictorDice {
    uint64_t seed, stream;
    double temperature; /* 0..2; 1: as believed */
} PredictorDice;

/* Makes the next frame under `plan`: x (PREDICTOR_FRAME,), full scale 1, within +-1, always finite,
 * and within 8 times the planned noise (RMS) of the anchor. A frame that strays from the plan's
 * noise, by its level or its colour, is done again without the network: errors don't add up. */
void predictor_play(PredictorState *state, const PredictorPlan *plan, const PredictorDice *dice,
                    float *x);

/* Hears the next frame x (PREDICTOR_FRAME,), full scale 1, under `plan` or without one (NULL: the
 * state must be `unplanned`). Returns -ln of the probability of its samples rounded to 16 bits.
 * parameters (PREDICTOR_FRAME, LOGISTIC_PARAMETERS) gets the densities, unless NULL. */
double predictor_hear(PredictorState *state, const PredictorPlan *plan, const float *x,
                      real *parameters);

#endif
