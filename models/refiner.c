#include "models/refiner_network.h"

#include "models/grid.h"
#include "models/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one block leaves for the way back; in a pass for inference all blocks share one. All are
 * (rows, positions, channels) but the second, (rows, positions). */
typedef struct BlockState {
    real *normed, *inverse;
    real *modulated;
    real *inner, *active; /* before SiLU and after it */
    real *outer;
} BlockState;

struct RefinerPass {
    const Refiner *refiner;
    size_t windows, rows;
    bool training;
    BlockState states[REFINER_MAX_BLOCKS + 1]; /* the last is the output layer's */
    real *patches;                             /* (rows, positions, 2 stride) */
    real *memory_patches;                      /* (windows, positions, 2 stride) */
    real *known;                               /* (windows, positions, channels): of the memory */
    real *trunk;                               /* (rows, positions, channels) */
    real *film, *scratch;
    real *dtrunk, *dpart, *dpatches, *dfilm, *dcondition; /* the way back */
    real *memory; /* the one allocation that all of these lie in */
};

/* Patches share their weights, so a small file could ask for hours of work: no more values a frame
 * than this. The default network has 1088. */
enum { MOST_VALUES = 65536 };

static int check_config(const RefinerConfig *c, size_t bands, Error *err)
{
    if (c->channels < 4 || c->channels > 256)
        return error_set(err, "a refiner of %zu channels: 4 to 256 are possible", c->channels);
    if (c->blocks > REFINER_MAX_BLOCKS)
        return error_set(err, "a refiner of %zu blocks: 0 to %d are possible", c->blocks,
                         REFINER_MAX_BLOCKS);
    if (c->stride < 2 || c->stride > 256)
        return error_set(err, "a refiner's stride of %zu bands: 2 to 256 are possible", c->stride);
    if (grid_positions(bands, c->stride) * c->channels > MOST_VALUES)
        return error_set(err, "a refiner of %zu patches of %zu channels: %d values are possible",
                         grid_positions(bands, c->stride), c->channels, MOST_VALUES);
    return 0;
}

static size_t add2(Parameters *p, const char *name, ParameterStart start, size_t a, size_t b)
{
    return parameters_add(p, name, start, 2, (size_t[]){a, b});
}

static size_t add1(Parameters *p, const char *name, size_t a)
{
    return parameters_add(p, name, PARAMETER_ZERO, 1, (size_t[]){a});
}

static void add_block(Refiner *r, size_t b, Parameters *parameters)
{
    const size_t c = r->config.channels;
    RefinerBlock *o = &r->blocks[b];
    char name[64];
    snprintf(name, sizeof name, "refiner.blocks.%zu.conv.weight", b);
    o->conv_w = add2(parameters, name, PARAMETER_FAN_IN, c, 9 * c);
    snprintf(name, sizeof name, "refiner.blocks.%zu.conv.bias", b);
    o->conv_b = add1(parameters, name, c);
    /* Zero at the start: a new block changes nothing. */
    snprintf(name, sizeof name, "refiner.blocks.%zu.out.weight", b);
    o->out_w = add2(parameters, name, PARAMETER_ZERO, c, c);
    snprintf(name, sizeof name, "refiner.blocks.%zu.out.bias", b);
    o->out_b = add1(parameters, name, c);
}

Refiner *refiner_create(const RefinerConfig *config, RefinerPlace place, Parameters *parameters,
                        Error *err)
{
    if (check_config(config, place.bands, err))
        return NULL;
    Refiner *r = calloc(1, sizeof *r);
    if (!r) {
        error_set(err, "out of memory for a refiner");
        return NULL;
    }
    r->config = *config;
    r->place = place;
    r->positions = grid_positions(place.bands, config->stride);
    const size_t c = config->channels, all = r->positions * c, width = 2 * config->stride;
    r->patch_w = add2(parameters, "refiner.patch.weight", PARAMETER_FAN_IN, c, width);
    r->memory_w = add2(parameters, "refiner.memory.weight", PARAMETER_FAN_IN, c, width);
    r->outline_w =
        add2(parameters, "refiner.outline.weight", PARAMETER_FAN_IN, all, place.features);
    r->outline_b = add1(parameters, "refiner.outline.bias", all);
    r->film_w = add2(parameters, "refiner.film.weight", PARAMETER_ZERO, refiner_film_size(r),
                     place.condition);
    r->film_b = add1(parameters, "refiner.film.bias", refiner_film_size(r));
    for (size_t b = 0; b < config->blocks; b++)
        add_block(r, b, parameters);
    r->out_w = add2(parameters, "refiner.out.weight", PARAMETER_ZERO, width, c);
    r->out_b = add1(parameters, "refiner.out.bias", width);
    return r;
}

void refiner_destroy(Refiner *refiner)
{
    free(refiner);
}

double refiner_cost(const Refiner *r)
{
    const double c = (double)r->config.channels, stride = (double)r->config.stride;
    const double inside = 2.0 * 2.0 * stride * c + 10.0 * c * c * (double)r->config.blocks;
    return (double)r->positions * (inside + c * (double)r->place.features);
}

/* Hands out `n` values of the pass's memory; with no memory yet it only counts. */
static real *take(RefinerPass *pass, size_t *used, size_t n)
{
    real *at = pass->memory ? pass->memory + *used : NULL;
    *used += (n + 15) & ~(size_t)15;
    return at;
}

static void lay_out_state(RefinerPass *pass, size_t *used, BlockState *state, bool last)
{
    const size_t places = pass->rows * pass->refiner->positions;
    const size_t size = places * pass->refiner->config.channels;
    state->normed = take(pass, used, size);
    state->inverse = take(pass, used, places);
    state->inner = take(pass, used, size);
    state->active = take(pass, used, size);
    if (!last) {
        state->modulated = take(pass, used, size);
        state->outer = take(pass, used, size);
    }
}

/* Divides the memory; returns how many values it takes. */
static size_t lay_out(RefinerPass *pass)
{
    const Refiner *r = pass->refiner;
    const size_t places = pass->rows * r->positions, size = places * r->config.channels;
    size_t used = 0;
    for (size_t b = 0; b < r->config.blocks; b++) {
        if (b && !pass->training)
            pass->states[b] = pass->states[0];
        else
            lay_out_state(pass, &used, &pass->states[b], false);
    }
    lay_out_state(pass, &used, &pass->states[r->config.blocks], true);
    pass->patches = take(pass, &used, places * 2 * r->config.stride);
    pass->memory_patches = take(pass, &used, pass->windows * r->positions * 2 * r->config.stride);
    pass->known = take(pass, &used, pass->windows * r->positions * r->config.channels);
    pass->trunk = take(pass, &used, size);
    pass->film = take(pass, &used, pass->windows * refiner_film_size(r));
    pass->scratch = take(pass, &used, grid_scratch(r->positions, r->config.channels));
    if (pass->training) {
        pass->dtrunk = take(pass, &used, size);
        pass->dpart = take(pass, &used, size);
        pass->dpatches = take(pass, &used, places * 2 * r->config.stride);
        pass->dfilm = take(pass, &used, pass->windows * refiner_film_size(r));
        pass->dcondition = take(pass, &used, pass->windows * r->place.condition);
    }
    return used;
}

RefinerPass *refiner_pass_create(const Refiner *refiner, size_t windows, size_t rows, bool training,
                                 Error *err)
{
    RefinerPass *pass = calloc(1, sizeof *pass);
    if (pass) {
        pass->refiner = refiner;
        pass->windows = windows;
        pass->rows = rows;
        pass->training = training;
        pass->memory = calloc(lay_out(pass), sizeof *pass->memory);
    }
    if (!pass || !pass->memory) {
        free(pass);
        error_set(err, "out of memory for a refiner at %zu frames", rows);
        return NULL;
    }
    lay_out(pass);
    return pass;
}

void refiner_pass_destroy(RefinerPass *pass)
{
    if (!pass)
        return;
    free(pass->memory);
    free(pass);
}

static GridShape shape_of(const Refiner *r, const RefinerInput *in, size_t b)
{
    return (GridShape){in->windows, in->frames, r->positions, r->config.channels,
                       refiner_dilation(b)};
}

static void block_forward(RefinerPass *pass, const real *w, size_t b, const RefinerInput *in)
{
    const Refiner *r = pass->refiner;
    const size_t c = r->config.channels, stride = refiner_film_size(r);
    const size_t window = in->frames * r->positions, places = in->windows * window;
    const RefinerBlock *o = &r->blocks[b];
    const real *film = pass->film + 3 * b * c;
    BlockState *s = &pass->states[b];
    norm_forward(places, c, pass->trunk, s->normed, s->inverse);
    film_forward(in->windows, window, c, stride, film, film + c, s->normed, s->modulated);
    grid_convolve(shape_of(r, in, b), s->modulated, w + o->conv_w, w + o->conv_b, pass->scratch,
                  s->inner);
    silu_forward(places * c, s->inner, s->active);
    linear_forward(places, c, c, s->active, w + o->out_w, w + o->out_b, s->outer);
    gate_forward(in->windows, window, c, stride, film + 2 * c, s->outer, pass->trunk);
}

/* The memory's part of the trunk, the same in all frames of a window. */
static void memory_forward(RefinerPass *pass, const real *w, const RefinerInput *in)
{
    const Refiner *r = pass->refiner;
    const size_t c = r->config.channels, row = r->positions * c;
    grid_cut(in->windows, r->place.bands, r->config.stride, in->memory, pass->memory_patches);
    linear_forward(in->windows * r->positions, 2 * r->config.stride, c, pass->memory_patches,
                   w + r->memory_w, NULL, pass->known);
    for (size_t i = 0; i < in->windows * in->frames; i++)
        accumulate(row, pass->known + i / in->frames * row, pass->trunk + i * row);
}

static void memory_backward(RefinerPass *pass, const real *w, const RefinerInput *in, real *g)
{
    const Refiner *r = pass->refiner;
    const size_t c = r->config.channels, row = r->positions * c;
    memset(pass->known, 0, in->windows * row * sizeof *pass->known);
    for (size_t i = 0; i < in->windows * in->frames; i++)
        accumulate(row, pass->dtrunk + i * row, pass->known + i / in->frames * row);
    linear_backward(in->windows * r->positions, 2 * r->config.stride, c, pass->memory_patches,
                    w + r->memory_w, pass->known, NULL, g + r->memory_w, NULL);
}

void refiner_forward(RefinerPass *pass, const real *w, const RefinerInput *in, real *out)
{
    const Refiner *r = pass->refiner;
    const size_t c = r->config.channels, rows = in->windows * in->frames;
    const size_t window = in->frames * r->positions, places = in->windows * window;
    const size_t width = 2 * r->config.stride;
    BlockState *s = &pass->states[r->config.blocks];
    linear_forward(in->windows, r->place.condition, refiner_film_size(r), in->condition,
                   w + r->film_w, w + r->film_b, pass->film);
    grid_cut(rows, r->place.bands, r->config.stride, in->x, pass->patches);
    linear_forward(rows, r->place.features, r->positions * c, in->features, w + r->outline_w,
                   w + r->outline_b, pass->trunk);
    linear_forward(places, width, c, pass->patches, w + r->patch_w, NULL, s->inner);
    accumulate(places * c, s->inner, pass->trunk);
    memory_forward(pass, w, in);
    for (size_t b = 0; b < r->config.blocks; b++)
        block_forward(pass, w, b, in);

    const real *film = pass->film + 3 * r->config.blocks * c;
    norm_forward(places, c, pass->trunk, s->normed, s->inverse);
    film_forward(in->windows, window, c, refiner_film_size(r), film, film + c, s->normed, s->inner);
    silu_forward(places * c, s->inner, s->active);
    linear_forward(places, c, width, s->active, w + r->out_w, w + r->out_b, pass->patches);
    grid_paste(rows, r->place.bands, r->config.stride, pass->patches, out);
}

/* Block b: the trunk's gradient pass->dtrunk, updated in place. */
static void block_backward(RefinerPass *pass, const real *w, size_t b, const RefinerInput *in,
                           real *g)
{
    const Refiner *r = pass->refiner;
    const size_t c = r->config.channels, stride = refiner_film_size(r);
    const size_t window = in->frames * r->positions, places = in->windows * window;
    const RefinerBlock *o = &r->blocks[b];
    const real *film = pass->film + 3 * b * c;
    real *dfilm = pass->dfilm + 3 * b * c;
    BlockState *s = &pass->states[b];
    /* `outer` and `active` are not needed again: their places take gradients. */
    gate_backward(in->windows, window, c, stride, film + 2 * c, s->outer, pass->dtrunk, pass->dpart,
                  dfilm + 2 * c);
    linear_backward(places, c, c, s->active, w + o->out_w, pass->dpart, s->outer, g + o->out_w,
                    g + o->out_b);
    silu_backward(places * c, s->inner, s->outer, s->outer);
    grid_convolve_backward(shape_of(r, in, b), s->modulated, w + o->conv_w, s->outer, pass->scratch,
                           pass->dpart, g + o->conv_w, g + o->conv_b);
    film_backward(in->windows, window, c, stride, film, s->normed, pass->dpart, pass->dpart, dfilm,
                  dfilm + c);
    norm_backward(places, c, s->normed, s->inverse, pass->dpart, pass->dpart);
    accumulate(places * c, pass->dpart, pass->dtrunk);
}

/* The output layer: dout -> pass->dtrunk. */
static void output_backward(RefinerPass *pass, const real *w, const RefinerInput *in,
                            const real *dout, real *g)
{
    const Refiner *r = pass->refiner;
    const size_t c = r->config.channels, rows = in->windows * in->frames;
    const size_t window = in->frames * r->positions, places = in->windows * window;
    const BlockState *s = &pass->states[r->config.blocks];
    const real *film = pass->film + 3 * r->config.blocks * c;
    real *dfilm = pass->dfilm + 3 * r->config.blocks * c;
    grid_cut(rows, r->place.bands, r->config.stride, dout, pass->dpatches);
    linear_backward(places, c, 2 * r->config.stride, s->active, w + r->out_w, pass->dpatches,
                    pass->dtrunk, g + r->out_w, g + r->out_b);
    silu_backward(places * c, s->inner, pass->dtrunk, pass->dtrunk);
    film_backward(in->windows, window, c, refiner_film_size(r), film, s->normed, pass->dtrunk,
                  pass->dtrunk, dfilm, dfilm + c);
    norm_backward(places, c, s->normed, s->inverse, pass->dtrunk, pass->dtrunk);
}

void refiner_backward(RefinerPass *pass, const real *w, const RefinerInput *in, const real *dout,
                      real *dfeatures, real *dcondition, real *g)
{
    const Refiner *r = pass->refiner;
    const size_t c = r->config.channels, rows = in->windows * in->frames;
    const size_t places = rows * r->positions, width = 2 * r->config.stride;
    memset(pass->dfilm, 0, in->windows * refiner_film_size(r) * sizeof *pass->dfilm);
    output_backward(pass, w, in, dout, g);
    for (size_t b = r->config.blocks; b-- > 0;)
        block_backward(pass, w, b, in, g);
    /* The patches have made room for the output; the way back needs them as they went in. */
    grid_cut(rows, r->place.bands, r->config.stride, in->x, pass->patches);
    linear_backward(places, width, c, pass->patches, w + r->patch_w, pass->dtrunk, NULL,
                    g + r->patch_w, NULL);
    memory_backward(pass, w, in, g);
    linear_backward(rows, r->place.features, r->positions * c, in->features, w + r->outline_w,
                    pass->dtrunk, dfeatures, g + r->outline_w, g + r->outline_b);
    linear_backward(in->windows, r->place.condition, refiner_film_size(r), in->condition,
                    w + r->film_w, pass->dfilm, pass->dcondition, g + r->film_w, g + r->film_b);
    accumulate(in->windows * r->place.condition, pass->dcondition, dcondition);
}
