#include "models/panels_layer.h"

#include "dsp/kernel.h"
#include "models/vector.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

float *panels_take(PanelsBuilder *builder, size_t n)
{
    float *at = builder->values ? builder->values + builder->used : NULL;
    builder->used += (n + VECTOR_LANES - 1) / VECTOR_LANES * VECTOR_LANES;
    return at;
}

float *panels_scratch(PanelsBuilder *builder, size_t n)
{
    builder->scratch = n > builder->scratch ? n : builder->scratch;
    return builder->values ? builder->values + builder->used : NULL;
}

PanelsLayer panels_layer_lay(PanelsBuilder *builder, size_t in, size_t out, size_t w, size_t b)
{
    const size_t whole = panels_count(out) * PANELS_WIDTH;
    float *panels = panels_take(builder, panels_size(in, out)), *bias = panels_take(builder, whole);
    if (panels) {
        panels_pack(in, out, builder->weights + w, in, panels);
        memset(bias, 0, whole * sizeof *bias);
        if (b != PANELS_NO_BIAS)
            memcpy(bias, builder->weights + b, out * sizeof *bias);
    }
    return (PanelsLayer){in, out, panels, bias};
}

/* The ends of a tile. Its columns are always PANELS_WIDTH, so that the loops are short and whole;
 * `width` of them go to y. */
KERNEL static void end_bias(size_t rows, const float *restrict bias, float *restrict tile)
{
    for (size_t r = 0; r < rows; r++, tile += PANELS_WIDTH)
        for (size_t i = 0; i < PANELS_WIDTH; i++)
            tile[i] += bias[i];
}

static void put(size_t rows, size_t width, const float *tile, float *y, size_t stride)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * stride, tile + r * PANELS_WIDTH, width * sizeof *y);
}

KERNEL static void add(size_t rows, size_t width, const float *restrict tile, float *restrict y,
                       size_t stride)
{
    for (size_t r = 0; r < rows; r++, tile += PANELS_WIDTH, y += stride)
        for (size_t i = 0; i < width; i++)
            y[i] += tile[i];
}

KERNEL static void add_gated(size_t rows, size_t width, const float *restrict gate,
                             const float *restrict tile, float *restrict y, size_t stride)
{
    for (size_t r = 0; r < rows; r++, tile += PANELS_WIDTH, y += stride)
        for (size_t i = 0; i < width; i++)
            y[i] += tile[i] * gate[i];
}

static void finish(const PanelsCall *call, size_t rows, size_t done, size_t first, size_t width,
                   const float *bias, float *tile)
{
    float *y = call->y + done * call->y_stride + first;
    end_bias(rows, bias + first, tile);
    if (call->end == PANELS_SILU)
        panels_silu(rows * PANELS_WIDTH, tile);
    if (call->end == PANELS_ADD)
        add(rows, width, tile, y, call->y_stride);
    else if (call->end == PANELS_GATE)
        add_gated(rows, width, call->gate + first, tile, y, call->y_stride);
    else
        put(rows, width, tile, y, call->y_stride);
}

void panels_layer_run(PanelsTile tile, const PanelsLayer *layer, const PanelsCall *call)
{
    const float *bias = call->bias ? call->bias : layer->bias;
    const float *panel = layer->panels;
    _Alignas(64) float sums[PANELS_ROWS * PANELS_WIDTH];
    for (size_t first = 0; first < layer->out; first += PANELS_WIDTH) {
        const size_t width = layer->out - first < PANELS_WIDTH ? layer->out - first : PANELS_WIDTH;
        for (size_t done = 0; done < call->rows;) {
            const size_t rows = panels_tile_rows(call->rows, done);
            tile(rows, layer->in, call->x + done * call->x_stride, call->x_stride, panel, sums);
            finish(call, rows, done, first, width, bias, sums);
            done += rows;
        }
        panel += layer->in * PANELS_WIDTH;
    }
}

/* Of whole vectors of channels. */
KERNEL static void norm_whole(size_t rows, size_t channels, const float *x, const float *scale,
                              const float *shift, float *y)
{
    const float part = 1.0f / (float)channels;
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        Vector sum = {0}, squares = {0};
        for (size_t i = 0; i < channels; i += VECTOR_LANES)
            sum += VECTOR_READ(x + i);
        VECTOR_SUM(sum);
        const Vector mean = sum * part;
        for (size_t i = 0; i < channels; i += VECTOR_LANES) {
            const Vector d = VECTOR_READ(x + i) - mean;
            squares += d * d;
        }
        VECTOR_SUM(squares);
        const float inverse = 1.0f / sqrtf(squares[0] * part + 1e-5f);
        for (size_t i = 0; i < channels; i += VECTOR_LANES)
            VECTOR_AT(y + i) = (VECTOR_READ(x + i) - mean) * inverse * VECTOR_READ(scale + i) +
                               VECTOR_READ(shift + i);
    }
}

/* Of any number of channels. */
KERNEL static void norm_any(size_t rows, size_t channels, const float *x, const float *scale,
                            const float *shift, float *y)
{
    const float n = (float)channels;
    for (size_t r = 0; r < rows; r++, x += channels, y += channels) {
        float sum = 0.0f, squares = 0.0f;
        for (size_t i = 0; i < channels; i++)
            sum += x[i];
        const float mean = sum / n;
        for (size_t i = 0; i < channels; i++)
            squares += (x[i] - mean) * (x[i] - mean);
        const float inverse = 1.0f / sqrtf(squares / n + 1e-5f);
        for (size_t i = 0; i < channels; i++)
            y[i] = (x[i] - mean) * inverse * scale[i] + shift[i];
    }
}

void panels_norm(size_t rows, size_t channels, const float *x, const float *scale,
                 const float *shift, float *y)
{
    if (channels % VECTOR_LANES)
        norm_any(rows, channels, x, scale, shift, y);
    else
        norm_whole(rows, channels, x, scale, shift, y);
}
