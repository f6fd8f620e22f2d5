/* The pitch of a melody: YIN (de Cheveigne and Kawahara, "YIN, a fundamental frequency estimator
 * for speech and music", JASA 111, 2002) with several candidates a frame, and the best path through
 * them (Boersma 1993; Mauch and Dixon 2014).
 *
 * Sound is mono at PITCH_RATE. Frame i is centred on sample i * PITCH_HOP. */
#ifndef BRUME_DSP_PITCH_H
#define BRUME_DSP_PITCH_H

#include "dsp/error.h"

#include <stddef.h>

#define PITCH_RATE   16000
#define PITCH_HOP    128
#define PITCH_LOWEST 60.0f
#define PITCH_TOP    3200.0f

typedef struct PitchFrame {
    float hertz;  /* PITCH_LOWEST to PITCH_TOP, or 0: no pitch */
    float period; /* 0..1: how periodic the sound is at `hertz`, 1 - YIN's normalised difference;
                     where there is no pitch, at the best candidate */
    float level;  /* RMS over 32 ms (less at the ends), linear */
} PitchFrame;

/* Frames that pitch_track makes of n samples: n / PITCH_HOP + 1. */
size_t pitch_frames(size_t n);

/* x (n,) -> out (pitch_frames(n),). Samples must be finite; any level, any n. Frames more than 60
 * dB under the loudest, or under -90 dBFS, have no pitch. Takes about 150 bytes a frame while it
 * runs. -1 when memory runs out. Any thread. */
int pitch_track(const float *x, size_t n, PitchFrame *out, Error *err);

#endif
