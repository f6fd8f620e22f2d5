#include "models/predictor_step.h"

#include "models/layers.h"
#include "models/step_layers.h"

#include <stdlib.h>
#include <string.h>

enum { RING = 1024 };

/* The inputs' sizes are bounded (models/predictor_inputs.c), and a state's by how it is made. */
static const float INPUT_MOST = 8.0f, STATE_MOST = 1.0f;

struct PredictorSteps {
    PredictorConfig config;
    StepLayer told1, told2;
    /* Recurrent: whole numbers. The last columns of the GRU's input weights are of what is told. */
    IntegerProduct *multiply;
    StepWhole gru_told, gru_input, gru_state, state, notice, first, second, out;
    const float *gru_bias, *gru_c, *none, *first_bias, *second_bias, *out_bias, *phase;
    /* Convolution: single precision. */
    StepLayer in, biases, head, answer, layer[PREDICTOR_LAYERS], back[PREDICTOR_LAYERS];
    size_t ring, size; /* places in the memory */
    float *values;     /* the one allocation that all weights lie in */
};

/* Places in the recurrent network's memory: what the GRU and the first layer get from what was
 * told, what the first layer gets from the state besides, and the state. */
typedef struct RecurrentMemory {
    float gru[STEP_OUTPUTS], told[PREDICTOR_WIDEST], base[PREDICTOR_WIDEST],
        state[PREDICTOR_WIDEST];
} RecurrentMemory;

static StepLayer lay(StepBuilder *builder, const PredictorLinear *linear)
{
    return step_lay(builder, linear->w, linear->b, linear->in, linear->out);
}

static StepWhole lay_whole(StepBuilder *builder, const PredictorLinear *linear)
{
    return step_lay_whole(builder, linear->w, linear->in, linear->in, linear->out);
}

static void build_recurrent(PredictorSteps *steps, const PredictorNet *net, StepBuilder *builder)
{
    const PredictorConfig *c = &net->config;
    const size_t in = PREDICTOR_INPUTS + PREDICTOR_TOLD, gates = 3 * c->hidden;
    steps->gru_input = step_lay_whole(builder, net->gru_w, in, PREDICTOR_INPUTS, gates);
    steps->gru_told =
        step_lay_whole(builder, net->gru_w + PREDICTOR_INPUTS, in, PREDICTOR_TOLD, gates);
    steps->gru_state = step_lay_whole(builder, net->gru_u, c->hidden, c->hidden, gates);
    steps->gru_bias = step_lay_values(builder, net->gru_b, 1, gates);
    steps->gru_c = step_lay_values(builder, net->gru_c, 1, c->hidden);
    steps->none = step_take(builder, gates);
    steps->state = lay_whole(builder, &net->state);
    steps->notice = lay_whole(builder, &net->notice);
    steps->phase = step_lay_values(builder, net->phase, PREDICTOR_SUBFRAME, c->wide);
    steps->first = lay_whole(builder, &net->first);
    steps->first_bias = step_lay_values(builder, net->first.b, 1, c->wide);
    steps->second = lay_whole(builder, &net->second);
    steps->second_bias = step_lay_values(builder, net->second.b, 1, c->narrow);
    steps->out = lay_whole(builder, &net->out);
    steps->out_bias = step_lay_values(builder, net->out.b, 1, PREDICTOR_OUTPUTS);
    steps->ring = steps->size = sizeof(RecurrentMemory) / sizeof(float);
}

static void build_convolution(PredictorSteps *steps, const PredictorNet *net, StepBuilder *builder)
{
    steps->in = lay(builder, &net->in);
    steps->biases = lay(builder, &net->biases);
    for (size_t i = 0; i < PREDICTOR_LAYERS; i++) {
        steps->layer[i] = lay(builder, &net->layer[i]);
        steps->back[i] = lay(builder, &net->back[i]);
    }
    steps->head = lay(builder, &net->first);
    steps->answer = lay(builder, &net->out);
    /* The layers' biases and the period; rings of the layers' inputs. */
    steps->ring = steps->biases.width + STEP_WIDTH;
    steps->size = steps->ring + (size_t)PREDICTOR_LAYERS * RING * net->config.hidden;
}

static void build(PredictorSteps *steps, const PredictorNet *net, StepBuilder *builder)
{
    steps->told1 = lay(builder, &net->told1);
    steps->told2 = lay(builder, &net->told2);
    if (net->config.structure == PREDICTOR_RECURRENT)
        build_recurrent(steps, net, builder);
    else
        build_convolution(steps, net, builder);
}

PredictorSteps *predictor_steps_create(const PredictorNet *net, const float *weights, Error *err)
{
    PredictorSteps *steps = calloc(1, sizeof *steps);
    StepBuilder builder = {NULL, 0, weights};
    if (steps) {
        steps->config = net->config;
        steps->multiply = integer_product_best();
        build(steps, net, &builder);
        if (posix_memalign((void **)&steps->values, 64, builder.used * sizeof(float)))
            steps->values = NULL;
    }
    if (!steps || !steps->values) {
        free(steps);
        error_set(err, "out of memory for a predictor");
        return NULL;
    }
    memset(steps->values, 0, builder.used * sizeof(float));
    builder = (StepBuilder){steps->values, 0, weights};
    build(steps, net, &builder);
    return steps;
}

void predictor_steps_destroy(PredictorSteps *steps)
{
    if (!steps)
        return;
    free(steps->values);
    free(steps);
}

size_t predictor_steps_memory(const PredictorSteps *steps)
{
    return steps->size;
}

size_t predictor_steps_kept(const PredictorSteps *steps)
{
    return steps->ring;
}

KERNEL static void sum(size_t n, const float *restrict a, const float *restrict b,
                       float *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

static void multiply(const PredictorSteps *steps, const StepWhole *layer, const StepVector *x,
                     const float *base, float *y)
{
    step_apply_whole(layer, steps->multiply, x, base, y);
}

void predictor_steps_frame(const PredictorSteps *steps, const float *condition, size_t period,
                           float *memory)
{
    float part[PREDICTOR_TOLD], told[PREDICTOR_TOLD];
    step_apply(&steps->told1, condition, part);
    silu_forward(PREDICTOR_TOLD, part, part);
    step_apply(&steps->told2, part, told);
    if (steps->config.structure == PREDICTOR_RECURRENT) {
        RecurrentMemory *here = (RecurrentMemory *)memory;
        StepVector whole;
        step_round_silu(PREDICTOR_TOLD, told, &whole);
        multiply(steps, &steps->gru_told, &whole, steps->gru_bias, here->gru);
        multiply(steps, &steps->notice, &whole, steps->first_bias, here->told);
        return;
    }
    silu_forward(PREDICTOR_TOLD, told, told);
    step_apply(&steps->biases, told, memory);
    memory[steps->biases.width] = (float)period;
}

/* The GRU's step, and what the first layer gets from its state. */
static void listen(const PredictorSteps *steps, const StepVector *inputs, RecurrentMemory *memory)
{
    const size_t hidden = steps->config.hidden, padded = steps->state.in;
    float from_x[STEP_OUTPUTS], from_h[STEP_OUTPUTS];
    StepVector h;
    multiply(steps, &steps->gru_input, inputs, memory->gru, from_x);
    step_round(padded, memory->state, STATE_MOST, &h);
    multiply(steps, &steps->gru_state, &h, steps->none, from_h);
    gru_cell(hidden, from_x, from_h, steps->gru_c, memory->state);
    step_round(padded, memory->state, STATE_MOST, &h);
    multiply(steps, &steps->state, &h, memory->told, memory->base);
}

static void recurrent_sample(const PredictorSteps *steps, uint64_t count, const float *inputs,
                             RecurrentMemory *memory, float *out)
{
    const size_t phase = (size_t)(count % PREDICTOR_SUBFRAME), wide = steps->first.width;
    float base[PREDICTOR_WIDEST], y[PREDICTOR_WIDEST];
    StepVector x;
    memcpy(y, inputs, PREDICTOR_INPUTS * sizeof *y);
    memset(y + PREDICTOR_INPUTS, 0, (steps->first.in - PREDICTOR_INPUTS) * sizeof *y);
    step_round(steps->first.in, y, INPUT_MOST, &x);
    if (phase == 0)
        listen(steps, &x, memory);
    sum(wide, memory->base, steps->phase + phase * wide, base);
    multiply(steps, &steps->first, &x, base, y);
    step_round_silu(wide, y, &x);
    multiply(steps, &steps->second, &x, steps->second_bias, y);
    step_round_silu(steps->second.width, y, &x);
    multiply(steps, &steps->out, &x, steps->out_bias, out);
}

static void convolution_sample(const PredictorSteps *steps, uint64_t count, const float *inputs,
                               float *memory, float *out)
{
    const size_t c = steps->config.hidden, now = (size_t)(count % RING);
    const size_t period = (size_t)memory[steps->biases.width];
    float trunk[PREDICTOR_WIDEST], column[2 * PREDICTOR_WIDEST], inner[PREDICTOR_WIDEST],
        first[PREDICTOR_WIDEST];
    step_apply(&steps->in, inputs, trunk);
    for (size_t i = 0; i < PREDICTOR_LAYERS; i++) {
        float *ring = memory + steps->ring + i * RING * c;
        const size_t before = (now + RING - predictor_dilation(i, period)) % RING;
        memcpy(column, trunk, c * sizeof *column);
        memcpy(column + c, ring + before * c, c * sizeof *column);
        memcpy(ring + now * c, trunk, c * sizeof *ring);
        step_apply(&steps->layer[i], column, inner);
        accumulate(c, memory + i * c, inner);
        silu_forward(c, inner, inner);
        step_product(&steps->back[i], inner, trunk);
        accumulate(c, steps->back[i].bias, trunk);
    }
    silu_forward(c, trunk, trunk);
    step_apply(&steps->head, trunk, first);
    silu_forward(steps->config.wide, first, first);
    step_apply(&steps->answer, first, out);
}

void predictor_steps_sample(const PredictorSteps *steps, uint64_t count, const float *inputs,
                            float *memory, float *out)
{
    float padded_out[PREDICTOR_OUTPUTS + STEP_WIDTH];
    if (steps->config.structure == PREDICTOR_RECURRENT)
        recurrent_sample(steps, count, inputs, (RecurrentMemory *)memory, padded_out);
    else
        convolution_sample(steps, count, inputs, memory, padded_out);
    memcpy(out, padded_out, PREDICTOR_OUTPUTS * sizeof *out);
}
