#include "models/panels_layer.h"

#include "models/exponential.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16 };

float *panels_take(PanelsBuilder *builder, size_t n)
{
    float *at = builder->values ? builder->values + builder->used : NULL;
    builder->used += (n + LANES - 1) / LANES * LANES;
    return at;
}

float *panels_room(size_t n)
{
    float *room = NULL;
    if (posix_memalign((void **)&room, 64, n * sizeof *room))
        return NULL;
    return memset(room, 0, n * sizeof *room);
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
KERNEL static void end_silu(size_t rows, const float *bias, float *tile)
{
    for (size_t r = 0; r < rows; r++, tile += PANELS_WIDTH)
        for (size_t i = 0; i < PANELS_WIDTH; i++) {
            const float x = tile[i] + bias[i];
            tile[i] = x / (1 + exponential(-x));
        }
}

KERNEL static void end_bias(size_t rows, const float *bias, float *tile)
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

KERNEL static void add(size_t rows, size_t width, const float *tile, float *y, size_t stride)
{
    for (size_t r = 0; r < rows; r++, tile += PANELS_WIDTH, y += stride)
        for (size_t i = 0; i < width; i++)
            y[i] += tile[i];
}

KERNEL static void add_gated(size_t rows, size_t width, const float *gate, const float *tile,
                             float *y, size_t stride)
{
    for (size_t r = 0; r < rows; r++, tile += PANELS_WIDTH, y += stride)
        for (size_t i = 0; i < width; i++)
            y[i] += tile[i] * gate[i];
}

static void finish(const PanelsCall *call, size_t rows, size_t done, size_t first, size_t width,
                   const float *bias, float *tile)
{
    float *y = call->y + done * call->y_stride + first;
    if (call->end == PANELS_SILU)
        end_silu(rows, bias + first, tile);
    else
        end_bias(rows, bias + first, tile);
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

typedef float Vector __attribute__((vector_size(64), aligned(4), may_alias));

/* Macros: functions that took or returned a vector would depend on what the processor has. */
#define AT(x)   (*(Vector *)(x))
#define READ(x) (*(const Vector *)(x))

/* The sum of 16 lanes, halves upon halves. */
static inline float lanes_sum(const float *lanes)
{
    float half[8];
    for (int i = 0; i < 8; i++)
        half[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; i++)
        half[i] += half[i + 4];
    return (half[0] + half[2]) + (half[1] + half[3]);
}

/* In LANES partial sums, the last of which get what is left of the channels. */
KERNEL static void norm_row(size_t channels, const float *x, const float *scale, const float *shift,
                            float *y)
{
    const size_t whole = channels / LANES * LANES, rest = channels - whole;
    const float n = (float)channels;
    Vector tail = {0}, sum = {0}, squares = {0};
    memcpy(&tail, x + whole, rest * sizeof *x);
    sum = tail;
    for (size_t i = 0; i < whole; i += LANES)
        sum += READ(x + i);
    const float mean = lanes_sum((const float *)&sum) / n;
    for (size_t i = 0; i < whole; i += LANES) {
        const Vector d = READ(x + i) - mean;
        squares += d * d;
    }
    tail -= mean;
    for (size_t i = rest; i < LANES; i++)
        tail[i] = 0.0f;
    squares += tail * tail;
    const float inverse = 1.0f / sqrtf(lanes_sum((const float *)&squares) / n + 1e-5f);
    for (size_t i = 0; i < whole; i += LANES)
        AT(y + i) = (READ(x + i) - mean) * inverse * READ(scale + i) + READ(shift + i);
    for (size_t i = 0; i < rest; i++)
        y[whole + i] = tail[i] * inverse * scale[whole + i] + shift[whole + i];
}

void panels_norm(size_t rows, size_t channels, const float *x, const float *scale,
                 const float *shift, float *y)
{
    for (size_t r = 0; r < rows; r++)
        norm_row(channels, x + r * channels, scale, shift, y + r * channels);
}

KERNEL static void silu(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] / (1 + exponential(-x[i]));
}

void panels_silu(size_t n, float *x)
{
    silu(n, x);
}
