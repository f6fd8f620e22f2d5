/* Notes as a note model sees them: three categories each, on the grid of the tune's own beat, so
 * that a pulse never drifts.
 *
 * pitch   semitones above NOTE_LOWEST;
 * step    time from this onset to the next one, in twelfths of a beat, one of NOTE_STEPS values;
 * length  the sounding share of the step in eighths, 1..8 (stored as 0..7): the touch, and rests.
 */
#ifndef BRUME_MODELS_NOTE_TOKENS_H
#define BRUME_MODELS_NOTE_TOKENS_H

#include "models/midi.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NOTE_GRID = 12,    /* steps' unit: twelfths of a beat */
    NOTE_LOWEST = 36,  /* MIDI pitch of category 0 */
    NOTE_PITCHES = 61, /* up to MIDI pitch 96 */
    NOTE_STEPS = 37,
    NOTE_LENGTHS = 8,
    NOTE_END = NOTE_PITCHES,        /* predicted in a pitch's place: the tune is over */
    NOTE_START = NOTE_PITCHES,      /* stands before the first note of a tune */
    NOTE_OPEN = NOTE_PITCHES + 1,   /* stands before notes that were cut out of one */
    NOTE_INPUTS = NOTE_PITCHES + 2, /* pitches and the two marks */
    NOTE_NONE = 255                 /* no token: fills a sequence up */
};

/* One note, or a mark (NOTE_START, NOTE_OPEN), whose step and length mean nothing. */
typedef struct NoteToken {
    uint8_t pitch, step, length;
} NoteToken;

/* Twelfths of a beat that step category `step` lasts; rising with it. */
int note_step_units(unsigned step);

/* The category nearest to `units` twelfths of a beat, the shorter of two as near. */
unsigned note_step_nearest(double units);

/* Category of `sounding` out of `step` (any unit, step > 0), 0..NOTE_LENGTHS - 1, and the share of
 * the step that a category sounds. */
unsigned note_length_category(double sounding, double step);
double note_length_share(unsigned length);

/* Whole octaves (in semitones) to add to `count` MIDI pitches so that their median lies in 57..80:
 * 0 for all but low and very high tunes. */
int note_octaves(const double *pitches, size_t count);

/* A pitch that is out of range is brought in by octaves. */
uint8_t note_pitch_category(int midi_pitch);

/* A melody of MIDI in categories: tokens (melody->count,). A step is measured from where the grid
 * stands, so that what rounding takes is given back by the next. The last note lasts its sounding
 * length. Returns the octaves (in semitones) that were added. */
int note_tokens_from_midi(const MidiMelody *melody, NoteToken *tokens);

#endif
