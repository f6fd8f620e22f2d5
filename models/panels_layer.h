/* Layers of networks that play, over packed weights (models/panels.h): linear layers that finish
 * their sums while they are at hand, layer norm together with FiLM, and SiLU. The same to the bit
 * with AVX2 and AVX-512. Any thread. */
#ifndef BRUME_MODELS_PANELS_LAYER_H
#define BRUME_MODELS_PANELS_LAYER_H

#include "models/panels.h"

/* Divides one allocation, for packed weights or for working space: `values` NULL only counts. */
typedef struct PanelsBuilder {
    const float *weights; /* the network's, if it is weights */
    float *values;        /* room for all, and for `scratch` values more */
    size_t used, scratch;
} PanelsBuilder;

/* The next n values of it, a multiple of 64 bytes after the first; NULL while it only counts. */
float *panels_take(PanelsBuilder *builder, size_t n);

/* n values until the next call of any function here; NULL while the builder only counts. */
float *panels_scratch(PanelsBuilder *builder, size_t n);

/* A layer: panels of (out, in) weights, bias (out,) with zeros up to a whole panel. */
typedef struct PanelsLayer {
    size_t in, out;
    const float *panels, *bias;
} PanelsLayer;

#define PANELS_NO_BIAS ((size_t)-1)

/* The layer whose weights (out, in) begin at `w` of the network's, its bias at `b`. */
PanelsLayer panels_layer_lay(PanelsBuilder *builder, size_t in, size_t out, size_t w, size_t b);

/* What becomes of a layer's sums s = x w^T + bias. */
typedef enum {
    PANELS_PUT,  /* y = s */
    PANELS_ADD,  /* y += s */
    PANELS_SILU, /* y = SiLU(s) */
    PANELS_GATE  /* y += s * gate, gate (out,) */
} PanelsEnd;

/* x (rows, in), `x_stride` values from a row to the next -> y (rows, out), `y_stride` apart. `bias`
 * (as a PanelsLayer has it) takes the place of the layer's own unless NULL; `gate` is read by
 * PANELS_GATE alone. */
typedef struct PanelsCall {
    size_t rows;
    const float *x;
    size_t x_stride;
    float *y;
    size_t y_stride;
    PanelsEnd end;
    const float *gate, *bias;
} PanelsCall;
void panels_layer_run(PanelsTile tile, const PanelsLayer *layer, const PanelsCall *call);

/* Layer norm over channels and FiLM: y = (x - mean) / sqrt(variance + 1e-5) * scale + shift, scale
 * and shift (channels,). x, y (rows, channels). */
void panels_norm(size_t rows, size_t channels, const float *x, const float *scale,
                 const float *shift, float *y);

/* x = SiLU(x); n values. */
void panels_silu(size_t n, float *x);

#endif
