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

/* Turns a square of SQUARE outputs by SQUARE inputs, with registers that every processor has. */
enum { SQUARE = 4 };
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
#define ROW(at)                *(Four *)(at)
#define PICK(a, b, i, j, k, l) __builtin_shufflevector((a), (b), i, j, k, l)

static void turn(const float *w, size_t stride, float *panel)
{
    const Four a = *(const Four *)w, b = *(const Four *)(w + stride),
               c = *(const Four *)(w + 2 * stride), d = *(const Four *)(w + 3 * stride);
    const Four ab0 = PICK(a, b, 0, 4, 1, 5), cd0 = PICK(c, d, 0, 4, 1, 5);
    const Four ab2 = PICK(a, b, 2, 6, 3, 7), cd2 = PICK(c, d, 2, 6, 3, 7);
    ROW(panel) = PICK(ab0, cd0, 0, 1, 4, 5);
    ROW(panel + PANELS_WIDTH) = PICK(ab0, cd0, 2, 3, 6, 7);
    ROW(panel + 2 * PANELS_WIDTH) = PICK(ab2, cd2, 0, 1, 4, 5);
    ROW(panel + 3 * PANELS_WIDTH) = PICK(ab2, cd2, 2, 3, 6, 7);
}

/* One input's weights, of `width` outputs. */
static void pack_input(size_t width, const float *w, size_t stride, float *panel)
{
    for (size_t o = 0; o < width; o++)
        panel[o] = w[o * stride];
    for (size_t o = width; o < PANELS_WIDTH; o++)
        panel[o] = 0.0f;
}

void panels_pack(size_t in, size_t out, const float *w, size_t stride, float *panels)
{
    for (size_t first = 0; first < out; first += PANELS_WIDTH, panels += in * PANELS_WIDTH) {
        const size_t width = out - first < PANELS_WIDTH ? out - first : PANELS_WIDTH;
        const float *rows = w + first * stride;
        size_t i = 0;
        for (; width == PANELS_WIDTH && i + SQUARE <= in; i += SQUARE)
            for (size_t o = 0; o < PANELS_WIDTH; o += SQUARE)
                turn(rows + o * stride + i, stride, panels + i * PANELS_WIDTH + o);
        for (; i < in; i++)
            pack_input(width, rows + i, stride, panels + i * PANELS_WIDTH);
    }
}

size_t panels_tile_rows(size_t rows, size_t done)
{
    const size_t left = rows - done, tiles = (left + PANELS_ROWS - 1) / PANELS_ROWS;
    return (left + tiles - 1) / tiles;
}
