/* The notes of a monophonic recording: pitch, onset, sounding length, level; its pulse and tuning;
 * and how sure it is that this is one melody at all.
 *
 * Sound is mono at PITCH_RATE. The analysis is a pure function of the samples; it may run on any
 * thread but an audio thread. */
#ifndef BRUME_DSP_NOTES_H
#define BRUME_DSP_NOTES_H

#include "dsp/error.h"
#include "dsp/pitch.h"

#include <stddef.h>

/* Longest sound that is analysed at a time, in samples: two minutes. */
#define NOTES_LONGEST (120 * (size_t)PITCH_RATE)

typedef struct Note {
    size_t onset; /* sample, exact to some 5 ms */
    size_t off;   /* sample where it is let go: at most the next onset, or the sound's end */
    float pitch;  /* MIDI number, 69 = 440 Hz, with its cents */
    float level;  /* RMS of its loudest 32 ms, dBFS */
    float sure;   /* 0..1: periodic, steady and one pitch alone */
} Note;

typedef struct Pulse {
    float seconds;  /* shortest step that onsets keep to (tatum) */
    float phase;    /* seconds from the start to a step */
    float beat;     /* seconds of the likeliest beat, a multiple of the tatum */
    float strength; /* 0..1: how well the onsets keep to it */
} Pulse;

#define NOTES_PULSES 3

typedef struct Notes {
    Note *note;
    size_t count;
    PitchFrame *frame; /* pitch_frames(n) */
    size_t frames;
    Pulse pulse[NOTES_PULSES]; /* likeliest first; seconds 0 where there is none */
    float tuning; /* cents that the notes lie above equal temperament on 440 Hz, -50..50 */
    float level;  /* RMS where it sounds, dBFS; -200 for silence */
    float sure;   /* 0..1: this is one melody. Under NOTES_UNSURE: noise, speech, chords, silence */
} Notes;

/* A melody that scores less than this had better not be answered with notes. */
#define NOTES_UNSURE 0.5f

/* Analyses x (n,), n from 0 to NOTES_LONGEST; samples that are not finite count as 0, others are
 * limited to +-4. An empty or silent sound has no notes and sure 0. -1 and `err` when it is too
 * long or memory runs out; then *out is empty. Free with notes_clear. */
int notes_analyse(const float *x, size_t n, Notes *out, Error *err);

/* Frees what notes_analyse allocated; `notes` may be zeroed or cleared already. */
void notes_clear(Notes *notes);

#endif
