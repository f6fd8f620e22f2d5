#include "models/refiner_step.h"

#include "models/refiner_network.h"

#include <string.h>

void refiner_steps_lay(RefinerSteps *steps, const Refiner *r, PanelsTile tile,
                       PanelsBuilder *builder)
{
    const size_t c = r->config.channels, width = 2 * r->config.stride;
    steps->refiner = r;
    steps->tile = tile;
    steps->patch = panels_layer_lay(builder, width, c, r->patch_w, PANELS_NO_BIAS);
    steps->memory = panels_layer_lay(builder, width, c, r->memory_w, PANELS_NO_BIAS);
    steps->outline =
        panels_layer_lay(builder, r->place.features, r->positions * c, r->outline_w, r->outline_b);
    steps->film =
        panels_layer_lay(builder, r->place.condition, refiner_film_size(r), r->film_w, r->film_b);
    for (size_t b = 0; b < r->config.blocks; b++) {
        const RefinerBlock *o = &r->blocks[b];
        steps->conv[b] = minimal_convolution_lay(builder, 3 * c, c, o->conv_w, o->conv_b);
        steps->out[b] = panels_layer_lay(builder, c, c, o->out_w, o->out_b);
    }
    steps->last = panels_layer_lay(builder, c, width, r->out_w, r->out_b);
}

size_t refiner_steps_film(const RefinerSteps *steps)
{
    return refiner_film_size(steps->refiner);
}

size_t refiner_steps_bias(const RefinerSteps *steps)
{
    /* Whole panels are read. */
    return panels_count(steps->outline.out) * PANELS_WIDTH;
}

void refiner_steps_tell(const RefinerSteps *steps, size_t levels, const float *condition,
                        float *film)
{
    const size_t c = steps->refiner->config.channels, size = refiner_film_size(steps->refiner);
    panels_layer_run(steps->tile, &steps->film,
                     &(PanelsCall){.rows = levels,
                                   .x = condition,
                                   .x_stride = steps->film.in,
                                   .y = film,
                                   .y_stride = size,
                                   .end = PANELS_PUT});
    /* Scales and gates are used as 1 + what the network says. */
    for (size_t l = 0; l < levels; l++)
        for (size_t i = 0; i < size; i++)
            film[l * size + i] += i / c % 3 == 1 ? 0.0f : 1.0f;
}

size_t refiner_steps_padded(const RefinerSteps *steps)
{
    const Refiner *r = steps->refiner;
    return (r->positions + 1) * r->config.stride;
}

/* A frame's patches as they lie in a padded one: patch p begins at p * stride. */
static PanelsCall patches_of(const RefinerSteps *steps, const float *frame, float *padded, float *y)
{
    const Refiner *r = steps->refiner;
    memcpy(padded + r->config.stride, frame, r->place.bands * sizeof *frame);
    return (PanelsCall){.rows = r->positions,
                        .x = padded,
                        .x_stride = r->config.stride,
                        .y = y,
                        .y_stride = r->config.channels,
                        .end = PANELS_ADD};
}

void refiner_steps_remember(const RefinerSteps *steps, const float *memory, float *padded,
                            float *bias)
{
    memcpy(bias, steps->outline.bias, refiner_steps_bias(steps) * sizeof *bias);
    const PanelsCall call = patches_of(steps, memory, padded, bias);
    panels_layer_run(steps->tile, &steps->memory, &call);
}

void refiner_space_lay(RefinerSpace *space, const RefinerSteps *steps, size_t frames,
                       PanelsBuilder *builder)
{
    const Refiner *r = steps->refiner;
    const size_t c = r->config.channels, row = r->positions * c, wide = row + 2 * c;
    space->padded = panels_take(builder, refiner_steps_padded(steps));
    space->trunk = panels_take(builder, frames * row);
    space->normed = panels_take(builder, frames * wide);
    space->planes = panels_take(builder, GROUP_PLANES * wide);
    space->active = panels_take(builder, GROUP_FRAMES * row);
    space->patches = panels_take(builder, r->positions * 2 * r->config.stride);
    space->zeros = panels_take(builder, wide);
}

static size_t first_of_block(const RefinerSteps *steps, size_t b, size_t first)
{
    for (size_t i = steps->refiner->config.blocks; i-- > b;)
        first = group_first(first, refiner_dilation(i));
    return first;
}

size_t refiner_steps_first(const RefinerSteps *steps, size_t first)
{
    return first_of_block(steps, 0, first);
}

/* The trunk as it begins, from frame `from` on. */
static void begin(const RefinerSteps *steps, RefinerSpace *space, const RefinerCall *call,
                  size_t from)
{
    const Refiner *r = steps->refiner;
    const size_t row = r->positions * r->config.channels;
    panels_layer_run(steps->tile, &steps->outline,
                     &(PanelsCall){.rows = call->frames - from,
                                   .x = call->features + from * r->place.features,
                                   .x_stride = r->place.features,
                                   .y = space->trunk + from * row,
                                   .y_stride = row,
                                   .end = PANELS_PUT,
                                   .bias = call->bias});
    for (size_t t = from; t < call->frames; t++) {
        const PanelsCall patches =
            patches_of(steps, call->x + t * r->place.bands, space->padded, space->trunk + t * row);
        panels_layer_run(steps->tile, &steps->patch, &patches);
    }
}

/* Block b's second layer: active (positions, channels) -> added to frame t of the trunk. */
static void add_frame(const RefinerSteps *steps, RefinerSpace *space, size_t b, size_t t,
                      const float *active, const float *gate)
{
    const Refiner *r = steps->refiner;
    const size_t c = r->config.channels, row = r->positions * c;
    panels_layer_run(steps->tile, &steps->out[b],
                     &(PanelsCall){.rows = r->positions,
                                   .x = active,
                                   .x_stride = c,
                                   .y = space->trunk + t * row,
                                   .y_stride = c,
                                   .end = PANELS_GATE,
                                   .gate = gate});
}

static void convolve_group(const RefinerSteps *steps, RefinerSpace *space, size_t b, size_t j,
                           const GroupShape *shape)
{
    const size_t c = steps->refiner->config.channels, wide = (steps->refiner->positions + 2) * c;
    group_planes(shape, j, 1, wide, space->normed, space->zeros, space->planes);
    minimal_convolution_run(steps->tile, &steps->conv[b],
                            &(GroupCall){.shape = *shape,
                                         .group = j,
                                         .count = 1,
                                         .places = steps->refiner->positions,
                                         .channels = c,
                                         .row = wide,
                                         .planes = space->planes,
                                         .silu = true,
                                         .y = space->active,
                                         .gathered = true});
}

/* Group after group, and each frame is normed shortly before the first one that looks at it, so
 * that all stays in the processor's own cache. */
static void run_block(const RefinerSteps *steps, RefinerSpace *space, size_t b,
                      const RefinerCall *call)
{
    const Refiner *r = steps->refiner;
    const size_t c = r->config.channels, row = r->positions * c, d = refiner_dilation(b);
    const float *film = call->film + 3 * b * c;
    const GroupShape shape = {call->frames, d, first_of_block(steps, b + 1, call->first)};
    size_t normed = first_of_block(steps, b, call->first);
    for (size_t j = 0; j < group_count(shape.frames, d); j++) {
        const size_t last = group_frame(j, GROUP_FRAMES - 1, d);
        if (last < shape.first)
            continue;
        for (; normed < shape.frames && normed <= last + d; normed++)
            panels_norm(r->positions, c, space->trunk + normed * row, film, film + c,
                        space->normed + normed * (row + 2 * c) + c);
        convolve_group(steps, space, b, j, &shape);
        for (size_t k = 0; k < GROUP_FRAMES; k++) {
            const size_t t = group_frame(j, k, d);
            if (t >= shape.first && t < shape.frames)
                add_frame(steps, space, b, t, space->active + k * row, film + 2 * c);
        }
    }
}

/* Overlapping patches (positions, 2 stride) are summed into a frame. */
KERNEL static void paste(size_t bands, size_t stride, const float *patches, float *frame)
{
    for (size_t first = 0; first < bands; first += stride, patches += 2 * stride) {
        const size_t n = bands - first < stride ? bands - first : stride;
        for (size_t i = 0; i < n; i++)
            frame[first + i] += patches[stride + i] + patches[2 * stride + i];
    }
}

/* The output layer of frame t. */
static void finish(const RefinerSteps *steps, RefinerSpace *space, const RefinerCall *call,
                   size_t t, float *out)
{
    const Refiner *r = steps->refiner;
    const size_t c = r->config.channels, row = r->positions * c;
    const float *film = call->film + 3 * r->config.blocks * c;
    float *active = space->active;
    panels_norm(r->positions, c, space->trunk + t * row, film, film + c, active);
    panels_silu(row, active);
    panels_layer_run(steps->tile, &steps->last,
                     &(PanelsCall){.rows = r->positions,
                                   .x = active,
                                   .x_stride = c,
                                   .y = space->patches,
                                   .y_stride = 2 * r->config.stride,
                                   .end = PANELS_PUT});
    paste(r->place.bands, r->config.stride, space->patches, out + t * r->place.bands);
}

void refiner_steps_run(const RefinerSteps *steps, RefinerSpace *space, const RefinerCall *call,
                       float *out)
{
    begin(steps, space, call, refiner_steps_first(steps, call->first));
    for (size_t b = 0; b < steps->refiner->config.blocks; b++)
        run_block(steps, space, b, call);
    for (size_t t = call->first; t < call->frames; t++)
        finish(steps, space, call, t, out);
}
