/* A sound as it is compared with others (dsp/texture_distance.h, dsp/texture_copies.h). */
#ifndef BRUME_DSP_TEXTURE_SOUND_H
#define BRUME_DSP_TEXTURE_SOUND_H

#include "dsp/cochlea.h"
#include "dsp/error.h"

#include <stddef.h>

/* Spectra in which copies are looked for: mel bands, every 10 ms. */
enum { TEXTURE_MEL_BANDS = 40, TEXTURE_MEL_RATE = 100 /* Hz */ };

/* Shortest window that is measured, and the shortest sound: in frames of envelopes, and in seconds.
 */
enum { TEXTURE_FRAMES_LEAST = COCHLEA_FRAME_RATE / 2 };
#define TEXTURE_SHORTEST ((double)TEXTURE_FRAMES_LEAST / COCHLEA_FRAME_RATE)

/* The transforms that analysis needs. Holds scratch space: one for each thread. */
typedef struct TextureEar TextureEar;

/* Takes a process-wide lock while FFTW plans. NULL when memory runs out. */
TextureEar *texture_ear_create(Error *err);
void texture_ear_destroy(TextureEar *ear);

/* What is kept of a sound, 64 KB for each second. Immutable: any thread. */
typedef struct TextureSound {
    size_t frames;    /* of envelopes, COCHLEA_FRAME_RATE a second */
    float *envelopes; /* (frames, COCHLEA_BANDS) */
    float *power;     /* (frames,) mean squares */
    size_t mel_frames;
    float *mel;   /* (mel_frames, TEXTURE_MEL_BANDS) dB, at most 50 dB under the loudest frame */
    double level; /* of all of it, dB under full scale */
} TextureSound;

/* Analyses samples (n,) mono at COCHLEA_RATE, finite, about two hundred times as fast as they
 * sound. NULL for less than TEXTURE_SHORTEST, for silence (below -100 dB) and when memory runs out.
 */
TextureSound *texture_sound_create(TextureEar *ear, const float *samples, size_t n, Error *err);
void texture_sound_destroy(TextureSound *sound);

/* Its length in seconds. */
double texture_sound_seconds(const TextureSound *sound);

#endif
