/* From frames of pitch and onset strength to runs of frames that are one note each. Used by
 * dsp/notes. */
#ifndef BRUME_DSP_NOTE_RUNS_H
#define BRUME_DSP_NOTE_RUNS_H

#include "dsp/error.h"
#include "dsp/pitch.h"

#include <stddef.h>

typedef struct NoteRun {
    size_t first, end; /* frames first..end - 1 */
    float pitch;       /* MIDI number */
    int struck;        /* the sound as a whole leaps where it begins */
} NoteRun;

/* MIDI number of a frame's pitch, with cents; -1000 where it has none. */
float note_runs_pitch(const PitchFrame *frame);

/* Cuts the pitch track of x (n,), frame (pitch_frames(n),), into notes: where the pitch steps by
 * more than half a semitone for good, and where the onset strength (same shape) peaks. Scraps under
 * 32 ms, and the common sub-octaves that two overlapping notes show, are left out. *runs is
 * malloc's (free it), ascending, without overlap. -1 when memory runs out. */
int note_runs_find(const float *x, size_t n, const PitchFrame *frame, const float *strength,
                   NoteRun **runs, size_t *count, Error *err);

#endif
