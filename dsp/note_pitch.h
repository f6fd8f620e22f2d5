/* The pitch of what is new at an onset, while what was there before rings on: the spectrum after
 * the onset less that before it, and the pitch whose partials explain most of it (Klapuri,
 * "Multiple fundamental frequency estimation by summing harmonic amplitudes", ISMIR 2006). Used by
 * dsp/notes, where YIN hears two overlapping notes as their common sub-octave. */
#ifndef BRUME_DSP_NOTE_PITCH_H
#define BRUME_DSP_NOTE_PITCH_H

#include "dsp/stft.h"

#include <stddef.h>

#define NOTE_PITCH_SIZE 4096

/* x (n,), mono at PITCH_RATE; the note begins at sample `onset` and the next at `end` > onset.
 * `heard` is what a pitch tracker said, a MIDI number. Returns `heard` (to the cent) if it explains
 * what is new nearly as well as any pitch, or (unless the note is `struck`, a leap of the whole
 * sound) if what is new is but a harmonic of it; else the pitch that does best. stft: of
 * NOTE_PITCH_SIZE.
 */
float note_pitch(const float *x, size_t n, size_t onset, size_t end, float heard, int struck,
                 Stft *stft);

#endif
