#include "models/predictor.h"

#include "models/predictor_step.h"

#include "dsp/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The past lies in one piece; when it has grown to SPAN it is moved to the front. */
enum { SPAN = 8 * PREDICTOR_REACH, AFTER = PREDICTOR_FRAME + PREDICTOR_AHEAD + 1 };
static const float STEPS = 32768.0f, FARTHEST = 8.0f;

/* A frame has strayed when its distance from the anchor has more than these times the planned
 * power, or what the planned autoregression does not foretell of it. */
static const double STRAYED = 6.0, SURPRISED = 10.0, LOGISTIC = 0.5513289;

struct Predictor {
    PredictorSteps *steps;
};

/* What a copy copies. */
typedef struct History {
    uint64_t samples, recoveries;
    size_t at; /* of the next sample */
    float x[SPAN + AFTER], error[SPAN + AFTER], anchor[SPAN + AFTER];
} History;

struct PredictorState {
    const Predictor *predictor;
    Cascade *cascade; /* or NULL */
    History history;
    float memory[]; /* the network's */
};

Predictor *predictor_create(const PredictorNet *net, const real *weights, Error *err)
{
    Predictor *predictor = calloc(1, sizeof *predictor);
    if (!predictor) {
        error_set(err, "out of memory for a predictor");
        return NULL;
    }
    predictor->steps = predictor_steps_create(net, weights, err);
    if (!predictor->steps) {
        free(predictor);
        return NULL;
    }
    return predictor;
}

void predictor_destroy(Predictor *predictor)
{
    if (!predictor)
        return;
    predictor_steps_destroy(predictor->steps);
    free(predictor);
}

static size_t memory_of(const Predictor *predictor)
{
    return predictor_steps_memory(predictor->steps) * sizeof(float);
}

PredictorState *predictor_state_create(const Predictor *predictor, bool unplanned, Error *err)
{
    PredictorState *state = calloc(1, sizeof *state + memory_of(predictor));
    if (!state) {
        error_set(err, "out of memory for a predictor's state");
        return NULL;
    }
    state->predictor = predictor;
    if (unplanned && !(state->cascade = cascade_create(err))) {
        free(state);
        return NULL;
    }
    predictor_state_reset(state);
    return state;
}

void predictor_state_destroy(PredictorState *state)
{
    if (!state)
        return;
    cascade_destroy(state->cascade);
    free(state);
}

void predictor_state_reset(PredictorState *state)
{
    memset(&state->history, 0, sizeof state->history);
    memset(state->memory, 0, memory_of(state->predictor));
    state->history.at = PREDICTOR_REACH;
    if (state->cascade)
        cascade_reset(state->cascade);
}

void predictor_state_copy(PredictorState *to, const PredictorState *from)
{
    to->history = from->history;
    memcpy(to->memory, from->memory, memory_of(from->predictor));
}

uint64_t predictor_state_samples(const PredictorState *state)
{
    return state->history.samples;
}

uint64_t predictor_state_recoveries(const PredictorState *state)
{
    return state->history.recoveries;
}

/* Room for a frame after the past. */
static void make_room(History *history)
{
    const size_t kept = PREDICTOR_REACH;
    if (history->at + PREDICTOR_FRAME <= SPAN)
        return;
    float *const arrays[3] = {history->x, history->error, history->anchor};
    for (int i = 0; i < 3; i++)
        memmove(arrays[i], arrays[i] + history->at - kept, kept * sizeof(float));
    history->at = kept;
}

/* What one sample needs besides the state. */
typedef struct Moment {
    const PredictorFrame *frame;
    CascadePrediction past;
    PredictorHead head;
    real parameters[LOGISTIC_PARAMETERS];
} Moment;

/* The density of the next sample: moment->parameters. */
static void believe(PredictorState *state, Moment *moment)
{
    History *history = &state->history;
    const size_t at = history->at;
    const PredictorView view = {history->x + at, history->error + at, history->anchor + at,
                                &moment->past};
    real inputs[PREDICTOR_INPUTS], out[PREDICTOR_OUTPUTS];
    predictor_inputs_make(moment->frame, &view, inputs, &moment->head);
    predictor_steps_sample(state->predictor->steps, history->samples, inputs, state->memory, out);
    predictor_heads_forward(1, &moment->head, out, moment->parameters);
}

/* The next sample is x, in steps. */
static void accept(PredictorState *state, const Moment *moment, float x)
{
    History *history = &state->history;
    history->x[history->at] = x;
    history->error[history->at] = moment->frame->planned ? 0.0f : x - moment->past.base;
    history->at++;
    history->samples++;
}

/* Room, the anchor, and what the network is told of the frame. */
static void begin_frame(PredictorState *state, const float *anchor, const PredictorFrame *frame)
{
    History *history = &state->history;
    for (size_t i = 0; i < AFTER; i++)
        history->anchor[history->at + i] = anchor && isfinite(anchor[i]) ? anchor[i] * STEPS : 0.0f;
    predictor_steps_frame(state->predictor->steps, frame->condition, frame->period, state->memory);
}

static float bounded(float x, float middle, float most)
{
    return fmaxf(middle - most, fminf(middle + most, x));
}

/* What the plan alone would believe: noise of its autoregression. */
static void believe_plan(const PredictorHead *head, real *parameters)
{
    for (int i = 0; i < LOGISTICS; i++) {
        parameters[i] = 0;
        parameters[LOGISTICS + i] = head->base;
        parameters[2 * LOGISTICS + i] = (real)log((double)head->scale);
    }
}

/* Draws a frame's samples, by the network or (calm) by the plan alone. */
static void draw(PredictorState *state, const PredictorFrame *frame, const PredictorDice *dice,
                 bool calm)
{
    History *history = &state->history;
    Moment moment = {.frame = frame};
    for (size_t t = 0; t < PREDICTOR_FRAME; t++) {
        const uint64_t number = history->samples;
        believe(state, &moment);
        if (calm)
            believe_plan(&moment.head, moment.parameters);
        const double drawn =
            logistic_mixture_sample(moment.parameters, dice->temperature,
                                    random_uniform(dice->seed, dice->stream, 2 * number),
                                    random_uniform(dice->seed, dice->stream, 2 * number + 1));
        const float anchor = history->anchor[history->at];
        const float near =
            bounded(isfinite(drawn) ? (float)drawn : anchor, anchor, FARTHEST * frame->noise);
        accept(state, &moment, bounded(near, 0.0f, STEPS - 1.0f));
    }
}

/* What a frame's distances from the anchor, and PREDICTOR_TAPS before it, amount to: their energy,
 * and that of what the planned autoregression does not foretell of them. */
KERNEL static void judge(const float *restrict difference, const float *restrict coefficients,
                         float *restrict foretold, double *away, double *surprise)
{
    for (size_t t = 0; t < PREDICTOR_FRAME; t++)
        foretold[t] = 0.0f;
    for (size_t k = 0; k < PREDICTOR_TAPS; k++)
        for (size_t t = 0; t < PREDICTOR_FRAME; t++)
            foretold[t] += coefficients[k] * difference[PREDICTOR_TAPS - 1 - k + t];
    for (size_t t = 0; t < PREDICTOR_FRAME; t++) {
        const double now = (double)difference[PREDICTOR_TAPS + t];
        const double left = now - (double)foretold[t];
        *away += now * now;
        *surprise += left * left;
    }
}

/* Whether the frame drawn last isn't what the plan says, in level or colour. */
static bool has_strayed(const History *history, const PredictorFrame *frame)
{
    const double scale = (double)frame->scale / LOGISTIC, noise = (double)frame->noise;
    const size_t first = history->at - PREDICTOR_FRAME - PREDICTOR_TAPS;
    float difference[PREDICTOR_TAPS + PREDICTOR_FRAME], foretold[PREDICTOR_FRAME];
    double away = 0.0, surprise = 0.0;
    for (size_t t = 0; t < PREDICTOR_TAPS + PREDICTOR_FRAME; t++)
        difference[t] = history->x[first + t] - history->anchor[first + t];
    judge(difference, frame->coefficients, foretold, &away, &surprise);
    return away > STRAYED * PREDICTOR_FRAME * noise * noise ||
           surprise > SURPRISED * PREDICTOR_FRAME * scale * scale;
}

void predictor_play(PredictorState *state, const PredictorPlan *plan, const PredictorDice *dice,
                    float *x)
{
    History *history = &state->history;
    const size_t kept = predictor_steps_kept(state->predictor->steps);
    float memory[PREDICTOR_KEPT];
    make_room(history);
    begin_frame(state, plan->anchor, &plan->frame);
    memcpy(memory, state->memory, kept * sizeof *memory);
    draw(state, &plan->frame, dice, false);
    if (has_strayed(history, &plan->frame)) {
        memcpy(state->memory, memory, kept * sizeof *memory);
        history->at -= PREDICTOR_FRAME;
        history->samples -= PREDICTOR_FRAME;
        history->recoveries++;
        draw(state, &plan->frame, dice, true);
    }
    for (size_t t = 0; t < PREDICTOR_FRAME; t++)
        x[t] = history->x[history->at - PREDICTOR_FRAME + t] / STEPS;
}

double predictor_hear(PredictorState *state, const PredictorPlan *plan, const float *x,
                      real *parameters)
{
    History *history = &state->history;
    PredictorFrame unplanned;
    Moment moment = {.frame = plan ? &plan->frame : &unplanned};
    double sum = 0.0;
    make_room(history);
    for (size_t t = 0; t < PREDICTOR_FRAME; t++) {
        const float steps = isfinite(x[t]) ? bounded(x[t] * STEPS, -0.5f, STEPS - 0.5f) : 0.0f;
        const real value = (real)rintf(steps);
        real nats;
        if (state->cascade) {
            CascadePrediction prediction;
            cascade_predict(state->cascade, &prediction);
            predictor_past_steps(&prediction, &moment.past);
        }
        if (t == 0 && !plan)
            predictor_frame_past(history->x + history->at, moment.past.period, &unplanned);
        if (t == 0)
            begin_frame(state, plan ? plan->anchor : NULL, moment.frame);
        believe(state, &moment);
        logistic_mixture_nats(1, &value, moment.parameters, &nats, NULL);
        sum += (double)nats;
        if (parameters)
            memcpy(parameters + t * LOGISTIC_PARAMETERS, moment.parameters,
                   sizeof moment.parameters);
        accept(state, &moment, plan ? steps : (float)value);
        if (state->cascade)
            cascade_push(state->cascade, (plan ? steps : (float)value) / STEPS);
    }
    return sum;
}
