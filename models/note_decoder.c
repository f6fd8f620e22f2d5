#include "models/note_network.h"

#include "models/attention.h"
#include "models/categories.h"
#include "models/layers.h"

#include <stdlib.h>
#include <string.h>

struct NoteDecoder {
    const NoteModel *model;
    const real *weights;
    NotePlace place;
    real *memory;
    real *keys, *values; /* (layers, reach, width), rings: token i lies at i % reach */
    real *trunk, *normed, *qkv, *attended, *added, *hidden, *scores; /* of one row */
    real *in, *jumps, *turns;
};

/* Hands out `n` values of the memory; with no memory yet it only counts. */
static real *take(NoteDecoder *decoder, size_t *used, size_t n)
{
    real *at = decoder->memory ? decoder->memory + *used : NULL;
    *used += (n + 15) & ~(size_t)15;
    return at;
}

static size_t lay_out(NoteDecoder *d)
{
    const NoteConfig *c = &d->model->config;
    const size_t ring = c->layers * c->reach * c->width;
    size_t used = 0;
    d->keys = take(d, &used, ring);
    d->values = take(d, &used, ring);
    d->trunk = take(d, &used, c->width);
    d->normed = take(d, &used, c->width);
    d->qkv = take(d, &used, 3 * c->width);
    d->attended = take(d, &used, c->width);
    d->added = take(d, &used, c->width);
    d->hidden = take(d, &used, c->hidden);
    d->scores = take(d, &used, c->reach);
    d->in = take(d, &used, c->width);
    d->jumps = take(d, &used, NOTE_INTERVALS);
    d->turns = take(d, &used, 2 * (c->width / c->heads));
    return used;
}

NoteDecoder *note_decoder_create(const NoteModel *model, const real *weights, Error *err)
{
    NoteDecoder *decoder = calloc(1, sizeof *decoder);
    if (decoder) {
        decoder->model = model;
        decoder->weights = weights;
        decoder->memory = calloc(lay_out(decoder), sizeof *decoder->memory);
    }
    if (!decoder || !decoder->memory) {
        free(decoder);
        error_set(err, "out of memory for a note decoder");
        return NULL;
    }
    lay_out(decoder);
    note_decoder_reset(decoder);
    return decoder;
}

void note_decoder_destroy(NoteDecoder *decoder)
{
    if (!decoder)
        return;
    free(decoder->memory);
    free(decoder);
}

void note_decoder_reset(NoteDecoder *decoder)
{
    decoder->place = (NotePlace){0, 0, -1};
}

static void add(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* Layer l for the newest token, number `index`. */
static void layer_forward(NoteDecoder *d, size_t l, uint64_t index)
{
    const NoteConfig *c = &d->model->config;
    const NoteLayer *o = &d->model->layers[l];
    const real *w = d->weights;
    const size_t width = c->width, head = width / c->heads, at = (size_t)(index % c->reach);
    const size_t known = index < c->reach ? (size_t)index + 1 : c->reach;
    real *keys = d->keys + l * c->reach * width, *values = d->values + l * c->reach * width;
    real inverse;
    norm_forward(1, width, d->trunk, d->normed, &inverse);
    linear_forward(1, width, 3 * width, d->normed, w + o->qkv_w, w + o->qkv_b, d->qkv);
    rotate_pairs(1, c->heads, head, 3 * width, d->turns + head, 0, d->qkv);
    rotate_pairs(1, c->heads, head, 3 * width, d->turns, 0, d->qkv + width);
    memcpy(keys + at * width, d->qkv + width, width * sizeof *keys);
    memcpy(values + at * width, d->qkv + 2 * width, width * sizeof *values);
    attention_one(c->heads, head, known, d->qkv, keys, values, d->scores, d->attended);
    linear_forward(1, width, width, d->attended, w + o->out_w, w + o->out_b, d->added);
    add(width, d->added, d->trunk);
    norm_forward(1, width, d->trunk, d->normed, &inverse);
    linear_forward(1, width, c->hidden, d->normed, w + o->up_w, w + o->up_b, d->hidden);
    silu_forward(c->hidden, d->hidden, d->hidden);
    linear_forward(1, c->hidden, width, d->hidden, w + o->down_w, w + o->down_b, d->added);
    add(width, d->added, d->trunk);
}

void note_decoder_push(NoteDecoder *d, NoteToken token)
{
    const NoteModel *m = d->model;
    const size_t width = m->config.width, head = width / m->config.heads;
    const uint64_t index = d->place.index;
    real phases[NOTE_PHASES], inverse;
    const NoteFeatures in =
        note_describe(token, head, &d->place, phases, d->turns, d->turns + head);
    const real *w = d->weights;
    linear_forward(1, NOTE_PHASES, width, phases, w + m->phase_w, w + m->phase_b, d->trunk);
    lookup_add(1, width, &in.pitch, w + m->pitch_table, d->trunk);
    lookup_add(1, width, &in.interval, w + m->interval_table, d->trunk);
    lookup_add(1, width, &in.step, w + m->step_table, d->trunk);
    lookup_add(1, width, &in.length, w + m->length_table, d->trunk);
    for (size_t l = 0; l < m->config.layers; l++)
        layer_forward(d, l, index);
    norm_forward(1, width, d->trunk, d->normed, &inverse);
}

void note_decoder_pitches(NoteDecoder *d, real *logits)
{
    const NoteModel *m = d->model;
    const real *w = d->weights;
    const size_t width = m->config.width;
    linear_forward(1, width, NOTE_OUTPUTS, d->normed, w + m->pitch_w, w + m->pitch_b, logits);
    linear_forward(1, width, NOTE_INTERVALS, d->normed, w + m->jump_w, w + m->jump_b, d->jumps);
    note_jumps_add(d->place.last, d->jumps, logits);
}

void note_decoder_steps(NoteDecoder *d, unsigned pitch, real *logits)
{
    const NoteModel *m = d->model;
    const real *w = d->weights;
    const size_t width = m->config.width;
    const int category = (int)pitch, interval = note_interval(d->place.last, category);
    linear_forward(1, width, width, d->normed, w + m->step_in_w, w + m->step_in_b, d->in);
    lookup_add(1, width, &category, w + m->step_pitch_table, d->in);
    lookup_add(1, width, &interval, w + m->step_jump_table, d->in);
    silu_forward(width, d->in, d->in);
    linear_forward(1, width, NOTE_STEPS, d->in, w + m->step_w, w + m->step_b, logits);
}

void note_decoder_lengths(NoteDecoder *d, unsigned pitch, unsigned step, real *logits)
{
    const NoteModel *m = d->model;
    const real *w = d->weights;
    const size_t width = m->config.width;
    const int category = (int)pitch, after = (int)step;
    linear_forward(1, width, width, d->normed, w + m->length_in_w, w + m->length_in_b, d->in);
    lookup_add(1, width, &category, w + m->length_pitch_table, d->in);
    lookup_add(1, width, &after, w + m->length_step_table, d->in);
    silu_forward(width, d->in, d->in);
    linear_forward(1, width, NOTE_LENGTHS, d->in, w + m->length_w, w + m->length_b, logits);
}
