/* Standard MIDI files as monophonic melodies.
 *
 * Source: "The Complete MIDI 1.0 Detailed Specification" (MIDI Manufacturers Association, 1996),
 * Standard MIDI Files 1.0. Formats 0 and 1, any division, running status, tempo map. A file is
 * untrusted: no length in it is believed before it is checked against the bytes that there are. */
#ifndef BRUME_MODELS_MIDI_H
#define BRUME_MODELS_MIDI_H

#include "dsp/error.h"

#include <stddef.h>
#include <stdint.h>

#define MIDI_MAX_FILE  ((size_t)16 << 20) /* bytes */
#define MIDI_MAX_NOTES ((size_t)200000)

/* One note. Onsets rise from note to note; a note ends, at the latest, where the next begins. */
typedef struct MidiNote {
    double beat, beats;     /* onset, and sounding length, in quarter notes */
    double second, seconds; /* the same by the tempo map */
    uint8_t pitch;          /* 0..127 */
    uint8_t velocity;       /* 1..127 */
} MidiNote;

/* A melody: at least one note. With SMPTE division a quarter note is half a second. */
typedef struct MidiMelody {
    MidiNote *notes; /* (count,) */
    size_t count;
    size_t covered; /* notes left out: a higher one, or the same, began with them */
} MidiMelody;

/* Reads `size` bytes. All tracks and channels but the drums' (channel 10) are taken together; where
 * several notes begin at once the highest counts, and a note is cut off by the next. Ends of
 * notes come before beginnings at the same time, so a note that ends at once lasts until the next
 * begins. Returns 0; -1 with a message that gives the byte where the file is wrong,
 * and nothing to free. Any thread but the audio thread. */
int midi_parse(const uint8_t *bytes, size_t size, MidiMelody *melody, Error *err);

/* Reads a regular file; errors begin with its path. */
int midi_read(const char *path, MidiMelody *melody, Error *err);

/* Frees the notes. melody may be NULL or all zero. */
void midi_free(MidiMelody *melody);

#endif
