#include "models/note_network.h"

#include "models/categories.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDEST = NOTE_INTERVALS / 2, PHASE_PERIODS = NOTE_PHASES / 2 };

/* In twelfths of a beat: half beats, beats, bars, phrases of 3, 4 and 6 beats and their multiples.
 */
static const uint64_t PHASES[PHASE_PERIODS] = {6, 12, 18, 24, 36, 48, 72, 96, 192};
enum { TIME_TURNS = 12, INDEX_TURNS = 5 };
static const uint64_t TIMES[TIME_TURNS] = {6, 12, 24, 36, 48, 72, 96, 144, 192, 288, 384, 768};
static const uint64_t INDICES[INDEX_TURNS] = {4, 8, 16, 64, 256};

NoteConfig note_config_default(void)
{
    return (NoteConfig){.width = 160, .heads = 4, .layers = 4, .hidden = 512, .reach = 128};
}

static int check_config(const NoteConfig *c, Error *err)
{
    if (c->width < 8 || c->width > 1024)
        return error_set(err, "a note model %zu wide: 8 to 1024 are possible", c->width);
    if (c->heads < 1 || c->heads > 64 || c->width % (2 * c->heads))
        return error_set(err,
                         "%zu heads in a note model %zu wide: 1 to 64 are possible, of an even "
                         "size each",
                         c->heads, c->width);
    if (c->layers < 1 || c->layers > 16)
        return error_set(err, "a note model of %zu layers: 1 to 16 are possible", c->layers);
    if (c->hidden < 8 || c->hidden > 4096)
        return error_set(err, "a note model of %zu hidden values: 8 to 4096 are possible",
                         c->hidden);
    if (c->reach < 2 || c->reach > 1024)
        return error_set(err, "a note model that reaches over %zu notes: 2 to 1024 are possible",
                         c->reach);
    return 0;
}

static size_t add_matrix(NoteModel *m, const char *name, ParameterStart start, size_t a, size_t b)
{
    return parameters_add(m->parameters, name, start, 2, (size_t[]){a, b});
}

static size_t add_vector(NoteModel *m, const char *name, size_t n)
{
    return parameters_add(m->parameters, name, PARAMETER_ZERO, 1, &n);
}

/* weight (out, in) and bias (out,) of "layers.L.NAME". */
static void add_linear(NoteModel *m, size_t layer, const char *part, ParameterStart start,
                       size_t out, size_t in, size_t *w, size_t *b)
{
    char name[64];
    snprintf(name, sizeof name, "layers.%zu.%s.weight", layer, part);
    *w = add_matrix(m, name, start, out, in);
    snprintf(name, sizeof name, "layers.%zu.%s.bias", layer, part);
    *b = add_vector(m, name, out);
}

static void add_parameters(NoteModel *m)
{
    const size_t w = m->config.width, hidden = m->config.hidden;
    const ParameterStart fan = PARAMETER_FAN_IN, zero = PARAMETER_ZERO;
    m->pitch_table = add_matrix(m, "in.pitch", fan, NOTE_INPUTS, w);
    m->interval_table = add_matrix(m, "in.interval", fan, NOTE_INTERVALS, w);
    m->step_table = add_matrix(m, "in.step", fan, NOTE_STEPS, w);
    m->length_table = add_matrix(m, "in.length", fan, NOTE_LENGTHS, w);
    m->phase_w = add_matrix(m, "in.phase.weight", zero, w, NOTE_PHASES);
    m->phase_b = add_vector(m, "in.phase.bias", w);
    for (size_t l = 0; l < m->config.layers; l++) {
        NoteLayer *layer = &m->layers[l];
        add_linear(m, l, "qkv", fan, 3 * w, w, &layer->qkv_w, &layer->qkv_b);
        /* What a new layer adds is zero at the start. */
        add_linear(m, l, "out", zero, w, w, &layer->out_w, &layer->out_b);
        add_linear(m, l, "up", fan, hidden, w, &layer->up_w, &layer->up_b);
        add_linear(m, l, "down", zero, w, hidden, &layer->down_w, &layer->down_b);
    }
    m->pitch_w = add_matrix(m, "pitch.weight", zero, NOTE_OUTPUTS, w);
    m->pitch_b = add_vector(m, "pitch.bias", NOTE_OUTPUTS);
    m->jump_w = add_matrix(m, "jump.weight", zero, NOTE_INTERVALS, w);
    m->jump_b = add_vector(m, "jump.bias", NOTE_INTERVALS);
    m->step_in_w = add_matrix(m, "step.in.weight", fan, w, w);
    m->step_in_b = add_vector(m, "step.in.bias", w);
    m->step_pitch_table = add_matrix(m, "step.pitch", fan, NOTE_PITCHES, w);
    m->step_jump_table = add_matrix(m, "step.interval", fan, NOTE_INTERVALS, w);
    m->step_w = add_matrix(m, "step.weight", zero, NOTE_STEPS, w);
    m->step_b = add_vector(m, "step.bias", NOTE_STEPS);
    m->length_in_w = add_matrix(m, "length.in.weight", fan, w, w);
    m->length_in_b = add_vector(m, "length.in.bias", w);
    m->length_pitch_table = add_matrix(m, "length.pitch", fan, NOTE_PITCHES, w);
    m->length_step_table = add_matrix(m, "length.step", fan, NOTE_STEPS, w);
    m->length_w = add_matrix(m, "length.weight", zero, NOTE_LENGTHS, w);
    m->length_b = add_vector(m, "length.bias", NOTE_LENGTHS);
}

NoteModel *note_model_create(const NoteConfig *config, Error *err)
{
    if (check_config(config, err))
        return NULL;
    NoteModel *model = calloc(1, sizeof *model);
    if (!model || !(model->parameters = parameters_create(NULL))) {
        free(model);
        error_set(err, "out of memory for a note model");
        return NULL;
    }
    model->config = *config;
    add_parameters(model);
    if (parameters_ok(model->parameters, err)) {
        note_model_destroy(model);
        return NULL;
    }
    return model;
}

void note_model_destroy(NoteModel *model)
{
    if (!model)
        return;
    parameters_destroy(model->parameters);
    free(model);
}

const NoteConfig *note_model_config(const NoteModel *model)
{
    return &model->config;
}

const Parameters *note_model_parameters(const NoteModel *model)
{
    return model->parameters;
}

int note_interval(int last, int pitch)
{
    const int interval = pitch - last;
    if (last < 0)
        return CATEGORY_NONE;
    return (interval < -WIDEST ? -WIDEST : interval > WIDEST ? WIDEST : interval) + WIDEST;
}

/* The whole number's turn, exact however large it grows. */
static double angle(uint64_t at, uint64_t period)
{
    return 2.0 * acos(-1.0) * (double)(at % period) / (double)period;
}

/* First the pairs that time turns, then those that the number turns, then those that nothing does.
 */
static void fill_turns(size_t size, uint64_t index, uint64_t time, real *turns)
{
    const size_t pairs = size / 2;
    for (size_t p = 0; p < pairs; p++) {
        double a = 0.0;
        if (p < TIME_TURNS)
            a = angle(time, TIMES[p]);
        else if (p < TIME_TURNS + INDEX_TURNS)
            a = angle(index, INDICES[p - TIME_TURNS]);
        turns[p] = (real)cos(a);
        turns[pairs + p] = (real)sin(a);
    }
}

NoteFeatures note_describe(NoteToken token, size_t size, NotePlace *place, real *phases,
                           real *key_turns, real *query_turns)
{
    NoteFeatures features = {CATEGORY_NONE, CATEGORY_NONE, CATEGORY_NONE, CATEGORY_NONE};
    fill_turns(size, place->index, place->time, key_turns);
    if (token.pitch < NOTE_INPUTS)
        features.pitch = token.pitch;
    if (token.pitch < NOTE_PITCHES) {
        features.interval = note_interval(place->last, token.pitch);
        features.step = token.step;
        features.length = token.length;
        place->time += (uint64_t)note_step_units(token.step);
        place->last = token.pitch;
    }
    place->index++;
    fill_turns(size, place->index, place->time, query_turns);
    for (size_t p = 0; p < PHASE_PERIODS; p++) {
        phases[p] = (real)cos(angle(place->time, PHASES[p]));
        phases[PHASE_PERIODS + p] = (real)sin(angle(place->time, PHASES[p]));
    }
    return features;
}

void note_jumps_add(int last, const real *jumps, real *logits)
{
    if (last < 0)
        return;
    for (int pitch = 0; pitch < NOTE_PITCHES; pitch++)
        if (pitch - last >= -WIDEST && pitch - last <= WIDEST)
            logits[pitch] += jumps[pitch - last + WIDEST];
}
