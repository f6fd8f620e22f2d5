/* Matrix products with weights laid out beforehand, for networks that play: few rows, and the same
 * weights at every step.
 *
 * A layer's weights (out, in) lie in panels of PANELS_WIDTH outputs: panel p holds, input by input,
 * the weights of outputs 32 p .. 32 p + 31, zero beyond the last. A tile is the product of up to
 * PANELS_ROWS rows with one panel. Every value of it is one sum over the inputs in ascending order,
 * begun at zero, by fused multiply-adds: it depends neither on the rows beside it nor on whether
 * the processor has AVX2 or AVX-512. On older ones products are rounded before they are added.
 *
 * Nothing here allocates or fails; all may run on any thread. */
#ifndef BRUME_MODELS_PANELS_H
#define BRUME_MODELS_PANELS_H

#include <stdbool.h>
#include <stddef.h>

enum { PANELS_WIDTH = 32, PANELS_ROWS = 12 };

/* The instruction sets that there are tiles for. */
typedef enum { PANELS_BASELINE, PANELS_AVX2, PANELS_AVX512, PANELS_PATHS } PanelsPath;

/* Whether this processor has it (AVX2 together with FMA), and the best that it has. */
bool panels_has(PanelsPath path);
PanelsPath panels_best(void);

/* "baseline", "AVX2" or "AVX-512"; a constant string. */
const char *panels_name(PanelsPath path);

/* tile (rows, PANELS_WIDTH) = x (rows, in) panel (in, PANELS_WIDTH); rows 1..PANELS_ROWS, from one
 * row of x to the next `stride` values. */
typedef void (*PanelsTile)(size_t rows, size_t in, const float *x, size_t stride,
                           const float *panel, float *tile);

/* For a path that this processor has. */
PanelsTile panels_tile(PanelsPath path);

/* Panels that `out` outputs take, and values of those of a layer. */
size_t panels_count(size_t out);
size_t panels_size(size_t in, size_t out);

/* w (out, in) -> panels (panels_size,); from one row of w to the next `stride` values. Tiles are
 * fastest where panels begin at a multiple of 64 bytes. */
void panels_pack(size_t in, size_t out, const float *w, size_t stride, float *panels);

/* Rows of the tile that begins `done` rows after the first of `rows`: tiles are as even as can be.
 */
size_t panels_tile_rows(size_t rows, size_t done);

#endif
