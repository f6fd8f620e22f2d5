#include "models/predictor_step.h"

#include "models/layers.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 16, RING = 1024 };

struct PredictorSteps {
    PredictorConfig config;
    StepLayer told1, told2, state, notice, first, second, out, in, biases;
    StepLayer gru_input, gru_state;
    StepLayer layer[PREDICTOR_LAYERS], back[PREDICTOR_LAYERS];
    const float *gru_c, *phase;
    size_t frame, notes, ring, size; /* places in the memory */
    float *values;                   /* the one allocation that all weights lie in */
};

static size_t padded(size_t n)
{
    return (n + WIDTH - 1) / WIDTH * WIDTH;
}

typedef struct Builder {
    float *values; /* NULL: only counts */
    size_t used;
    const float *weights;
} Builder;

static float *take(Builder *builder, size_t n)
{
    float *at = builder->values ? builder->values + builder->used : NULL;
    builder->used += padded(n);
    return at;
}

/* weights (out, in) at `w` and bias at `b` (SIZE_MAX: none), transposed. */
static StepLayer lay(Builder *builder, size_t w, size_t b, size_t in, size_t out)
{
    StepLayer layer = {.in = in, .out = out, .width = padded(out)};
    float *rows = take(builder, in * layer.width), *bias = take(builder, layer.width);
    layer.rows = rows;
    layer.bias = bias;
    for (size_t o = 0; rows && o < out; o++) {
        for (size_t i = 0; i < in; i++)
            rows[i * layer.width + o] = builder->weights[w + o * in + i];
        bias[o] = b == SIZE_MAX ? 0.0f : builder->weights[b + o];
    }
    return layer;
}

static StepLayer lay_linear(Builder *builder, const PredictorLinear *linear)
{
    return lay(builder, linear->w, linear->b, linear->in, linear->out);
}

static const float *lay_values(Builder *builder, size_t at, size_t n)
{
    float *values = take(builder, n);
    if (values)
        memcpy(values, builder->weights + at, n * sizeof *values);
    return values;
}

static void build(PredictorSteps *steps, const PredictorNet *net, Builder *builder)
{
    const PredictorConfig *c = &net->config;
    steps->told1 = lay_linear(builder, &net->told1);
    steps->told2 = lay_linear(builder, &net->told2);
    steps->first = lay_linear(builder, &net->first);
    steps->out = lay_linear(builder, &net->out);
    steps->frame = 0;
    steps->notes = PREDICTOR_TOLD;
    if (c->structure == PREDICTOR_RECURRENT) {
        steps->state = lay_linear(builder, &net->state);
        steps->notice = lay_linear(builder, &net->notice);
        steps->second = lay_linear(builder, &net->second);
        steps->gru_input =
            lay(builder, net->gru_w, net->gru_b, PREDICTOR_INPUTS + PREDICTOR_TOLD, 3 * c->hidden);
        steps->gru_state = lay(builder, net->gru_u, SIZE_MAX, c->hidden, 3 * c->hidden);
        steps->gru_c = lay_values(builder, net->gru_c, c->hidden);
        steps->phase = lay_values(builder, net->phase, PREDICTOR_SUBFRAME * c->wide);
        /* What was told, what the first layer gets from it, and from the state; the state. */
        steps->ring = steps->notes + 2 * padded(c->wide);
        steps->size = steps->ring + c->hidden;
        return;
    }
    steps->in = lay_linear(builder, &net->in);
    steps->biases = lay_linear(builder, &net->biases);
    for (size_t i = 0; i < PREDICTOR_LAYERS; i++) {
        steps->layer[i] = lay_linear(builder, &net->layer[i]);
        steps->back[i] = lay_linear(builder, &net->back[i]);
    }
    /* What was told, the layers' biases and the period; rings of the layers' inputs. */
    steps->ring = steps->notes + steps->biases.width + WIDTH;
    steps->size = steps->ring + (size_t)PREDICTOR_LAYERS * RING * c->hidden;
}

PredictorSteps *predictor_steps_create(const PredictorNet *net, const float *weights, Error *err)
{
    PredictorSteps *steps = calloc(1, sizeof *steps);
    Builder builder = {NULL, 0, weights};
    if (steps) {
        steps->config = net->config;
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
    builder = (Builder){steps->values, 0, weights};
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
    return steps->config.structure == PREDICTOR_RECURRENT ? steps->size : steps->ring;
}

typedef float Vector __attribute__((vector_size(64), aligned(4)));

/* A macro: a function that returned a vector would depend on what the processor has. */
#define LOAD(x) (*(const Vector *)(x))

/* y (width,) += rows^T x, four vectors of outputs at a time. Zeros, of which there are many, are
 * passed over. */
KERNEL static void product(size_t in, size_t width, const float *rows, const float *x, float *y)
{
    size_t o = 0;
    for (; o + 4 * WIDTH <= width; o += 4 * WIDTH) {
        Vector a = LOAD(y + o), b = LOAD(y + o + WIDTH), c = LOAD(y + o + 2 * WIDTH),
               d = LOAD(y + o + 3 * WIDTH);
        for (size_t i = 0; i < in; i++) {
            const float *row = rows + i * width + o;
            if (x[i] == 0.0f)
                continue;
            a += x[i] * LOAD(row);
            b += x[i] * LOAD(row + WIDTH);
            c += x[i] * LOAD(row + 2 * WIDTH);
            d += x[i] * LOAD(row + 3 * WIDTH);
        }
        *(Vector *)(y + o) = a;
        *(Vector *)(y + o + WIDTH) = b;
        *(Vector *)(y + o + 2 * WIDTH) = c;
        *(Vector *)(y + o + 3 * WIDTH) = d;
    }
    for (; o < width; o += WIDTH) {
        Vector a = LOAD(y + o);
        for (size_t i = 0; i < in; i++)
            a += x[i] * LOAD(rows + i * width + o);
        *(Vector *)(y + o) = a;
    }
}

KERNEL static void add(size_t n, const float *x, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* y (width,) = layer's bias + product. */
static void apply(const StepLayer *layer, const float *x, float *y)
{
    memcpy(y, layer->bias, layer->width * sizeof *y);
    product(layer->in, layer->width, layer->rows, x, y);
}

void predictor_steps_frame(const PredictorSteps *steps, const float *condition, size_t period,
                           float *memory)
{
    float part[PREDICTOR_TOLD];
    float *told = memory + steps->frame;
    apply(&steps->told1, condition, part);
    silu_forward(PREDICTOR_TOLD, part, part);
    apply(&steps->told2, part, told);
    silu_forward(PREDICTOR_TOLD, told, told);
    if (steps->config.structure == PREDICTOR_RECURRENT) {
        apply(&steps->notice, told, memory + steps->notes);
        return;
    }
    apply(&steps->biases, told, memory + steps->notes);
    memory[steps->notes + steps->biases.width] = (float)period;
}

/* The GRU's step, and what the first layer gets from its state. */
static void listen(const PredictorSteps *steps, const float *inputs, float *memory)
{
    float x[PREDICTOR_INPUTS + PREDICTOR_TOLD], from_x[3 * PREDICTOR_WIDEST],
        from_h[3 * PREDICTOR_WIDEST];
    float *h = memory + steps->ring;
    memcpy(x, inputs, PREDICTOR_INPUTS * sizeof *x);
    memcpy(x + PREDICTOR_INPUTS, memory + steps->frame, PREDICTOR_TOLD * sizeof *x);
    apply(&steps->gru_input, x, from_x);
    apply(&steps->gru_state, h, from_h);
    gru_cell(steps->config.hidden, from_x, from_h, steps->gru_c, h);
    apply(&steps->state, h, memory + steps->notes + steps->state.width);
}

static void recurrent_sample(const PredictorSteps *steps, uint64_t count, const float *inputs,
                             float *memory, float *out)
{
    const size_t wide = steps->config.wide, phase = (size_t)(count % PREDICTOR_SUBFRAME);
    float first[PREDICTOR_WIDEST], second[PREDICTOR_WIDEST];
    const float *notice = memory + steps->notes;
    if (phase == 0)
        listen(steps, inputs, memory);
    apply(&steps->first, inputs, first);
    add(wide, notice + steps->state.width, first);
    add(wide, notice, first);
    add(wide, steps->phase + phase * wide, first);
    silu_forward(wide, first, first);
    apply(&steps->second, first, second);
    silu_forward(steps->config.narrow, second, second);
    apply(&steps->out, second, out);
}

static void convolution_sample(const PredictorSteps *steps, uint64_t count, const float *inputs,
                               float *memory, float *out)
{
    const size_t c = steps->config.hidden, now = (size_t)(count % RING);
    const size_t period = (size_t)memory[steps->notes + steps->biases.width];
    float trunk[PREDICTOR_WIDEST + WIDTH], column[2 * PREDICTOR_WIDEST],
        inner[PREDICTOR_WIDEST + WIDTH], first[PREDICTOR_WIDEST + WIDTH];
    apply(&steps->in, inputs, trunk);
    for (size_t i = 0; i < PREDICTOR_LAYERS; i++) {
        float *ring = memory + steps->ring + i * RING * c;
        const size_t before = (now + RING - predictor_dilation(i, period)) % RING;
        memcpy(column, trunk, c * sizeof *column);
        memcpy(column + c, ring + before * c, c * sizeof *column);
        memcpy(ring + now * c, trunk, c * sizeof *ring);
        apply(&steps->layer[i], column, inner);
        add(c, memory + steps->notes + i * c, inner);
        silu_forward(c, inner, inner);
        product(c, steps->back[i].width, steps->back[i].rows, inner, trunk);
        add(c, steps->back[i].bias, trunk);
    }
    silu_forward(c, trunk, trunk);
    apply(&steps->first, trunk, first);
    silu_forward(steps->config.wide, first, first);
    apply(&steps->out, first, out);
}

void predictor_steps_sample(const PredictorSteps *steps, uint64_t count, const float *inputs,
                            float *memory, float *out)
{
    float padded_out[PREDICTOR_OUTPUTS + WIDTH];
    if (steps->config.structure == PREDICTOR_RECURRENT)
        recurrent_sample(steps, count, inputs, memory, padded_out);
    else
        convolution_sample(steps, count, inputs, memory, padded_out);
    memcpy(out, padded_out, PREDICTOR_OUTPUTS * sizeof *out);
}
