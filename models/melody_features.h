/* The true features of a recording of a melody, to train the sample tier on and to measure it with:
 * the anchor (its partials, measured and put together again, in phase with it), and what is told of
 * each frame. */
#ifndef BRUME_MODELS_MELODY_FEATURES_H
#define BRUME_MODELS_MELODY_FEATURES_H

#include "dsp/error.h"
#include "dsp/notes.h"
#include "dsp/partials.h"
#include "models/melody_condition.h"

#include <stddef.h>

typedef struct MelodyFeatures {
    size_t samples;   /* n */
    size_t frames;    /* n / 64, rounded up; frame i is samples 64 i to 64 i + 63 */
    float *anchor;    /* (samples,), same scale as x */
    float *condition; /* (frames, MELODY_CONDITION) */
    float *period; /* (frames,): samples of the newest note's period; 0 where nothing has a pitch */
    float level;   /* the recording's level where it sounds, dBFS: what levels are relative to */
    float sure; /* 0..1: that it is one melody (dsp/notes.h); under NOTES_UNSURE don't rely on it */
} MelodyFeatures;

/* Analyses x (n,), mono at MELODY_RATE, up to NOTES_LONGEST samples. -1 and `err` when it is too
 * long or memory runs out; then *out is empty. A pure function; takes 0.1 to 0.2 s for each second
 * of sound and some 100 MB while it runs. Free with melody_features_clear. */
int melody_features_make(const float *x, size_t n, MelodyFeatures *out, Error *err);

/* The same from an analysis that is at hand: `partials` and `notes` of x (n,). */
int melody_features_from(const float *x, size_t n, const Notes *notes, const Partials *partials,
                         MelodyFeatures *out, Error *err);

void melody_features_clear(MelodyFeatures *features);

#endif
