/* What the files of the note model share: its layout, and how a token becomes numbers. Included by
 * models/note_*.c only. */
#ifndef BRUME_MODELS_NOTE_NETWORK_H
#define BRUME_MODELS_NOTE_NETWORK_H

#include "models/note_model.h"

enum {
    NOTE_INTERVALS = 49, /* -24..24 semitones, wider ones clipped */
    NOTE_PHASES = 18,    /* cosine and sine of the next onset's time at nine periods */
    NOTE_OUTPUTS = NOTE_PITCHES + 1
};

/* Offsets of a layer's tensors in the parameters. */
typedef struct NoteLayer {
    size_t qkv_w, qkv_b, out_w, out_b, up_w, up_b, down_w, down_b;
} NoteLayer;

struct NoteModel {
    NoteConfig config;
    Parameters *parameters;
    size_t pitch_table, interval_table, step_table, length_table; /* input */
    size_t phase_w, phase_b;
    NoteLayer layers[16];
    size_t pitch_w, pitch_b, jump_w, jump_b; /* pitches: absolute, and as intervals */
    size_t step_in_w, step_in_b, step_pitch_table, step_jump_table, step_w, step_b;
    size_t length_in_w, length_in_b, length_pitch_table, length_step_table, length_w, length_b;
};

/* Where a sequence stands before its next token. */
typedef struct NotePlace {
    uint64_t index, time; /* tokens so far; twelfths of a beat so far */
    int last;             /* pitch category before, -1 where there is none */
} NotePlace;

/* A token as indices of the input tables; CATEGORY_NONE where a table has no say. */
typedef struct NoteFeatures {
    int pitch, interval, step, length;
} NoteFeatures;

/* The category of the interval from `last` to `pitch`. */
int note_interval(int last, int pitch);

/* Describes `token` at `place`: features; the phases (NOTE_PHASES,) of the next onset; turns
 * (size,) of its key and its query (models/attention.h) in heads of `size`. Moves `place` on. */
NoteFeatures note_describe(NoteToken token, size_t size, NotePlace *place, real *phases,
                           real *key_turns, real *query_turns);

/* logits (NOTE_OUTPUTS,) += jumps (NOTE_INTERVALS,), each at the pitch that its interval reaches
 * from `last`; none if `last` is -1. */
void note_jumps_add(int last, const real *jumps, real *logits);

#endif
