/* What the sample tier is told about each frame of 64 samples: the same numbers whether they were
 * measured or planned.
 *
 * Values, of order 1; levels are dB relative to the prompt's level (RMS where it sounds), over 20,
 * and -4 at least: 0      log2 of the pitch over 440 Hz; 0 where there is none 1      share of the
 * power that is partials 2-21   levels of 20 mel bands, 30 to 8000 Hz: partials and noise together
 *   22-25  levels of the noise (what the anchor lacks) in 0-1, 1-2, 2-4, 4-8 kHz
 *   26-29  exp(-age / 2, 8, 30, 120 ms) since the note's onset
 *   30     exp(-time since it was let go / 30 ms); 0 while it is held
 *   31     1 while a note is held
 *   32     1: there is a plan */
#ifndef BRUME_MODELS_MELODY_CONDITION_H
#define BRUME_MODELS_MELODY_CONDITION_H

#include "dsp/noise_bands.h"

#include <stddef.h>

#define MELODY_RATE      16000
#define MELODY_HOP       64
#define MELODY_MELS      20
#define MELODY_CONDITION 33

/* One frame, before it is put in numbers. */
typedef struct MelodyFrame {
    float hertz;                 /* of the newest note; 0: none */
    float partials[MELODY_MELS]; /* power of the partials in each mel band */
    float noise[NOISE_BANDS];    /* power */
    float age;       /* seconds from the onset to the frame's end; negative: no note yet */
    float since_off; /* seconds from the note's end to the frame's; negative: it is held */
} MelodyFrame;

/* Adds a sinusoid's power to the mel bands of a frame. Those outside 0..8000 Hz have none. */
void melody_condition_add(MelodyFrame *frame, float hertz, float amplitude);

/* frame -> out (MELODY_CONDITION,). `level` is the prompt's, dBFS. */
void melody_condition_make(const MelodyFrame *frame, float level, float *out);

#endif
