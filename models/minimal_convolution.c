#include "models/minimal_convolution.h"

#include "dsp/kernel.h"
#include "models/vector.h"

#include <string.h>

/* Runs of fewer groups that want the same of their products join the next ones: narrow tiles are
 * slow. */
enum { LEAST_RUN = 6 };

/* What of a group is wanted: which products, and which frames. */
enum { PLANE_0 = 1, PLANES_BETWEEN = 2 + 4 + 8 + 16, PLANE_5 = 32, FRAME_0 = 64 };

/* One row of taps g (3, n) -> GROUP_PLANES rows of `n`, `stride` values apart. */
KERNEL static void transform_taps(size_t n, const float *restrict g, size_t stride,
                                  float *restrict u)
{
    for (size_t i = 0; i < n; i++) {
        const float outer = g[i] + g[2 * n + i], middle = g[n + i];
        const float far = g[i] + 4.0f * g[2 * n + i];
        u[i] = 0.25f * g[i];
        u[stride + i] = (outer + middle) / -6.0f;
        u[2 * stride + i] = (outer - middle) / -6.0f;
        u[3 * stride + i] = (far + 2.0f * middle) / 24.0f;
        u[4 * stride + i] = (far - 2.0f * middle) / 24.0f;
        u[5 * stride + i] = g[2 * n + i];
    }
}

MinimalConvolution minimal_convolution_lay(PanelsBuilder *builder, size_t in, size_t out, size_t w,
                                           size_t b)
{
    const size_t whole = panels_count(out) * PANELS_WIDTH, plane = in * PANELS_WIDTH;
    float *panels = panels_take(builder, GROUP_PLANES * panels_size(in, out));
    float *bias = panels_take(builder, whole);
    float *scratch = panels_scratch(builder, GROUP_PLANES * plane);
    for (size_t first = 0; panels && first < out; first += PANELS_WIDTH) {
        const size_t width = out - first < PANELS_WIDTH ? out - first : PANELS_WIDTH;
        float *panel = panels + first * GROUP_PLANES * in;
        for (size_t o = 0; o < width; o++)
            transform_taps(in, builder->weights + w + (first + o) * 3 * in, plane,
                           scratch + o * in);
        for (size_t p = 0; p < GROUP_PLANES; p++)
            panels_pack(in, width, scratch + p * plane, in, panel + p * plane);
    }
    if (bias) {
        memset(bias, 0, whole * sizeof *bias);
        memcpy(bias, builder->weights + b, out * sizeof *bias);
    }
    return (MinimalConvolution){in, out, panels, bias};
}

size_t group_count(size_t frames, size_t dilation)
{
    const size_t block = GROUP_FRAMES * dilation, left = frames % block;
    return frames / block * dilation + (left < dilation ? left : dilation);
}

size_t group_frame(size_t j, size_t k, size_t dilation)
{
    return (j / dilation * GROUP_FRAMES + k) * dilation + j % dilation;
}

size_t group_first(size_t first, size_t dilation)
{
    const size_t block = first / (GROUP_FRAMES * dilation) * GROUP_FRAMES * dilation;
    /* A group's first frame alone looks at what lies before the block. */
    if (first - block >= dilation)
        return block;
    return first > dilation ? first - dilation : 0;
}

/* Row i of six frames, `dilation` apart -> row i of six planes, `plane` values apart. */
#define TRANSFORM(READ, WRITE)                                                                     \
    do {                                                                                           \
        const __typeof__(+READ(x[0])) x1 = READ(x[1] + i), x2 = READ(x[2] + i),                    \
                                      x3 = READ(x[3] + i), x4 = READ(x[4] + i);                    \
        const __typeof__(+READ(x[0])) u = x4 - 4.0f * x2, v = x3 - 4.0f * x1;                      \
        const __typeof__(+READ(x[0])) s = x4 - x2, q = 2.0f * (x3 - x1);                           \
        WRITE(m + i) = 4.0f * (READ(x[0] + i) - x2) + s;                                           \
        WRITE(m + plane + i) = u + v;                                                              \
        WRITE(m + 2 * plane + i) = u - v;                                                          \
        WRITE(m + 3 * plane + i) = s + q;                                                          \
        WRITE(m + 4 * plane + i) = s - q;                                                          \
        WRITE(m + 5 * plane + i) = 4.0f * (x1 - x3) + (READ(x[5] + i) - x3);                       \
    } while (0)
#define ONE(x) (*(x))

KERNEL static void transform_rows(size_t n, const float *const *x, size_t plane, float *m)
{
    size_t i = 0;
    for (; i + VECTOR_LANES <= n; i += VECTOR_LANES)
        TRANSFORM(VECTOR_READ, VECTOR_AT);
    for (; i < n; i++)
        TRANSFORM(ONE, ONE);
}

static unsigned wanted(const GroupShape *shape, size_t group)
{
    unsigned parts = 0;
    for (size_t k = 0; k < GROUP_FRAMES; k++) {
        const size_t t = group_frame(group, k, shape->dilation);
        if (t >= shape->first && t < shape->frames)
            parts |= (unsigned)FRAME_0 << k;
    }
    if (parts)
        parts |= PLANES_BETWEEN;
    if (parts & FRAME_0)
        parts |= PLANE_0;
    if (parts & (unsigned)FRAME_0 << (GROUP_FRAMES - 1))
        parts |= PLANE_5;
    return parts;
}

void group_planes(const GroupShape *shape, size_t group, size_t count, size_t row, const float *x,
                  const float *zeros, float *planes)
{
    for (size_t j = 0; j < count; j++) {
        const float *rows[GROUP_PLANES];
        for (size_t i = 0; i < GROUP_PLANES; i++) {
            /* One dilation late, so as not to fall below zero. */
            const size_t t = group_frame(group + j, i, shape->dilation);
            rows[i] = t >= shape->dilation && t - shape->dilation < shape->frames
                          ? x + (t - shape->dilation) * row
                          : zeros;
        }
        if (wanted(shape, group + j))
            transform_rows(row, rows, count * row, planes + j * row);
    }
}

/* How many groups from `group` on, before `end`, go together, and what they need. */
static size_t run_of(const GroupShape *shape, size_t group, size_t end, unsigned *parts)
{
    size_t n = 1;
    *parts = wanted(shape, group);
    for (; group + n < end; n++) {
        const unsigned next = wanted(shape, group + n);
        if (next != *parts && (n >= LEAST_RUN || !*parts || !next))
            break;
        *parts |= next;
    }
    return n;
}

enum { TILE = PANELS_ROWS * PANELS_WIDTH };

/* m (GROUP_PLANES, TILE), the products -> the group's frames in its first planes. */
KERNEL static void combine(size_t rows, const float *restrict bias, float *restrict m)
{
    for (size_t r = 0; r < rows; r++, m += PANELS_WIDTH)
        for (size_t i = 0; i < PANELS_WIDTH; i++) {
            const float m1 = m[TILE + i], m2 = m[2 * TILE + i];
            const float m3 = m[3 * TILE + i], m4 = m[4 * TILE + i];
            const float a = m1 + m2, b = m1 - m2, c = m3 + m4, d = m3 - m4;
            m[i] = m[i] + a + c + bias[i];
            m[TILE + i] = b + 2.0f * d + bias[i];
            m[2 * TILE + i] = a + 4.0f * c + bias[i];
            m[3 * TILE + i] = b + 8.0f * d + m[5 * TILE + i] + bias[i];
        }
}

/* Rows of the planes that one tile treats: from group `group` of the call and its place `place` on.
 */
typedef struct Tile {
    size_t group, place, rows;
    unsigned parts;
} Tile;

/* Outputs first..first+PANELS_WIDTH-1 of the tile's groups' frames k. */
static void put(const GroupCall *call, const Tile *at, size_t out, size_t first, size_t k,
                const float *m)
{
    const size_t width = out - first < PANELS_WIDTH ? out - first : PANELS_WIDTH;
    for (size_t r = 0; r < at->rows; r++, m += PANELS_WIDTH) {
        const size_t group = call->places > 1 ? at->group : at->group + r;
        const size_t place = call->places > 1 ? at->place + r : 0;
        const size_t t = group_frame(call->group + group, k, call->shape.dilation);
        float *y = call->y + ((call->gathered ? k : t) * call->places + place) * out + first;
        if (t >= call->shape.frames)
            continue;
        if (width == PANELS_WIDTH)
            memcpy(y, m, PANELS_WIDTH * sizeof *y);
        else
            memcpy(y, m, width * sizeof *y);
    }
}

static void run_tile(PanelsTile tile, const MinimalConvolution *convolution, const GroupCall *call,
                     const Tile *at, size_t first, const float *panel)
{
    const size_t stride = call->places > 1 ? call->channels : call->row;
    const float *x = call->planes + at->group * call->row + at->place * call->channels;
    _Alignas(64) float m[GROUP_PLANES * TILE];
    for (size_t p = 0; p < GROUP_PLANES; p++) {
        float *sums = m + p * TILE;
        if (at->parts & 1u << p)
            tile(at->rows, convolution->in, x + p * call->count * call->row, stride,
                 panel + p * convolution->in * PANELS_WIDTH, sums);
        else
            memset(sums, 0, at->rows * PANELS_WIDTH * sizeof *sums);
    }
    combine(at->rows, convolution->bias + first, m);
    for (size_t k = 0; k < GROUP_FRAMES; k++) {
        if (!(at->parts & (unsigned)FRAME_0 << k))
            continue;
        if (call->silu)
            panels_silu(at->rows * PANELS_WIDTH, m + k * TILE);
        put(call, at, convolution->out, first, k, m + k * TILE);
    }
}

void minimal_convolution_run(PanelsTile tile, const MinimalConvolution *convolution,
                             const GroupCall *call)
{
    const float *panel = convolution->panels;
    for (size_t first = 0; first < convolution->out; first += PANELS_WIDTH) {
        for (size_t done = 0, n; done < call->count; done += n) {
            unsigned parts;
            n = run_of(&call->shape, call->group + done,
                       call->group + (call->places > 1 ? done + 1 : call->count), &parts);
            const size_t rows = parts ? n * call->places : 0;
            for (size_t r = 0; r < rows;) {
                Tile at = {done, r, panels_tile_rows(rows, r), parts};
                r += at.rows;
                if (call->places == 1)
                    at.group += at.place, at.place = 0;
                run_tile(tile, convolution, call, &at, first, panel);
            }
        }
        panel += GROUP_PLANES * convolution->in * PANELS_WIDTH;
    }
}
