#include "models/note_network.h"

#include "dsp/random.h"
#include "models/attention.h"
#include "models/categories.h"
#include "models/layers.h"

#include <stdlib.h>
#include <string.h>

/* What a layer keeps for the way back. */
typedef struct LayerState {
    real *normed1, *inverse1, *qkv, *weights, *attended;
    real *normed2, *inverse2, *hidden, *active;
    uint8_t *kept1, *kept2; /* what dropout left, of what attention and perceptron add */
} LayerState;

/* One of the three predictions. */
typedef struct HeadState {
    real *in, *active, *logits;
} HeadState;

struct NotePass {
    const NoteModel *model;
    size_t windows, frames, rows;
    bool training;
    real *memory;
    uint8_t *kept;
    int *categories;
    LayerState states[16];
    real *phases, *key_turns, *query_turns, *trunk, *added, *scratch, *normed, *inverse;
    real *jumps;
    HeadState pitch, step, length;
    real *dtrunk, *dwide, *dnormed; /* gradients: of the trunk, of what is widest, of a row */
    int *pitches, *intervals, *steps, *lengths, *last;              /* (rows,): of the input */
    int *next_pitches, *next_intervals, *next_steps, *next_lengths; /* (rows,): of the targets */
    int *outputs;                                                   /* next pitches, and ends */
    bool dropping;
};

static AttentionShape attention_shape(const NotePass *pass)
{
    const NoteConfig *c = &pass->model->config;
    return (AttentionShape){pass->windows, pass->frames, c->heads, c->width / c->heads, c->reach};
}

static size_t widest(const NoteConfig *c)
{
    return c->hidden > 3 * c->width ? c->hidden : 3 * c->width;
}

/* Hands out `n` values of the pass's memory; with no memory yet it only counts. */
static real *take(NotePass *pass, size_t *used, size_t n)
{
    real *at = pass->memory ? pass->memory + *used : NULL;
    *used += (n + 15) & ~(size_t)15;
    return at;
}

static void lay_out_layer(NotePass *pass, size_t *used, LayerState *state)
{
    const NoteConfig *c = &pass->model->config;
    const AttentionShape shape = attention_shape(pass);
    state->normed1 = take(pass, used, pass->rows * c->width);
    state->inverse1 = take(pass, used, pass->rows);
    state->qkv = take(pass, used, pass->rows * 3 * c->width);
    state->weights = take(pass, used, attention_weights(&shape));
    state->attended = take(pass, used, pass->rows * c->width);
    state->normed2 = take(pass, used, pass->rows * c->width);
    state->inverse2 = take(pass, used, pass->rows);
    state->hidden = take(pass, used, pass->rows * c->hidden);
    state->active = take(pass, used, pass->rows * c->hidden);
}

/* Divides the memory; returns how many values it takes. */
static size_t lay_out(NotePass *pass)
{
    const NoteConfig *c = &pass->model->config;
    const AttentionShape shape = attention_shape(pass);
    const size_t rows = pass->rows, size = rows * c->width, head = c->width / c->heads;
    size_t used = 0;
    for (size_t l = 0; l < c->layers; l++) {
        if (l && !pass->training)
            pass->states[l] = pass->states[0];
        else
            lay_out_layer(pass, &used, &pass->states[l]);
    }
    pass->phases = take(pass, &used, rows * NOTE_PHASES);
    pass->key_turns = take(pass, &used, rows * head);
    pass->query_turns = take(pass, &used, rows * head);
    pass->trunk = take(pass, &used, size);
    pass->added = take(pass, &used, size);
    pass->scratch = take(pass, &used, attention_scratch(&shape));
    pass->normed = take(pass, &used, size);
    pass->inverse = take(pass, &used, rows);
    pass->jumps = take(pass, &used, rows * NOTE_INTERVALS);
    pass->pitch.logits = take(pass, &used, rows * NOTE_OUTPUTS);
    pass->step = (HeadState){take(pass, &used, size), take(pass, &used, size),
                             take(pass, &used, rows * NOTE_STEPS)};
    pass->length = (HeadState){take(pass, &used, size), take(pass, &used, size),
                               take(pass, &used, rows * NOTE_LENGTHS)};
    if (pass->training) {
        pass->dtrunk = take(pass, &used, size);
        pass->dnormed = take(pass, &used, size);
        pass->dwide = take(pass, &used, rows * widest(c));
    }
    return used;
}

static void lay_out_categories(NotePass *pass)
{
    int **const all[] = {&pass->pitches,    &pass->intervals,      &pass->steps,
                         &pass->lengths,    &pass->last,           &pass->next_pitches,
                         &pass->next_steps, &pass->next_intervals, &pass->next_lengths,
                         &pass->outputs};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = pass->categories + i * pass->rows;
    const size_t size = pass->rows * pass->model->config.width;
    for (size_t l = 0; l < pass->model->config.layers; l++) {
        pass->states[l].kept1 = pass->kept + 2 * l * size;
        pass->states[l].kept2 = pass->kept + (2 * l + 1) * size;
    }
}

NotePass *note_pass_create(const NoteModel *model, size_t windows, size_t frames, bool training,
                           Error *err)
{
    NotePass *pass = calloc(1, sizeof *pass);
    if (pass) {
        pass->model = model;
        pass->windows = windows;
        pass->frames = frames;
        pass->rows = windows * frames;
        pass->training = training;
        pass->memory = calloc(lay_out(pass), sizeof *pass->memory);
        pass->categories = calloc(10 * pass->rows, sizeof *pass->categories);
        pass->kept = calloc(2 * model->config.layers * pass->rows * model->config.width, 1);
    }
    if (!pass || !pass->memory || !pass->categories || !pass->kept) {
        note_pass_destroy(pass);
        error_set(err, "out of memory for a note model at %zu notes", windows * frames);
        return NULL;
    }
    lay_out(pass);
    lay_out_categories(pass);
    return pass;
}

void note_pass_destroy(NotePass *pass)
{
    if (!pass)
        return;
    free(pass->memory);
    free(pass->categories);
    free(pass->kept);
    free(pass);
}

static void add(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

/* A window's tokens as indices, phases and turns; the last frames of its frames + 1 as targets. */
static void describe_window(NotePass *pass, const NoteToken *tokens, size_t window)
{
    const NoteConfig *c = &pass->model->config;
    const size_t head = c->width / c->heads;
    NotePlace place = {0, 0, -1};
    bool over = false;
    for (size_t f = 0, r = window * pass->frames; f < pass->frames; f++, r++) {
        const NoteFeatures in =
            note_describe(tokens[f], head, &place, pass->phases + r * NOTE_PHASES,
                          pass->key_turns + r * head, pass->query_turns + r * head);
        const NoteToken next = tokens[f + 1];
        over = over || next.pitch > NOTE_END || (f && tokens[f].pitch >= NOTE_END);
        const bool note = !over && next.pitch < NOTE_PITCHES;
        pass->pitches[r] = in.pitch;
        pass->intervals[r] = in.interval;
        pass->steps[r] = in.step;
        pass->lengths[r] = in.length;
        pass->last[r] = place.last;
        pass->outputs[r] = over ? CATEGORY_NONE : next.pitch;
        pass->next_pitches[r] = note ? next.pitch : CATEGORY_NONE;
        pass->next_intervals[r] = note ? note_interval(place.last, next.pitch) : CATEGORY_NONE;
        pass->next_steps[r] = note ? next.step : CATEGORY_NONE;
        pass->next_lengths[r] = note ? next.length : CATEGORY_NONE;
    }
}

static void draw_dropout(NotePass *pass, const NoteDropout *dropout)
{
    const size_t n = 2 * pass->model->config.layers * pass->rows * pass->model->config.width;
    const uint8_t limit = (uint8_t)(256.0 * dropout->share);
    uint32_t words[256];
    for (size_t i = 0; i < n; i += sizeof words) {
        const size_t bytes = n - i < sizeof words ? n - i : sizeof words;
        random_bits(dropout->seed, dropout->stream, i / 4, words, 256);
        memcpy(pass->kept + i, words, bytes);
        for (size_t j = i; j < i + bytes; j++)
            pass->kept[j] = pass->kept[j] >= limit;
    }
}

static void drop(NotePass *pass, const NoteDropout *dropout, const uint8_t *kept, real *x)
{
    if (!pass->dropping)
        return;
    const real scale = (real)(1.0 / (1.0 - (double)(uint8_t)(256.0 * dropout->share) / 256.0));
    for (size_t i = 0; i < pass->rows * pass->model->config.width; i++)
        x[i] *= scale * (real)kept[i];
}

static void embed(NotePass *pass, const real *w)
{
    const NoteModel *m = pass->model;
    const size_t rows = pass->rows, c = m->config.width;
    linear_forward(rows, NOTE_PHASES, c, pass->phases, w + m->phase_w, w + m->phase_b, pass->trunk);
    lookup_add(rows, c, pass->pitches, w + m->pitch_table, pass->trunk);
    lookup_add(rows, c, pass->intervals, w + m->interval_table, pass->trunk);
    lookup_add(rows, c, pass->steps, w + m->step_table, pass->trunk);
    lookup_add(rows, c, pass->lengths, w + m->length_table, pass->trunk);
}

static void turn(NotePass *pass, int back, real *qkv)
{
    const NoteConfig *c = &pass->model->config;
    const size_t head = c->width / c->heads;
    rotate_pairs(pass->rows, c->heads, head, 3 * c->width, pass->query_turns, back, qkv);
    rotate_pairs(pass->rows, c->heads, head, 3 * c->width, pass->key_turns, back, qkv + c->width);
}

static void layer_forward(NotePass *pass, const real *w, size_t l, const NoteDropout *dropout)
{
    const NoteLayer *o = &pass->model->layers[l];
    const size_t rows = pass->rows, c = pass->model->config.width;
    const size_t hidden = pass->model->config.hidden;
    const AttentionShape shape = attention_shape(pass);
    const LayerState *s = &pass->states[l];
    norm_forward(rows, c, pass->trunk, s->normed1, s->inverse1);
    linear_forward(rows, c, 3 * c, s->normed1, w + o->qkv_w, w + o->qkv_b, s->qkv);
    turn(pass, 0, s->qkv);
    attention_forward(&shape, s->qkv, s->weights, pass->scratch, s->attended);
    linear_forward(rows, c, c, s->attended, w + o->out_w, w + o->out_b, pass->added);
    drop(pass, dropout, s->kept1, pass->added);
    add(rows * c, pass->added, pass->trunk);
    norm_forward(rows, c, pass->trunk, s->normed2, s->inverse2);
    linear_forward(rows, c, hidden, s->normed2, w + o->up_w, w + o->up_b, s->hidden);
    silu_forward(rows * hidden, s->hidden, s->active);
    linear_forward(rows, hidden, c, s->active, w + o->down_w, w + o->down_b, pass->added);
    drop(pass, dropout, s->kept2, pass->added);
    add(rows * c, pass->added, pass->trunk);
}

/* Logits of all three predictions, the targets' pitches and steps given where one depends on them.
 */
static void heads_forward(NotePass *pass, const real *w)
{
    const NoteModel *m = pass->model;
    const size_t rows = pass->rows, c = m->config.width;
    const real *x = pass->normed;
    linear_forward(rows, c, NOTE_OUTPUTS, x, w + m->pitch_w, w + m->pitch_b, pass->pitch.logits);
    linear_forward(rows, c, NOTE_INTERVALS, x, w + m->jump_w, w + m->jump_b, pass->jumps);
    for (size_t r = 0; r < rows; r++)
        note_jumps_add(pass->last[r], pass->jumps + r * NOTE_INTERVALS,
                       pass->pitch.logits + r * NOTE_OUTPUTS);
    HeadState *s = &pass->step;
    linear_forward(rows, c, c, x, w + m->step_in_w, w + m->step_in_b, s->in);
    lookup_add(rows, c, pass->next_pitches, w + m->step_pitch_table, s->in);
    lookup_add(rows, c, pass->next_intervals, w + m->step_jump_table, s->in);
    silu_forward(rows * c, s->in, s->active);
    linear_forward(rows, c, NOTE_STEPS, s->active, w + m->step_w, w + m->step_b, s->logits);
    s = &pass->length;
    linear_forward(rows, c, c, x, w + m->length_in_w, w + m->length_in_b, s->in);
    lookup_add(rows, c, pass->next_pitches, w + m->length_pitch_table, s->in);
    lookup_add(rows, c, pass->next_steps, w + m->length_step_table, s->in);
    silu_forward(rows * c, s->in, s->active);
    linear_forward(rows, c, NOTE_LENGTHS, s->active, w + m->length_w, w + m->length_b, s->logits);
}

/* dlogits in place of the logits -> gradients, and dx added to pass->dtrunk's place. */
static void step_head_backward(NotePass *pass, const real *w, real *g, real *dx)
{
    const NoteModel *m = pass->model;
    const size_t rows = pass->rows, c = m->config.width;
    const HeadState *s = &pass->step;
    linear_backward(rows, c, NOTE_STEPS, s->active, w + m->step_w, s->logits, dx, g + m->step_w,
                    g + m->step_b);
    silu_backward(rows * c, s->in, dx, dx);
    lookup_backward(rows, c, pass->next_pitches, dx, g + m->step_pitch_table);
    lookup_backward(rows, c, pass->next_intervals, dx, g + m->step_jump_table);
    linear_backward(rows, c, c, pass->normed, w + m->step_in_w, dx, pass->dnormed, g + m->step_in_w,
                    g + m->step_in_b);
    add(rows * c, pass->dnormed, pass->dtrunk);
}

static void length_head_backward(NotePass *pass, const real *w, real *g, real *dx)
{
    const NoteModel *m = pass->model;
    const size_t rows = pass->rows, c = m->config.width;
    const HeadState *s = &pass->length;
    linear_backward(rows, c, NOTE_LENGTHS, s->active, w + m->length_w, s->logits, dx,
                    g + m->length_w, g + m->length_b);
    silu_backward(rows * c, s->in, dx, dx);
    lookup_backward(rows, c, pass->next_pitches, dx, g + m->length_pitch_table);
    lookup_backward(rows, c, pass->next_steps, dx, g + m->length_step_table);
    linear_backward(rows, c, c, pass->normed, w + m->length_in_w, dx, pass->dnormed,
                    g + m->length_in_w, g + m->length_in_b);
    add(rows * c, pass->dnormed, pass->dtrunk);
}

static void pitch_head_backward(NotePass *pass, const real *w, real *g)
{
    const NoteModel *m = pass->model;
    const size_t rows = pass->rows, c = m->config.width;
    const int widest_jump = NOTE_INTERVALS / 2;
    for (size_t r = 0; r < rows; r++) {
        const real *d = pass->pitch.logits + r * NOTE_OUTPUTS;
        real *jumps = pass->jumps + r * NOTE_INTERVALS;
        for (int j = 0; j < NOTE_INTERVALS; j++) {
            const int pitch = pass->last[r] + j - widest_jump;
            jumps[j] = pass->last[r] >= 0 && pitch >= 0 && pitch < NOTE_PITCHES ? d[pitch] : 0;
        }
    }
    linear_backward(rows, c, NOTE_OUTPUTS, pass->normed, w + m->pitch_w, pass->pitch.logits,
                    pass->dtrunk, g + m->pitch_w, g + m->pitch_b);
    linear_backward(rows, c, NOTE_INTERVALS, pass->normed, w + m->jump_w, pass->jumps,
                    pass->dnormed, g + m->jump_w, g + m->jump_b);
    add(rows * c, pass->dnormed, pass->dtrunk);
}

/* Layer l: the trunk's gradient pass->dtrunk, updated in place. */
static void layer_backward(NotePass *pass, const real *w, size_t l, const NoteDropout *dropout,
                           real *g)
{
    const NoteLayer *o = &pass->model->layers[l];
    const size_t rows = pass->rows, c = pass->model->config.width;
    const size_t hidden = pass->model->config.hidden, size = rows * c;
    const AttentionShape shape = attention_shape(pass);
    const LayerState *s = &pass->states[l];
    memcpy(pass->added, pass->dtrunk, size * sizeof(real));
    drop(pass, dropout, s->kept2, pass->added);
    linear_backward(rows, hidden, c, s->active, w + o->down_w, pass->added, pass->dwide,
                    g + o->down_w, g + o->down_b);
    silu_backward(rows * hidden, s->hidden, pass->dwide, pass->dwide);
    linear_backward(rows, c, hidden, s->normed2, w + o->up_w, pass->dwide, pass->dnormed,
                    g + o->up_w, g + o->up_b);
    norm_backward(rows, c, s->normed2, s->inverse2, pass->dnormed, pass->dnormed);
    add(size, pass->dnormed, pass->dtrunk);
    memcpy(pass->added, pass->dtrunk, size * sizeof(real));
    drop(pass, dropout, s->kept1, pass->added);
    linear_backward(rows, c, c, s->attended, w + o->out_w, pass->added, pass->dnormed, g + o->out_w,
                    g + o->out_b);
    attention_backward(&shape, s->qkv, s->weights, pass->dnormed, pass->scratch, pass->dwide);
    turn(pass, 1, pass->dwide);
    linear_backward(rows, c, 3 * c, s->normed1, w + o->qkv_w, pass->dwide, pass->dnormed,
                    g + o->qkv_w, g + o->qkv_b);
    norm_backward(rows, c, s->normed1, s->inverse1, pass->dnormed, pass->dnormed);
    add(size, pass->dnormed, pass->dtrunk);
}

static void embed_backward(NotePass *pass, real *g)
{
    const NoteModel *m = pass->model;
    const size_t rows = pass->rows, c = m->config.width;
    const real *d = pass->dtrunk;
    linear_backward(rows, NOTE_PHASES, c, pass->phases, NULL, d, NULL, g + m->phase_w,
                    g + m->phase_b);
    lookup_backward(rows, c, pass->pitches, d, g + m->pitch_table);
    lookup_backward(rows, c, pass->intervals, d, g + m->interval_table);
    lookup_backward(rows, c, pass->steps, d, g + m->step_table);
    lookup_backward(rows, c, pass->lengths, d, g + m->length_table);
}

/* Losses, and the logits' gradients in their own place if `scale` is not 0. */
static NoteLoss losses(NotePass *pass, bool differentiate)
{
    NoteLoss loss = {0};
    const size_t rows = pass->rows;
    for (size_t r = 0; r < rows; r++) {
        loss.notes += pass->next_pitches[r] != CATEGORY_NONE;
        if (pass->outputs[r] == NOTE_END) {
            const int target = NOTE_END;
            loss.ends++;
            loss.end += softmax_loss(1, NOTE_OUTPUTS, pass->pitch.logits + r * NOTE_OUTPUTS,
                                     &target, 0, NULL);
        }
    }
    const real scale = (real)(1.0 / (double)(loss.notes ? loss.notes : 1));
    real *const pitch = pass->pitch.logits, *const step = pass->step.logits;
    real *const length = pass->length.logits;
    loss.pitch = softmax_loss(rows, NOTE_OUTPUTS, pitch, pass->outputs, scale,
                              differentiate ? pitch : NULL) -
                 loss.end;
    loss.step =
        softmax_loss(rows, NOTE_STEPS, step, pass->next_steps, scale, differentiate ? step : NULL);
    loss.length = softmax_loss(rows, NOTE_LENGTHS, length, pass->next_lengths, scale,
                               differentiate ? length : NULL);
    return loss;
}

NoteLoss note_model_loss(NotePass *pass, const real *w, const NoteToken *tokens,
                         const NoteDropout *dropout, real *g)
{
    const NoteConfig *c = &pass->model->config;
    for (size_t i = 0; i < pass->windows; i++)
        describe_window(pass, tokens + i * (pass->frames + 1), i);
    pass->dropping = dropout && dropout->share > 0.0;
    if (pass->dropping)
        draw_dropout(pass, dropout);
    embed(pass, w);
    for (size_t l = 0; l < c->layers; l++)
        layer_forward(pass, w, l, dropout);
    norm_forward(pass->rows, c->width, pass->trunk, pass->normed, pass->inverse);
    heads_forward(pass, w);
    const NoteLoss loss = losses(pass, g != NULL);
    if (!g)
        return loss;
    pitch_head_backward(pass, w, g);
    step_head_backward(pass, w, g, pass->dwide);
    length_head_backward(pass, w, g, pass->dwide);
    norm_backward(pass->rows, c->width, pass->normed, pass->inverse, pass->dtrunk, pass->dtrunk);
    for (size_t l = c->layers; l-- > 0;)
        layer_backward(pass, w, l, dropout, g);
    embed_backward(pass, g);
    return loss;
}
