/* Convolutions of three frames, `dilation` apart, for networks that play, with a third fewer
 * multiply-adds than by definition.
 *
 * Frames t and t + dilation are made together, by the minimal filtering F(2, 3) of Winograd (1980;
 * for networks, Lavin & Gray 2016): of the inputs a, b, c, d at t - dilation, t, t + dilation and
 * t + 2 dilation and the taps g0, g1, g2
 *   m0 = (a - c) g0, m1 = (b + c) (g0 + g1 + g2) / 2, m2 = (c - b) (g0 - g1 + g2) / 2,
 *   m3 = (b - d) g2; y(t) = m0 + m1 + m2, y(t + dilation) = m1 - m2 - m3:
 * four products in the place of six. Pairs depend on the frame's number and the dilation alone:
 * block after block of 2 dilation frames, the first half with the second.
 *
 * A frame is a row of `places` places side by side, `channels` values each, and a product looks at
 * `in` values from its place on: as many for a layer with bands as channels (one place), 3 channels
 * for one over a grid, whose rows begin and end with a place of zeros. */
#ifndef BRUME_MODELS_PAIR_CONVOLUTION_H
#define BRUME_MODELS_PAIR_CONVOLUTION_H

#include "models/panels_layer.h"

enum { PAIR_PLANES = 4 };

/* Weights: panel by panel the four planes of (in, PANELS_WIDTH); bias as PanelsLayer's. */
typedef struct PairConvolution {
    size_t in, out;
    const float *panels, *bias;
} PairConvolution;

/* The weights (out, 3 taps, in) begin at `w` of the network's, the bias (out,) at `b`. */
PairConvolution pair_convolution_lay(PanelsBuilder *builder, size_t in, size_t out, size_t w,
                                     size_t b);

/* Pairs that `frames` frames make; the most is asked for with the most frames. */
size_t pair_count(size_t frames, size_t dilation);

/* The first frame of pair j; the second is `dilation` later, and may lie outside. */
size_t pair_frame(size_t j, size_t dilation);

/* The first frame of input that frames of output from `first` on depend on. */
size_t pair_first(size_t first, size_t dilation);

/* Which frames there are, and from which on they are wanted: those before `first` may be made or
 * not. */
typedef struct PairShape {
    size_t frames, dilation, first;
} PairShape;

/* Pairs pair..pair+count-1 of x (frames, row) -> planes (PAIR_PLANES, count, row). `zeros` (row,)
 * are all 0. Frames of x earlier than first - dilation are not looked at for what is wanted. */
void pair_planes(const PairShape *shape, size_t pair, size_t count, size_t row, const float *x,
                 const float *zeros, float *planes);

/* The convolution of those pairs: y (frames, places, out), y_row values from a frame to the next,
 * through SiLU if `silu`. A row of planes has `row` values, `channels` for each place. */
typedef struct PairCall {
    PairShape shape;
    size_t pair, count, places, channels, row;
    const float *planes;
    float *y;
    size_t y_row;
    bool silu;
} PairCall;
void pair_convolve(PanelsTile tile, const PairConvolution *convolution, const PairCall *call);

#endif
