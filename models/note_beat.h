/* The grid under notes that were played: how long a beat may be, and each note's step on it. */
#ifndef BRUME_MODELS_NOTE_BEAT_H
#define BRUME_MODELS_NOTE_BEAT_H

#include "models/note_tokens.h"

#include <stddef.h>

/* A note as it was heard. */
typedef struct NoteHeard {
    double onset;   /* seconds; rising from note to note */
    double seconds; /* that it sounds, greater than 0 */
    double pitch;   /* MIDI number with its fraction */
} NoteHeard;

/* One idea of the beat. */
typedef struct NoteBeat {
    double seconds; /* a beat: 0.2 to 1.5 */
    double misfit;  /* of the onsets that lie beside its grid, in nats */
    double rarity;  /* of the steps on its grid, in nats */
} NoteBeat;

enum { NOTE_BEATS = 8 };

/* Steps of heard notes (count,), count >= 1, on the grid of a beat of `seconds`: each the one that
 * best trades its own likelihood against the distance of the next onset, the grid following a slow
 * change of tempo: the beat returned is that of the last notes. Writes categories into steps (count
 * - 1,), since the last note's step is not known, and into *late (unless NULL) how many seconds the
 * last onset lies behind where the grid has it. */
NoteBeat note_steps_fit(const NoteHeard *heard, size_t count, double seconds, uint8_t *steps,
                        double *late);

/* Ideas of the beat, the least misfit and rarity first, each refined on the onsets and unlike the
 * others by 2 % or more; returns how many (0 with fewer than 3 notes). */
size_t note_beats_find(const NoteHeard *heard, size_t count, NoteBeat beats[NOTE_BEATS]);

#endif
