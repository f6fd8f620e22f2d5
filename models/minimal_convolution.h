/* Convolutions of three frames, `dilation` apart, for networks that play, with half the
 * multiply-adds that they have by definition.
 *
 * Four frames, t, t + dilation, ... t + 3 dilation, are made together, by the minimal filtering
 * F(4, 3) of Winograd (1980; for networks, Lavin & Gray 2016): six products of combinations of the
 * six frames around them with combinations of the three taps, in the place of twelve. Groups depend
 * on the frame's number and the dilation alone: block after block of 4 dilation frames, frame t of
 * a block's first quarter with those that lie as deep in the other three.
 *
 * A frame is a row of `places` places side by side, `channels` values each, and a product looks at
 * `in` values from its place on: as many for a layer with bands as channels (one place), 3 channels
 * for one over a grid, whose rows begin and end with a place of zeros. Any thread. */
#ifndef BRUME_MODELS_MINIMAL_CONVOLUTION_H
#define BRUME_MODELS_MINIMAL_CONVOLUTION_H

#include "models/panels_layer.h"

enum { GROUP_FRAMES = 4, GROUP_PLANES = 6 };

/* Weights: panel by panel the six planes of (in, PANELS_WIDTH); bias as PanelsLayer's. */
typedef struct MinimalConvolution {
    size_t in, out;
    const float *panels, *bias;
} MinimalConvolution;

/* The weights (out, 3 taps, in) begin at `w` of the network's, the bias (out,) at `b`. */
MinimalConvolution minimal_convolution_lay(PanelsBuilder *builder, size_t in, size_t out, size_t w,
                                           size_t b);

/* Which frames there are, and from which on they are wanted: those before `first` may be made or
 * not. */
typedef struct GroupShape {
    size_t frames, dilation, first;
} GroupShape;

/* Groups that `frames` frames make; more frames never make fewer. */
size_t group_count(size_t frames, size_t dilation);

/* Frame `k` (0..GROUP_FRAMES-1) of group j; it may lie outside. */
size_t group_frame(size_t j, size_t k, size_t dilation);

/* The first frame of input that is looked at when frames of output are wanted from `first` on. */
size_t group_first(size_t first, size_t dilation);

/* Groups group..group+count-1 of x (frames, row) -> planes (GROUP_PLANES, count, row). zeros
 * (row,). Those of which no frame is wanted are left out. */
void group_planes(const GroupShape *shape, size_t group, size_t count, size_t row, const float *x,
                  const float *zeros, float *planes);

/* The convolution of those groups, through SiLU if `silu`. A row of planes has `row` values,
 * `channels` for each place. */
typedef struct GroupCall {
    GroupShape shape;
    size_t group, count, places, channels, row;
    const float *planes;
    bool silu;
    float *y; /* (frames, places, out), or, `gathered` and `count` 1, the group's frames alone, */
    bool gathered; /* one after the other */
} GroupCall;
void minimal_convolution_run(PanelsTile tile, const MinimalConvolution *convolution,
                             const GroupCall *call);

#endif
