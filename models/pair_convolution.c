#include "models/pair_convolution.h"

#include "models/exponential.h"

#include <string.h>

/* Runs of fewer pairs that want the same products join the next ones: narrow tiles are slow. */
enum { LEAST_RUN = 6 };

/* What of a pair is wanted: which products, and which frames. */
enum { PLANE_0 = 1, PLANES_1_2 = 2 + 4, PLANE_3 = 8, EARLIER = 16, LATER = 32 };

KERNEL static void transform_taps(size_t n, const float *g0, const float *g1, const float *g2,
                                  float *plus, float *minus)
{
    for (size_t i = 0; i < n; i++) {
        const float outer = 0.5f * (g0[i] + g2[i]), middle = 0.5f * g1[i];
        plus[i] = outer + middle;
        minus[i] = outer - middle;
    }
}

PairConvolution pair_convolution_lay(PanelsBuilder *builder, size_t in, size_t out, size_t w,
                                     size_t b)
{
    const size_t whole = panels_count(out) * PANELS_WIDTH, plane = in * PANELS_WIDTH;
    float *panels = panels_take(builder, PAIR_PLANES * panels_size(in, out));
    float *bias = panels_take(builder, whole), *scratch = panels_take(builder, 2 * plane);
    if (panels) {
        const float *taps = builder->weights + w;
        for (size_t first = 0; first < out; first += PANELS_WIDTH) {
            const size_t width = out - first < PANELS_WIDTH ? out - first : PANELS_WIDTH;
            const float *g = taps + first * 3 * in;
            float *panel = panels + first / PANELS_WIDTH * PAIR_PLANES * plane;
            for (size_t o = 0; o < width; o++)
                transform_taps(in, g + 3 * o * in, g + (3 * o + 1) * in, g + (3 * o + 2) * in,
                               scratch + o * in, scratch + plane + o * in);
            panels_pack(in, width, g, 3 * in, panel);
            panels_pack(in, width, scratch, in, panel + plane);
            panels_pack(in, width, scratch + plane, in, panel + 2 * plane);
            panels_pack(in, width, g + 2 * in, 3 * in, panel + 3 * plane);
        }
        memset(bias, 0, whole * sizeof *bias);
        memcpy(bias, builder->weights + b, out * sizeof *bias);
    }
    return (PairConvolution){in, out, panels, bias};
}

size_t pair_count(size_t frames, size_t dilation)
{
    const size_t left = frames % (2 * dilation);
    return frames / (2 * dilation) * dilation + (left < dilation ? left : dilation);
}

size_t pair_frame(size_t j, size_t dilation)
{
    return j / dilation * 2 * dilation + j % dilation;
}

size_t pair_first(size_t first, size_t dilation)
{
    return first > dilation ? first - dilation : 0;
}

KERNEL static void transform_rows(size_t n, const float *a, const float *b, const float *c,
                                  const float *d, float *m0, float *m1, float *m2, float *m3)
{
    for (size_t i = 0; i < n; i++) {
        m0[i] = a[i] - c[i];
        m1[i] = b[i] + c[i];
        m2[i] = c[i] - b[i];
        m3[i] = b[i] - d[i];
    }
}

void pair_planes(const PairShape *shape, size_t pair, size_t count, size_t row, const float *x,
                 const float *zeros, float *planes)
{
    const size_t d = shape->dilation;
    for (size_t j = 0; j < count; j++) {
        const size_t t = pair_frame(pair + j, d);
        if (t + d < shape->first && t < shape->first)
            continue;
        const float *at = x + t * row;
        float *m = planes + j * row;
        transform_rows(row, t < d ? zeros : at - d * row, at,
                       t + d < shape->frames ? at + d * row : zeros,
                       t + 2 * d < shape->frames ? at + 2 * d * row : zeros, m, m + count * row,
                       m + 2 * count * row, m + 3 * count * row);
    }
}

static unsigned wanted(const PairShape *shape, size_t pair)
{
    const size_t d = shape->dilation, t = pair_frame(pair, d);
    unsigned parts = 0;
    /* Where neither a frame before nor one after lies inside, m0 is 0. */
    if (t >= shape->first)
        parts |= EARLIER | PLANES_1_2 | (t >= d || t + d < shape->frames ? PLANE_0 : 0);
    if (t + d >= shape->first && t + d < shape->frames)
        parts |= LATER | PLANES_1_2 | PLANE_3;
    return parts;
}

/* How many pairs from `pair` on, before `end`, go together, and what they need. */
static size_t run_of(const PairShape *shape, size_t pair, size_t end, unsigned *parts)
{
    size_t n = 1;
    *parts = wanted(shape, pair);
    for (; pair + n < end; n++) {
        const unsigned next = wanted(shape, pair + n);
        if (next != *parts && (n >= LEAST_RUN || !*parts))
            break;
        *parts |= next;
    }
    return n;
}

enum { TILE = PANELS_ROWS * PANELS_WIDTH };

/* m (PAIR_PLANES, TILE) -> the earlier frames' outputs in its first plane, the later ones' in its
 * last. */
KERNEL static void combine(size_t rows, const float *bias, float *m)
{
    for (size_t r = 0; r < rows; r++, m += PANELS_WIDTH)
        for (size_t i = 0; i < PANELS_WIDTH; i++) {
            const float m1 = m[TILE + i], m2 = m[2 * TILE + i];
            m[i] = m[i] + m1 + m2 + bias[i];
            m[3 * TILE + i] = m1 - m2 - m[3 * TILE + i] + bias[i];
        }
}

/* Rows of the planes that one tile treats: from pair `pair` of the call and its place `place` on.
 */
typedef struct Tile {
    size_t pair, place, rows;
    unsigned parts;
} Tile;

static void put(const PairCall *call, const Tile *at, size_t out, size_t first, const float *m,
                unsigned part)
{
    const size_t width = out - first < PANELS_WIDTH ? out - first : PANELS_WIDTH;
    const size_t d = call->shape.dilation;
    for (size_t r = 0; r < at->rows; r++) {
        const size_t pair = call->places > 1 ? at->pair : at->pair + r;
        const size_t place = call->places > 1 ? at->place + r : 0;
        const size_t t = pair_frame(call->pair + pair, d) + (part == LATER ? d : 0);
        if (t < call->shape.frames)
            memcpy(call->y + t * call->y_row + place * out + first, m + r * PANELS_WIDTH,
                   width * sizeof *m);
    }
}

static void run_tile(PanelsTile tile, const PairConvolution *convolution, const PairCall *call,
                     const Tile *at, size_t first, const float *panel)
{
    const size_t stride = call->places > 1 ? call->channels : call->row;
    const float *x = call->planes + at->pair * call->row + at->place * call->channels;
    _Alignas(64) float m[PAIR_PLANES * TILE];
    for (size_t p = 0; p < PAIR_PLANES; p++) {
        float *sums = m + p * TILE;
        if (at->parts & 1u << p)
            tile(at->rows, convolution->in, x + p * call->count * call->row, stride,
                 panel + p * convolution->in * PANELS_WIDTH, sums);
        else
            memset(sums, 0, at->rows * PANELS_WIDTH * sizeof *sums);
    }
    combine(at->rows, convolution->bias + first, m);
    for (unsigned part = EARLIER; part <= LATER; part *= 2) {
        float *sums = m + (part == LATER ? 3 * TILE : 0);
        if (!(at->parts & part))
            continue;
        if (call->silu)
            panels_silu(at->rows * PANELS_WIDTH, sums);
        put(call, at, convolution->out, first, sums, part);
    }
}

void pair_convolve(PanelsTile tile, const PairConvolution *convolution, const PairCall *call)
{
    const float *panel = convolution->panels;
    for (size_t first = 0; first < convolution->out; first += PANELS_WIDTH) {
        for (size_t done = 0, n; done < call->count; done += n) {
            unsigned parts;
            n = run_of(&call->shape, call->pair + done,
                       call->pair + (call->places > 1 ? done + 1 : call->count), &parts);
            const size_t rows = parts ? n * call->places : 0;
            for (size_t r = 0; r < rows;) {
                Tile at = {done, r, panels_tile_rows(rows, r), parts};
                r += at.rows;
                if (call->places == 1)
                    at.pair += at.place, at.place = 0;
                run_tile(tile, convolution, call, &at, first, panel);
            }
        }
        panel += PAIR_PLANES * convolution->in * PANELS_WIDTH;
    }
}
