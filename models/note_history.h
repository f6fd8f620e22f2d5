/* The newest notes of a plan, and whether they have become no music any more. Any thread; allocates
 * nothing. */
#ifndef BRUME_MODELS_NOTE_HISTORY_H
#define BRUME_MODELS_NOTE_HISTORY_H

#include "models/note_tokens.h"

#include <stdbool.h>

enum { NOTE_RECENT = 256 };

/* All zero: empty. */
typedef struct NoteHistory {
    uint64_t count; /* notes so far; number n lies at n % NOTE_RECENT */
    NoteToken recent[NOTE_RECENT];
} NoteHistory;

void note_history_add(NoteHistory *history, NoteToken note);

/* The note `back` before the next one: 1 is the newest, NOTE_RECENT the oldest. */
const NoteToken *note_history_before(const NoteHistory *history, uint64_t back);

/* Whether `pitch` would be the seventh of the same in a row: one tune in a hundred has that. */
bool note_history_is_stuck(const NoteHistory *history, size_t pitch);

/* Whether the newest notes are the same few (up to 16: three times; up to 48: four times) over and
 * over, pitches and steps, and `pitch` would go on so. */
bool note_history_is_loop(const NoteHistory *history, size_t pitch);

/* Whether fewer than 5 pitches were all that the newest 48 notes had. */
bool note_history_is_narrow(const NoteHistory *history);

#endif
