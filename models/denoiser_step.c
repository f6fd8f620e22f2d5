#include "models/denoiser_step.h"

#include "dsp/pages.h"
#include "dsp/products.h"
#include "models/denoiser_network.h"
#include "models/layers.h"
#include "models/refiner_step.h"

#include <stdlib.h>
#include <string.h>

struct DenoiserSteps {
    const Denoiser *denoiser;
    PanelsTile tile;
    PanelsLayer level1, level2, remember, past, film, out, outs[DENOISER_MAX_BLOCKS];
    MinimalConvolution in, convs[DENOISER_MAX_BLOCKS];
    const float *classes; /* (classes, condition) */
    RefinerSteps refiner;
    float *values; /* the one allocation that all weights lie in: `size` numbers */
    size_t size;
};

struct DenoiserTold {
    const DenoiserSteps *steps;
    float *film;                        /* (DENOISER_LEVELS, FiLM's size) */
    float *refiner_film, *refiner_bias; /* as models/refiner_step.h has them */
    float *common;                      /* what the window adds to the condition at all levels */
    float *sinusoids, *hidden, *sum;
    float *padded; /* a frame for the refiner */
    float *memory; /* the one allocation that all of these lie in */
};

struct DenoiserSpace {
    const DenoiserSteps *steps;
    float *marked;          /* (frames, bands + 1) */
    float *planes;          /* (GROUP_PLANES, groups, bands + 1 or channels) */
    float *trunk;           /* (frames, channels) */
    float *normed, *active; /* (frames, channels) */
    float *zeros;           /* (bands + 1 or channels,) */
    RefinerSpace refiner;
    float *memory; /* the one allocation that all of these lie in: `size` numbers */
    size_t size;
};

/* Packs the weights, or only counts. */
static void lay(DenoiserSteps *steps, PanelsBuilder *builder)
{
    const Denoiser *d = steps->denoiser;
    const DenoiserConfig *c = &d->config;
    steps->level1 =
        panels_layer_lay(builder, 2 * DENOISER_SINUSOIDS, c->condition, d->level1_w, d->level1_b);
    steps->level2 = panels_layer_lay(builder, c->condition, c->condition, d->level2_w, d->level2_b);
    steps->remember =
        panels_layer_lay(builder, c->bands, c->condition, d->memory_w, PANELS_NO_BIAS);
    steps->past = panels_layer_lay(builder, c->past, c->condition, d->past_w, PANELS_NO_BIAS);
    steps->film =
        panels_layer_lay(builder, c->condition, denoiser_film_size(c), d->film_w, d->film_b);
    steps->in = minimal_convolution_lay(builder, c->bands + 1, c->channels, d->in_w, d->in_b);
    for (size_t b = 0; b < c->blocks; b++) {
        const DenoiserBlock *o = &d->blocks[b];
        steps->convs[b] =
            minimal_convolution_lay(builder, c->channels, c->channels, o->conv_w, o->conv_b);
        steps->outs[b] = panels_layer_lay(builder, c->channels, c->channels, o->out_w, o->out_b);
    }
    steps->out = panels_layer_lay(builder, c->channels, c->bands, d->out_w, d->out_b);
    float *classes = panels_take(builder, c->classes * c->condition);
    if (classes)
        memcpy(classes, builder->weights + d->class_table,
               c->classes * c->condition * sizeof *classes);
    steps->classes = classes;
    refiner_steps_lay(&steps->refiner, d->refiner, steps->tile, builder);
}

DenoiserSteps *denoiser_steps_create(const Denoiser *denoiser, const float *weights,
                                     PanelsPath path, Error *err)
{
    DenoiserSteps *steps = calloc(1, sizeof *steps);
    if (steps) {
        steps->denoiser = denoiser;
        steps->tile = panels_tile(path);
        PanelsBuilder builder = {.values = NULL};
        lay(steps, &builder);
        steps->size = builder.used + builder.scratch;
        steps->values = pages_alloc(steps->size, sizeof *steps->values);
    }
    if (!steps || !steps->values) {
        free(steps);
        error_set(err, "out of memory for a denoiser's packed weights");
        return NULL;
    }
    denoiser_steps_pack(steps, weights);
    return steps;
}

void denoiser_steps_pack(DenoiserSteps *steps, const float *weights)
{
    lay(steps, &(PanelsBuilder){.weights = weights, .values = steps->values});
}

void denoiser_steps_destroy(DenoiserSteps *steps)
{
    if (!steps)
        return;
    pages_free(steps->values, steps->size, sizeof *steps->values);
    free(steps);
}

const DenoiserConfig *denoiser_steps_config(const DenoiserSteps *steps)
{
    return &steps->denoiser->config;
}

/* Divides the memory, or only counts. */
static size_t lay_out_told(DenoiserTold *told)
{
    const DenoiserSteps *steps = told->steps;
    const DenoiserConfig *c = &steps->denoiser->config;
    PanelsBuilder builder = {.values = told->memory};
    told->film = panels_take(&builder, DENOISER_LEVELS * denoiser_film_size(c));
    told->refiner_film =
        panels_take(&builder, DENOISER_LEVELS * refiner_steps_film(&steps->refiner));
    told->refiner_bias = panels_take(&builder, refiner_steps_bias(&steps->refiner));
    told->sinusoids = panels_take(&builder, DENOISER_LEVELS * 2 * DENOISER_SINUSOIDS);
    told->hidden = panels_take(&builder, DENOISER_LEVELS * c->condition);
    told->sum = panels_take(&builder, DENOISER_LEVELS * c->condition);
    told->common = panels_take(&builder, c->condition);
    told->padded = panels_take(&builder, refiner_steps_padded(&steps->refiner));
    return builder.used;
}

DenoiserTold *denoiser_told_create(const DenoiserSteps *steps, Error *err)
{
    DenoiserTold *told = calloc(1, sizeof *told);
    if (told) {
        told->steps = steps;
        told->memory = calloc(lay_out_told(told), sizeof *told->memory);
    }
    if (!told || !told->memory) {
        free(told);
        error_set(err, "out of memory for a window's condition");
        return NULL;
    }
    lay_out_told(told);
    return told;
}

void denoiser_told_destroy(DenoiserTold *told)
{
    if (!told)
        return;
    free(told->memory);
    free(told);
}

static void run_rows(const DenoiserSteps *steps, const PanelsLayer *layer, size_t rows,
                     const float *x, float *y, PanelsEnd end)
{
    panels_layer_run(steps->tile, layer,
                     &(PanelsCall){.rows = rows,
                                   .x = x,
                                   .x_stride = layer->in,
                                   .y = y,
                                   .y_stride = layer->out,
                                   .end = end});
}

void denoiser_tell(DenoiserTold *told, const DenoiserWindow *window)
{
    const DenoiserSteps *steps = told->steps;
    const DenoiserConfig *c = &steps->denoiser->config;
    run_rows(steps, &steps->remember, 1, window->memory, told->common, PANELS_PUT);
    run_rows(steps, &steps->past, 1, window->past, told->common, PANELS_ADD);
    for (size_t i = 0; i < c->classes; i++)
        products_add(c->condition, window->mix[i], steps->classes + i * c->condition, told->common);
    refiner_steps_remember(&steps->refiner, window->memory, told->padded, told->refiner_bias);
}

void denoiser_tell_levels(DenoiserTold *told, const double *half_log_snr, size_t n)
{
    const DenoiserSteps *steps = told->steps;
    const DenoiserConfig *c = &steps->denoiser->config;
    const size_t size = denoiser_film_size(c);
    for (size_t l = 0; l < n; l++)
        sinusoid_forward(DENOISER_LEVEL_SCALE * half_log_snr[l], DENOISER_LEVEL_LONGEST,
                         DENOISER_SINUSOIDS, told->sinusoids + l * 2 * DENOISER_SINUSOIDS);
    run_rows(steps, &steps->level1, n, told->sinusoids, told->hidden, PANELS_SILU);
    run_rows(steps, &steps->level2, n, told->hidden, told->sum, PANELS_PUT);
    for (size_t l = 0; l < n; l++)
        accumulate(c->condition, told->common, told->sum + l * c->condition);
    panels_silu(n * c->condition, told->sum);
    run_rows(steps, &steps->film, n, told->sum, told->film, PANELS_PUT);
    /* Scales and gates are used as 1 + what the network says. */
    for (size_t l = 0; l < n; l++)
        for (size_t i = 0; i < size; i++)
            told->film[l * size + i] += i / c->channels % 3 == 1 ? 0.0f : 1.0f;
    refiner_steps_tell(&steps->refiner, n, told->sum, told->refiner_film);
}

static size_t widest(const DenoiserConfig *c)
{
    return c->bands + 1 > c->channels ? c->bands + 1 : c->channels;
}

/* Divides the memory, or only counts. */
static size_t lay_out_space(DenoiserSpace *space, size_t frames)
{
    const DenoiserConfig *c = &space->steps->denoiser->config;
    PanelsBuilder builder = {.values = space->memory};
    size_t planes = group_count(frames, 1) * (c->bands + 1);
    for (size_t b = 0; b < c->blocks; b++) {
        const size_t size = group_count(frames, c->dilations[b]) * c->channels;
        planes = size > planes ? size : planes;
    }
    space->marked = panels_take(&builder, frames * (c->bands + 1));
    space->planes = panels_take(&builder, GROUP_PLANES * planes);
    space->trunk = panels_take(&builder, frames * c->channels);
    space->normed = panels_take(&builder, frames * c->channels);
    space->active = panels_take(&builder, frames * c->channels);
    space->zeros = panels_take(&builder, widest(c));
    refiner_space_lay(&space->refiner, &space->steps->refiner, frames, &builder);
    return builder.used;
}

DenoiserSpace *denoiser_space_create(const DenoiserSteps *steps, size_t frames, Error *err)
{
    DenoiserSpace *space = calloc(1, sizeof *space);
    if (space) {
        space->steps = steps;
        space->size = lay_out_space(space, frames);
        space->memory = pages_alloc(space->size, sizeof *space->memory);
    }
    if (!space || !space->memory) {
        free(space);
        error_set(err, "out of memory for a denoiser at %zu frames", frames);
        return NULL;
    }
    lay_out_space(space, frames);
    return space;
}

void denoiser_space_destroy(DenoiserSpace *space)
{
    if (!space)
        return;
    pages_free(space->memory, space->size, sizeof *space->memory);
    free(space);
}

/* x (frames, row), put through a convolution -> y (frames, channels). */
static void convolve(DenoiserSpace *space, const MinimalConvolution *convolution,
                     const GroupShape *shape, const float *x, float *y, bool silu)
{
    const size_t row = convolution->in, count = group_count(shape->frames, shape->dilation);
    group_planes(shape, 0, count, row, x, space->zeros, space->planes);
    minimal_convolution_run(space->steps->tile, convolution,
                            &(GroupCall){.shape = *shape,
                                         .group = 0,
                                         .count = count,
                                         .places = 1,
                                         .channels = row,
                                         .row = row,
                                         .planes = space->planes,
                                         .y = y,
                                         .silu = silu});
}

static void run_in(DenoiserSpace *space, const DenoiserStep *step, size_t first)
{
    const size_t bands = space->steps->denoiser->config.bands, wide = bands + 1;
    for (size_t t = 0; t < step->frames; t++) {
        memcpy(space->marked + t * wide, step->x + t * bands, bands * sizeof(float));
        space->marked[t * wide + bands] = step->known[t];
    }
    convolve(space, &space->steps->in, &(GroupShape){step->frames, 1, first}, space->marked,
             space->trunk, false);
}

/* Block b, whose output is wanted from frame `first` on. */
static void run_block(DenoiserSpace *space, size_t b, size_t frames, size_t first,
                      const float *film)
{
    const DenoiserSteps *steps = space->steps;
    const DenoiserConfig *config = &steps->denoiser->config;
    const size_t c = config->channels, from = group_first(first, config->dilations[b]);
    panels_norm(frames - from, c, space->trunk + from * c, film, film + c,
                space->normed + from * c);
    convolve(space, &steps->convs[b], &(GroupShape){frames, config->dilations[b], first},
             space->normed, space->active, true);
    panels_layer_run(steps->tile, &steps->outs[b],
                     &(PanelsCall){.rows = frames - first,
                                   .x = space->active + first * c,
                                   .x_stride = c,
                                   .y = space->trunk + first * c,
                                   .y_stride = c,
                                   .end = PANELS_GATE,
                                   .gate = film + 2 * c});
}

void denoiser_step(DenoiserSpace *space, const DenoiserTold *told, const DenoiserStep *step,
                   float *out)
{
    const DenoiserSteps *steps = space->steps;
    const DenoiserConfig *config = &steps->denoiser->config;
    const size_t c = config->channels, frames = step->frames;
    const float *film = told->film + step->level * denoiser_film_size(config);
    size_t firsts[DENOISER_MAX_BLOCKS + 1];
    firsts[config->blocks] = refiner_steps_first(&steps->refiner, step->first);
    for (size_t b = config->blocks; b-- > 0;)
        firsts[b] = group_first(firsts[b + 1], config->dilations[b]);
    run_in(space, step, firsts[0]);
    for (size_t b = 0; b < config->blocks; b++, film += 3 * c)
        run_block(space, b, frames, firsts[b + 1], film);

    const size_t from = firsts[config->blocks];
    float *features = space->active;
    panels_norm(frames - from, c, space->trunk + from * c, film, film + c, features + from * c);
    panels_silu((frames - from) * c, features + from * c);
    run_rows(steps, &steps->out, frames - step->first, features + step->first * c,
             out + step->first * config->bands, PANELS_PUT);
    refiner_steps_run(&steps->refiner, &space->refiner,
                      &(RefinerCall){.frames = frames,
                                     .first = step->first,
                                     .x = step->x,
                                     .features = features,
                                     .film = told->refiner_film +
                                             step->level * refiner_steps_film(&steps->refiner),
                                     .bias = told->refiner_bias},
                      out);
}
