/* Tunes to train a note model on: who is held out, and windows drawn from the others. */
#ifndef BRUME_MODELS_NOTE_CORPUS_H
#define BRUME_MODELS_NOTE_CORPUS_H

#include "dsp/error.h"
#include "models/note_tokens.h"

#include <stddef.h>
#include <stdint.h>

/* A tune of fewer notes is refused. */
enum { NOTE_CORPUS_SHORTEST = 8 };

/* What a tune is for: by its name alone, so that it stays so whatever else is in the folder. */
typedef enum NoteShare {
    NOTE_TRAIN,
    NOTE_VALIDATE, /* one training tune in ten: early stopping, choice of settings */
    NOTE_HELD_OUT,
    NOTE_SHARES
} NoteShare;

/* The share of the tune in a file of this base name (with its suffix). With d its SHA-256, held out
 * if d[0] < 256 holdout, else for validation if d[1] < 25.6. */
NoteShare note_share(const char *name, double holdout);

typedef struct NoteCorpus NoteCorpus;

NoteCorpus *note_corpus_create(Error *err);
void note_corpus_destroy(NoteCorpus *corpus);

/* Adds a tune: tokens (count,) of notes, copied. -1 if it is too short, or memory is. */
int note_corpus_add(NoteCorpus *corpus, const char *name, NoteShare share, const NoteToken *tokens,
                    size_t count, Error *err);

/* How many tunes and notes a share has. */
size_t note_corpus_tunes(const NoteCorpus *corpus, NoteShare share);
size_t note_corpus_notes(const NoteCorpus *corpus, NoteShare share);

/* Tune i of a share, 0 <= i < note_corpus_tunes: its name and notes, as added. */
const char *note_corpus_name(const NoteCorpus *corpus, NoteShare share, size_t i);
const NoteToken *note_corpus_tune(const NoteCorpus *corpus, NoteShare share, size_t i,
                                  size_t *count);

/* Of all tunes, their shares and order. */
uint64_t note_corpus_fingerprint(const NoteCorpus *corpus);

/* Draws tokens (frames + 1,) of a tune of NOTE_TRAIN: the tune by its number of notes; from its
 * beginning (NOTE_START) or from anywhere (NOTE_OPEN); transposed by -6..5 semitones; played with a
 * touch of the window's own. Where the tune ends it begins again, as players do, or half of the
 * times ends with NOTE_END and is filled up with NOTE_NONE. A pure function of (corpus, seed,
 * draw). The share must have a tune. */
void note_corpus_draw(const NoteCorpus *corpus, uint64_t seed, uint64_t draw, size_t frames,
                      NoteToken *tokens);

/* Window i of a share as it was written, for measuring: tokens (frames + 1,). All notes are the
 * target of exactly one of the note_corpus_windows windows. */
size_t note_corpus_windows(const NoteCorpus *corpus, NoteShare share, size_t frames);
void note_corpus_window(const NoteCorpus *corpus, NoteShare share, size_t frames, size_t i,
                        NoteToken *tokens);

#endif
