#include "models/panels.h"

#include <string.h>

size_t panels_count(size_t out)
{
    return (out + PANELS_WIDTH - 1) / PANELS_WIDTH;
}

size_t panels_size(size_t in, size_t out)
{
    return panels_count(out) * PANELS_WIDTH * in;
}

/* Inputs that are turned at once: what is written meanwhile stays in the first cache. */
enum { STRIP = 16 };

static void pack_strip(size_t n, size_t width, const float *restrict w, size_t stride,
                       float *restrict panel)
{
    for (size_t o = 0; o < width; o++)
        for (size_t i = 0; i < n; i++)
            panel[i * PANELS_WIDTH + o] = w[o * stride + i];
    for (size_t i = 0; i < n; i++)
        for (size_t o = width; o < PANELS_WIDTH; o++)
            panel[i * PANELS_WIDTH + o] = 0.0f;
}

void panels_pack(size_t in, size_t out, const float *w, size_t stride, float *panels)
{
    for (size_t first = 0; first < out; first += PANELS_WIDTH, panels += in * PANELS_WIDTH) {
        const size_t width = out - first < PANELS_WIDTH ? out - first : PANELS_WIDTH;
        for (size_t i = 0; i < in; i += STRIP)
            pack_strip(in - i < STRIP ? in - i : STRIP, width, w + first * stride + i, stride,
                       panels + i * PANELS_WIDTH);
    }
}

size_t panels_tile_rows(size_t rows, size_t done)
{
    const size_t left = rows - done, tiles = (left + PANELS_ROWS - 1) / PANELS_ROWS;
    return (left + tiles - 1) / tiles;
}
