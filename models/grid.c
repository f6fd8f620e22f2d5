#include "models/grid.h"

#include "models/layers.h"

#include <string.h>

/* Frames whose taps are laid out at once: few enough that they stay in a core's own cache. */
enum { STRIP = 8, TAPS = 9 };

size_t grid_positions(size_t bands, size_t stride)
{
    return (bands + stride - 1) / stride + 1;
}

/* Which bands a patch holds: `first` on, `n` of them, from its place `skip` on. */
typedef struct Overlap {
    size_t first, n, skip;
} Overlap;

static Overlap overlap_of(size_t p, size_t bands, size_t stride)
{
    const size_t skip = p ? 0 : stride, first = p ? (p - 1) * stride : 0;
    const size_t end = (p + 1) * stride < bands ? (p + 1) * stride : bands;
    return (Overlap){first, end > first ? end - first : 0, skip};
}

void grid_cut(size_t rows, size_t bands, size_t stride, const real *x, real *patches)
{
    const size_t positions = grid_positions(bands, stride), width = 2 * stride;
    memset(patches, 0, rows * positions * width * sizeof *patches);
    for (size_t r = 0; r < rows; r++)
        for (size_t p = 0; p < positions; p++) {
            const Overlap o = overlap_of(p, bands, stride);
            memcpy(patches + (r * positions + p) * width + o.skip, x + r * bands + o.first,
                   o.n * sizeof *x);
        }
}

void grid_paste(size_t rows, size_t bands, size_t stride, const real *patches, real *x)
{
    const size_t positions = grid_positions(bands, stride), width = 2 * stride;
    for (size_t r = 0; r < rows; r++)
        for (size_t p = 0; p < positions; p++) {
            const Overlap o = overlap_of(p, bands, stride);
            const real *patch = patches + (r * positions + p) * width + o.skip;
            real *at = x + r * bands + o.first;
            for (size_t i = 0; i < o.n; i++)
                at[i] += patch[i];
        }
}

size_t grid_scratch(size_t positions, size_t channels)
{
    return 2 * STRIP * positions * TAPS * channels;
}

/* Where the neighbourhood of a place lies: frame t + (tap - 1) * dilation; false outside. */
static int tap_frame(const GridShape *s, size_t t, size_t tap, size_t *frame)
{
    *frame = t + tap * s->dilation - s->dilation;
    return t + tap * s->dilation >= s->dilation && *frame < s->frames;
}

/* Neighbourhoods of the places of frames first..first+count-1 of a window's x: (count, positions,
 * TAPS * channels). Three neighbouring positions lie side by side in x already. */
static void lay_out(const GridShape *s, const real *x, size_t first, size_t count, real *columns)
{
    const size_t c = s->channels, wide = 3 * c;
    for (size_t t = first; t < first + count; t++)
        for (size_t tap = 0; tap < 3; tap++) {
            size_t frame;
            const int inside = tap_frame(s, t, tap, &frame);
            for (size_t p = 0; p < s->positions; p++) {
                real *at = columns + ((t - first) * s->positions + p) * TAPS * c + tap * wide;
                if (!inside) {
                    memset(at, 0, wide * sizeof *at);
                    continue;
                }
                const size_t before = p > 0, after = p + 1 < s->positions;
                const real *from = x + (frame * s->positions + p - before) * c;
                if (!before)
                    memset(at, 0, c * sizeof *at);
                if (!after)
                    memset(at + 2 * c, 0, c * sizeof *at);
                memcpy(at + (1 - before) * c, from, (before + 1 + after) * c * sizeof *at);
            }
        }
}

/* The transpose of lay_out: added to a window's dx. */
static void take_up(const GridShape *s, const real *columns, size_t first, size_t count, real *dx)
{
    const size_t c = s->channels, wide = 3 * c;
    for (size_t t = first; t < first + count; t++)
        for (size_t tap = 0; tap < 3; tap++) {
            size_t frame;
            if (!tap_frame(s, t, tap, &frame))
                continue;
            for (size_t p = 0; p < s->positions; p++) {
                const real *at = columns + ((t - first) * s->positions + p) * TAPS * c + tap * wide;
                const size_t before = p > 0, after = p + 1 < s->positions;
                accumulate((before + 1 + after) * c, at + (1 - before) * c,
                           dx + (frame * s->positions + p - before) * c);
            }
        }
}

static size_t strip_at(const GridShape *s, size_t first)
{
    return s->frames - first < STRIP ? s->frames - first : STRIP;
}

void grid_convolve(GridShape s, const real *x, const real *w, const real *bias, real *scratch,
                   real *y)
{
    const size_t row = s.positions * s.channels;
    for (size_t i = 0; i < s.windows; i++)
        for (size_t t = 0; t < s.frames; t += STRIP) {
            const size_t count = strip_at(&s, t);
            lay_out(&s, x + i * s.frames * row, t, count, scratch);
            linear_forward(count * s.positions, TAPS * s.channels, s.channels, scratch, w, bias,
                           y + (i * s.frames + t) * row);
        }
}

void grid_convolve_backward(GridShape s, const real *x, const real *w, const real *dy,
                            real *scratch, real *dx, real *dw, real *dbias)
{
    const size_t row = s.positions * s.channels;
    real *columns = scratch, *dcolumns = scratch + STRIP * s.positions * TAPS * s.channels;
    memset(dx, 0, s.windows * s.frames * row * sizeof *dx);
    for (size_t i = 0; i < s.windows; i++)
        for (size_t t = 0; t < s.frames; t += STRIP) {
            const size_t count = strip_at(&s, t);
            lay_out(&s, x + i * s.frames * row, t, count, columns);
            linear_backward(count * s.positions, TAPS * s.channels, s.channels, columns, w,
                            dy + (i * s.frames + t) * row, dcolumns, dw, dbias);
            take_up(&s, dcolumns, t, count, dx + i * s.frames * row);
        }
}
