#include "models/denoiser_network.h"

#include "models/layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one block leaves for the way back; in a pass for inference all blocks share one. */
typedef struct BlockState {
    real *normed;  /* (rows, channels) */
    real *inverse; /* (rows,) */
    real *columns; /* (rows, 3 channels) */
    real *inner;   /* (rows, channels), before SiLU */
    real *active;  /* (rows, channels), after it */
    real *outer;   /* (rows, channels) */
} BlockState;

struct DenoiserPass {
    const Denoiser *denoiser;
    size_t windows, rows;
    bool training;
    BlockState states[DENOISER_MAX_BLOCKS + 1];              /* the last is the output layer's */
    real *marked;                                            /* (rows, bands + 1) */
    real *in_columns;                                        /* (rows, 3 (bands + 1)) */
    real *trunk;                                             /* (rows, channels) */
    real *modulated;                                         /* (rows, channels) */
    real *level, *level1, *level1_active;                    /* (windows, ...) */
    real *part, *sum, *condition;                            /* (windows, condition) */
    real *film;                                              /* (windows, film size) */
    real *dcolumns, *drow1, *drow2, *dfilm, *dpart, *dlevel; /* the way back */
    real *dcondition;
    RefinerPass *refiner;
    real *memory; /* the one allocation that all of these lie in */
};

static int check_config(const DenoiserConfig *c, Error *err)
{
    if (c->bands < 1 || c->bands > 4096)
        return error_set(err, "a denoiser of %zu bands: 1 to 4096 are possible", c->bands);
    if (c->channels < 8 || c->channels > 2048)
        return error_set(err, "a denoiser of %zu channels: 8 to 2048 are possible", c->channels);
    if (c->condition < 8 || c->condition > 2048)
        return error_set(err, "a denoiser with a condition of %zu values: 8 to 2048 are possible",
                         c->condition);
    if (c->classes < 1 || c->classes > 256)
        return error_set(err, "a denoiser of %zu classes: 1 to 256 are possible", c->classes);
    if (c->past < 1 || c->past > 4096)
        return error_set(err, "a denoiser told %zu values of the past: 1 to 4096 are possible",
                         c->past);
    if (c->blocks < 1 || c->blocks > DENOISER_MAX_BLOCKS)
        return error_set(err, "a denoiser of %zu blocks: 1 to %d are possible", c->blocks,
                         DENOISER_MAX_BLOCKS);
    for (size_t b = 0; b < c->blocks; b++)
        if (c->dilations[b] < 1 || c->dilations[b] > 1024)
            return error_set(err, "a dilation of %zu frames in block %zu: 1 to 1024 are possible",
                             c->dilations[b], b);
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

static void add_block(Denoiser *d, size_t b)
{
    const size_t c = d->config.channels;
    DenoiserBlock *o = &d->blocks[b];
    char name[64];
    snprintf(name, sizeof name, "blocks.%zu.conv.weight", b);
    o->conv_w = add2(d->parameters, name, PARAMETER_FAN_IN, c, 3 * c);
    snprintf(name, sizeof name, "blocks.%zu.conv.bias", b);
    o->conv_b = add1(d->parameters, name, c);
    /* Zero at the start: a new block changes nothing. */
    snprintf(name, sizeof name, "blocks.%zu.out.weight", b);
    o->out_w = add2(d->parameters, name, PARAMETER_ZERO, c, c);
    snprintf(name, sizeof name, "blocks.%zu.out.bias", b);
    o->out_b = add1(d->parameters, name, c);
}

static void add_parameters(Denoiser *d)
{
    const DenoiserConfig *c = &d->config;
    Parameters *p = d->parameters;
    d->level1_w = add2(p, "level.0.weight", PARAMETER_FAN_IN, c->condition, 2 * DENOISER_SINUSOIDS);
    d->level1_b = add1(p, "level.0.bias", c->condition);
    d->level2_w = add2(p, "level.1.weight", PARAMETER_FAN_IN, c->condition, c->condition);
    d->level2_b = add1(p, "level.1.bias", c->condition);
    d->class_table = add2(p, "class.table", PARAMETER_FAN_IN, c->classes, c->condition);
    d->memory_w = add2(p, "memory.weight", PARAMETER_FAN_IN, c->condition, c->bands);
    d->past_w = add2(p, "past.weight", PARAMETER_FAN_IN, c->condition, c->past);
    d->film_w = add2(p, "film.weight", PARAMETER_ZERO, denoiser_film_size(c), c->condition);
    d->film_b = add1(p, "film.bias", denoiser_film_size(c));
    d->in_w = add2(p, "in.weight", PARAMETER_FAN_IN, c->channels, 3 * (c->bands + 1));
    d->in_b = add1(p, "in.bias", c->channels);
    for (size_t b = 0; b < c->blocks; b++)
        add_block(d, b);
    d->out_w = add2(p, "out.weight", PARAMETER_ZERO, c->bands, c->channels);
    d->out_b = add1(p, "out.bias", c->bands);
}

Denoiser *denoiser_create(const DenoiserConfig *config, Error *err)
{
    if (check_config(config, err))
        return NULL;
    Denoiser *denoiser = calloc(1, sizeof *denoiser);
    if (!denoiser || !(denoiser->parameters = parameters_create(NULL))) {
        free(denoiser);
        error_set(err, "out of memory for a denoiser");
        return NULL;
    }
    denoiser->config = *config;
    add_parameters(denoiser);
    denoiser->refiner = refiner_create(
        &config->refiner, (RefinerPlace){config->bands, config->channels, config->condition},
        denoiser->parameters, err);
    if (!denoiser->refiner || parameters_ok(denoiser->parameters, err)) {
        denoiser_destroy(denoiser);
        return NULL;
    }
    return denoiser;
}

void denoiser_destroy(Denoiser *denoiser)
{
    if (!denoiser)
        return;
    refiner_destroy(denoiser->refiner);
    parameters_destroy(denoiser->parameters);
    free(denoiser);
}

const DenoiserConfig *denoiser_config(const Denoiser *denoiser)
{
    return &denoiser->config;
}

const Parameters *denoiser_parameters(const Denoiser *denoiser)
{
    return denoiser->parameters;
}

double denoiser_cost(const Denoiser *denoiser)
{
    const DenoiserConfig *c = &denoiser->config;
    const double channels = (double)c->channels, bands = (double)c->bands;
    return channels * (3.0 * (bands + 1.0) + bands + 4.0 * channels * (double)c->blocks) +
           refiner_cost(denoiser->refiner);
}

/* Hands out `n` values of the pass's memory; with no memory yet it only counts. */
static real *take(DenoiserPass *pass, size_t *used, size_t n)
{
    real *at = pass->memory ? pass->memory + *used : NULL;
    *used += (n + 15) & ~(size_t)15;
    return at;
}

static void lay_out_state(DenoiserPass *pass, size_t *used, BlockState *state, bool last)
{
    const size_t size = pass->rows * pass->denoiser->config.channels;
    state->normed = take(pass, used, size);
    state->inverse = take(pass, used, pass->rows);
    state->inner = take(pass, used, size);
    state->active = take(pass, used, size);
    if (!last) {
        state->columns = take(pass, used, 3 * size);
        state->outer = take(pass, used, size);
    }
}

/* Divides the memory; returns how many values it takes. */
static size_t lay_out(DenoiserPass *pass)
{
    const DenoiserConfig *c = &pass->denoiser->config;
    const size_t rows = pass->rows, windows = pass->windows, size = rows * c->channels;
    size_t used = 0;
    for (size_t b = 0; b < c->blocks; b++) {
        if (b && !pass->training)
            pass->states[b] = pass->states[0];
        else
            lay_out_state(pass, &used, &pass->states[b], false);
    }
    lay_out_state(pass, &used, &pass->states[c->blocks], true);
    pass->marked = take(pass, &used, rows * (c->bands + 1));
    pass->in_columns = take(pass, &used, rows * 3 * (c->bands + 1));
    pass->trunk = take(pass, &used, size);
    pass->modulated = take(pass, &used, size);
    pass->level = take(pass, &used, windows * 2 * DENOISER_SINUSOIDS);
    pass->level1 = take(pass, &used, windows * c->condition);
    pass->level1_active = take(pass, &used, windows * c->condition);
    pass->part = take(pass, &used, windows * c->condition);
    pass->sum = take(pass, &used, windows * c->condition);
    pass->condition = take(pass, &used, windows * c->condition);
    pass->film = take(pass, &used, windows * denoiser_film_size(c));
    if (pass->training) {
        pass->dcolumns = take(pass, &used, 3 * size);
        pass->drow1 = take(pass, &used, size);
        pass->drow2 = take(pass, &used, size);
        pass->dfilm = take(pass, &used, windows * denoiser_film_size(c));
        pass->dpart = take(pass, &used, windows * c->condition);
        pass->dlevel = take(pass, &used, windows * c->condition);
        pass->dcondition = take(pass, &used, windows * c->condition);
    }
    return used;
}

DenoiserPass *denoiser_pass_create(const Denoiser *denoiser, size_t windows, size_t rows,
                                   bool training, Error *err)
{
    DenoiserPass *pass = calloc(1, sizeof *pass);
    if (pass) {
        pass->denoiser = denoiser;
        pass->windows = windows;
        pass->rows = rows;
        pass->training = training;
        pass->memory = calloc(lay_out(pass), sizeof *pass->memory);
        pass->refiner = refiner_pass_create(denoiser->refiner, windows, rows, training, err);
    }
    if (!pass || !pass->memory || !pass->refiner) {
        denoiser_pass_destroy(pass);
        error_set(err, "out of memory for a denoiser at %zu frames", rows);
        return NULL;
    }
    lay_out(pass);
    return pass;
}

void denoiser_pass_destroy(DenoiserPass *pass)
{
    if (!pass)
        return;
    refiner_pass_destroy(pass->refiner);
    free(pass->memory);
    free(pass);
}

/* What a window is told, as FiLM's scales, shifts and gates: pass->film. */
static void condition_forward(DenoiserPass *pass, const real *w, const DenoiserInput *in)
{
    const Denoiser *d = pass->denoiser;
    const DenoiserConfig *c = &d->config;
    const size_t n = in->windows, size = n * c->condition;
    for (size_t i = 0; i < n; i++)
        sinusoid_forward(DENOISER_LEVEL_SCALE * (double)in->half_log_snr[i], DENOISER_LEVEL_LONGEST,
                         DENOISER_SINUSOIDS, pass->level + i * 2 * DENOISER_SINUSOIDS);
    linear_forward(n, 2 * DENOISER_SINUSOIDS, c->condition, pass->level, w + d->level1_w,
                   w + d->level1_b, pass->level1);
    silu_forward(size, pass->level1, pass->level1_active);
    linear_forward(n, c->condition, c->condition, pass->level1_active, w + d->level2_w,
                   w + d->level2_b, pass->sum);
    embedding_forward(n, c->classes, c->condition, in->mix, w + d->class_table, pass->part);
    accumulate(size, pass->part, pass->sum);
    linear_forward(n, c->bands, c->condition, in->memory, w + d->memory_w, NULL, pass->part);
    accumulate(size, pass->part, pass->sum);
    linear_forward(n, c->past, c->condition, in->past, w + d->past_w, NULL, pass->part);
    accumulate(size, pass->part, pass->sum);
    silu_forward(size, pass->sum, pass->condition);
    linear_forward(n, c->condition, denoiser_film_size(c), pass->condition, w + d->film_w,
                   w + d->film_b, pass->film);
}

static void mark(const DenoiserPass *pass, const DenoiserInput *in)
{
    const size_t bands = pass->denoiser->config.bands, rows = in->windows * in->frames;
    for (size_t r = 0; r < rows; r++) {
        memcpy(pass->marked + r * (bands + 1), in->x + r * bands, bands * sizeof(real));
        pass->marked[r * (bands + 1) + bands] = in->known[r];
    }
}

static void block_forward(DenoiserPass *pass, const real *w, size_t b, size_t windows,
                          size_t frames)
{
    const Denoiser *d = pass->denoiser;
    const size_t c = d->config.channels, rows = windows * frames,
                 stride = denoiser_film_size(&d->config);
    const DenoiserBlock *o = &d->blocks[b];
    const real *film = pass->film + 3 * b * c;
    BlockState *s = &pass->states[b];
    norm_forward(rows, c, pass->trunk, s->normed, s->inverse);
    film_forward(windows, frames, c, stride, film, film + c, s->normed, pass->modulated);
    taps_forward(windows, frames, c, d->config.dilations[b], pass->modulated, s->columns);
    linear_forward(rows, 3 * c, c, s->columns, w + o->conv_w, w + o->conv_b, s->inner);
    silu_forward(rows * c, s->inner, s->active);
    linear_forward(rows, c, c, s->active, w + o->out_w, w + o->out_b, s->outer);
    gate_forward(windows, frames, c, stride, film + 2 * c, s->outer, pass->trunk);
}

void denoiser_forward(DenoiserPass *pass, const real *w, const DenoiserInput *in, real *out)
{
    const Denoiser *d = pass->denoiser;
    const DenoiserConfig *config = &d->config;
    const size_t c = config->channels, rows = in->windows * in->frames, wide = config->bands + 1;
    condition_forward(pass, w, in);
    mark(pass, in);
    taps_forward(in->windows, in->frames, wide, 1, pass->marked, pass->in_columns);
    linear_forward(rows, 3 * wide, c, pass->in_columns, w + d->in_w, w + d->in_b, pass->trunk);
    for (size_t b = 0; b < config->blocks; b++)
        block_forward(pass, w, b, in->windows, in->frames);

    BlockState *s = &pass->states[config->blocks];
    const real *film = pass->film + 3 * config->blocks * c;
    norm_forward(rows, c, pass->trunk, s->normed, s->inverse);
    film_forward(in->windows, in->frames, c, denoiser_film_size(config), film, film + c, s->normed,
                 s->inner);
    silu_forward(rows * c, s->inner, s->active);
    linear_forward(rows, c, config->bands, s->active, w + d->out_w, w + d->out_b, out);
    const RefinerInput refined = {in->windows, in->frames, in->x,
                                  in->memory,  s->active,  pass->condition};
    refiner_forward(pass->refiner, w, &refined, out);
}

/* Block b: trunk gradient pass->drow1, updated in place. */
static void block_backward(DenoiserPass *pass, const real *w, size_t b, size_t windows,
                           size_t frames, real *g)
{
    const Denoiser *d = pass->denoiser;
    const size_t c = d->config.channels, rows = windows * frames,
                 stride = denoiser_film_size(&d->config);
    const DenoiserBlock *o = &d->blocks[b];
    const real *film = pass->film + 3 * b * c;
    real *dfilm = pass->dfilm + 3 * b * c;
    const BlockState *s = &pass->states[b];
    real *dtrunk = pass->drow1, *dinner = pass->drow2, *douter = pass->modulated;
    gate_backward(windows, frames, c, stride, film + 2 * c, s->outer, dtrunk, douter,
                  dfilm + 2 * c);
    linear_backward(rows, c, c, s->active, w + o->out_w, douter, dinner, g + o->out_w,
                    g + o->out_b);
    silu_backward(rows * c, s->inner, dinner, dinner);
    linear_backward(rows, 3 * c, c, s->columns, w + o->conv_w, dinner, pass->dcolumns,
                    g + o->conv_w, g + o->conv_b);
    taps_backward(windows, frames, c, d->config.dilations[b], pass->dcolumns, dinner);
    film_backward(windows, frames, c, stride, film, s->normed, dinner, dinner, dfilm, dfilm + c);
    norm_backward(rows, c, s->normed, s->inverse, dinner, dinner);
    accumulate(rows * c, dinner, dtrunk);
}

static void condition_backward(DenoiserPass *pass, const real *w, const DenoiserInput *in, real *g)
{
    const Denoiser *d = pass->denoiser;
    const DenoiserConfig *c = &d->config;
    const size_t n = in->windows, size = n * c->condition;
    linear_backward(n, c->condition, denoiser_film_size(c), pass->condition, w + d->film_w,
                    pass->dfilm, pass->dpart, g + d->film_w, g + d->film_b);
    accumulate(size, pass->dcondition, pass->dpart);
    silu_backward(size, pass->sum, pass->dpart, pass->dpart);
    linear_backward(n, c->bands, c->condition, in->memory, w + d->memory_w, pass->dpart, NULL,
                    g + d->memory_w, NULL);
    linear_backward(n, c->past, c->condition, in->past, w + d->past_w, pass->dpart, NULL,
                    g + d->past_w, NULL);
    embedding_backward(n, c->classes, c->condition, in->mix, pass->dpart, g + d->class_table);
    linear_backward(n, c->condition, c->condition, pass->level1_active, w + d->level2_w,
                    pass->dpart, pass->dlevel, g + d->level2_w, g + d->level2_b);
    silu_backward(size, pass->level1, pass->dlevel, pass->dlevel);
    linear_backward(n, 2 * DENOISER_SINUSOIDS, c->condition, pass->level, w + d->level1_w,
                    pass->dlevel, NULL, g + d->level1_w, g + d->level1_b);
}

void denoiser_backward(DenoiserPass *pass, const real *w, const DenoiserInput *in, const real *dout,
                       real *g)
{
    const Denoiser *d = pass->denoiser;
    const DenoiserConfig *config = &d->config;
    const size_t c = config->channels, rows = in->windows * in->frames, wide = config->bands + 1;
    const size_t stride = denoiser_film_size(config);
    const BlockState *s = &pass->states[config->blocks];
    const real *film = pass->film + 3 * config->blocks * c;
    real *dfilm = pass->dfilm + 3 * config->blocks * c;
    memset(pass->dfilm, 0, in->windows * stride * sizeof *pass->dfilm);
    linear_backward(rows, c, config->bands, s->active, w + d->out_w, dout, pass->drow1,
                    g + d->out_w, g + d->out_b);
    const RefinerInput refined = {in->windows, in->frames, in->x,
                                  in->memory,  s->active,  pass->condition};
    memset(pass->dcondition, 0, in->windows * config->condition * sizeof *pass->dcondition);
    refiner_backward(pass->refiner, w, &refined, dout, pass->drow2, pass->dcondition, g);
    accumulate(rows * c, pass->drow2, pass->drow1);
    silu_backward(rows * c, s->inner, pass->drow1, pass->drow1);
    film_backward(in->windows, in->frames, c, stride, film, s->normed, pass->drow1, pass->drow1,
                  dfilm, dfilm + c);
    norm_backward(rows, c, s->normed, s->inverse, pass->drow1, pass->drow1);
    for (size_t b = config->blocks; b-- > 0;)
        block_backward(pass, w, b, in->windows, in->frames, g);
    linear_backward(rows, 3 * wide, c, pass->in_columns, w + d->in_w, pass->drow1, NULL,
                    g + d->in_w, g + d->in_b);
    condition_backward(pass, w, in, g);
}
