#include "models/step_layers.h"

#include "models/exponential.h"

#include <math.h>
#include <string.h>

size_t step_padded(size_t n)
{
    return (n + STEP_WIDTH - 1) / STEP_WIDTH * STEP_WIDTH;
}

float *step_take(StepBuilder *builder, size_t n)
{
    float *at = builder->values ? builder->values + builder->used : NULL;
    builder->used += step_padded(n);
    return at;
}

const float *step_lay_values(StepBuilder *builder, size_t at, size_t count, size_t n)
{
    const size_t stride = step_padded(n);
    float *values = step_take(builder, count * stride);
    for (size_t i = 0; values && i < count; i++)
        memcpy(values + i * stride, builder->weights + at + i * n, n * sizeof *values);
    return values;
}

StepLayer step_lay(StepBuilder *builder, size_t w, size_t b, size_t in, size_t out)
{
    StepLayer layer = {.in = in, .out = out, .width = step_padded(out)};
    float *rows = step_take(builder, in * layer.width), *bias = step_take(builder, layer.width);
    layer.rows = rows;
    layer.bias = bias;
    for (size_t o = 0; rows && o < out; o++) {
        for (size_t i = 0; i < in; i++)
            rows[i * layer.width + o] = builder->weights[w + o * in + i];
        bias[o] = b == SIZE_MAX ? 0.0f : builder->weights[b + o];
    }
    return layer;
}

StepWhole step_lay_whole(StepBuilder *builder, size_t w, size_t stride, size_t in, size_t out)
{
    StepWhole layer = {.in = step_padded(in), .width = step_padded(out)};
    uint8_t *rows = (uint8_t *)step_take(builder, layer.in * layer.width / sizeof(float));
    float *scale = step_take(builder, layer.width);
    layer.rows = rows;
    layer.scale = scale;
    for (size_t o = 0; rows && o < out; o++) {
        const float *weights = builder->weights + w + o * stride;
        float most = 0.0f;
        for (size_t i = 0; i < in; i++)
            most = fmaxf(most, fabsf(weights[i]));
        scale[o] = most / INTEGER_WEIGHT;
        for (size_t i = 0; most > 0.0f && i < in; i++) {
            const double part = (double)weights[i] / (double)most;
            rows[integer_place(layer.in, layer.width, i, o)] =
                (uint8_t)(INTEGER_OFFSET + lrint(part * INTEGER_WEIGHT));
        }
    }
    return layer;
}

typedef float Vector __attribute__((vector_size(64), aligned(4)));

/* A macro: a function that returned a vector would depend on what the processor has. */
#define LOAD(x) (*(const Vector *)(x))

/* Four vectors of outputs at a time. Zeros, of which there are many, are passed over. */
KERNEL static void product(size_t in, size_t width, const float *rows, const float *x, float *y)
{
    enum { WIDTH = STEP_WIDTH };
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

void step_product(const StepLayer *layer, const float *x, float *y)
{
    product(layer->in, layer->width, layer->rows, x, y);
}

void step_apply(const StepLayer *layer, const float *x, float *y)
{
    memcpy(y, layer->bias, layer->width * sizeof *y);
    step_product(layer, x, y);
}

void step_round(size_t n, const float *x, float most, StepVector *out)
{
    out->unit = most / INTEGER_MOST;
    integer_round(n, INTEGER_MOST / most, x, &out->whole);
}

KERNEL static void scale_sums(size_t n, const int32_t *restrict sums, const float *restrict scale,
                              float unit, const float *restrict base, float *restrict y)
{
    n = n / STEP_WIDTH * STEP_WIDTH; /* which the compiler is to know */
    for (size_t i = 0; i < n; i++)
        y[i] = (float)sums[i] * (scale[i] * unit) + base[i];
}

/* SiLU. Returns the size of the largest; not finite if one is not. */
KERNEL static float excite(size_t n, const float *restrict x, float *restrict y)
{
    /* Sizes of floats are in the order of their bits, and whole numbers are compared faster. */
    union {
        int32_t bits;
        float size;
    } most = {.bits = 0};
    n = n / STEP_WIDTH * STEP_WIDTH;
    for (size_t i = 0; i < n; i++) {
        const union {
            float x;
            int32_t bits;
        } excited = {.x = x[i] * sigmoid(x[i])};
        const int32_t size = excited.bits & INT32_MAX;
        most.bits = size > most.bits ? size : most.bits;
        y[i] = excited.x;
    }
    return most.size;
}

void step_round_silu(size_t n, const float *x, StepVector *out)
{
    static const float LEAST = 1e-20f; /* instead of 0, by which nothing can be divided */
    float excited[INTEGER_INPUTS];
    const float most = excite(n, x, excited);
    step_round(n, excited, most > LEAST ? most : LEAST, out);
}

void step_apply_whole(const StepWhole *layer, IntegerProduct *multiply, const StepVector *x,
                      const float *base, float *y)
{
    int32_t sums[STEP_OUTPUTS];
    multiply(layer->in, layer->width, layer->rows, &x->whole, sums);
    scale_sums(layer->width, sums, layer->scale, x->unit, base, y);
}
