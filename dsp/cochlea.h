/* Envelopes of sound in the bands of a cochlea, as models of texture perception start from.
 *
 * As in McDermott and Simoncelli, "Sound texture perception via statistics of the auditory
 * periphery", Neuron 71 (2011) 926-940, "Auditory model": half-cosine bands equally spaced on the
 * scale of equivalent rectangular bandwidths (Glasberg and Moore, "Derivation of auditory filter
 * shapes from notched-noise data", Hearing Research 47 (1990) 103-138), each band's Hilbert
 * envelope raised to 0.3 and sampled at 400 Hz. */
#ifndef BRUME_DSP_COCHLEA_H
#define BRUME_DSP_COCHLEA_H

#include "dsp/error.h"

#include <stddef.h>

enum {
    COCHLEA_BANDS = 30,
    COCHLEA_RATE = 32000,    /* Hz, of the sound */
    COCHLEA_HOP = 80,        /* samples of a frame */
    COCHLEA_FRAME_RATE = 400 /* Hz, of the envelopes: they hold nothing above half of it */
};

/* What envelopes are raised to. */
#define COCHLEA_COMPRESSION 0.3

typedef struct Cochlea Cochlea;

/* Plans the transforms, which takes a process-wide lock while FFTW plans. Holds scratch space: one
 * Cochlea for each thread. NULL when memory runs out. */
Cochlea *cochlea_create(Error *err);
void cochlea_destroy(Cochlea *cochlea);

/* Centre of a band in Hz. */
double cochlea_centre(size_t band);

/* samples (n,) mono at COCHLEA_RATE -> envelopes (n / COCHLEA_HOP, COCHLEA_BANDS), above 0, and
 * power (n / COCHLEA_HOP,), each frame's mean square. White noise 75 dB under the mean power of all
 * n samples is added first, so that bands in which nothing sounds have an envelope too; it is the
 * same noise each time. Frame f covers the samples from f * COCHLEA_HOP on. */
void cochlea_run(Cochlea *cochlea, const float *samples, size_t n, float *envelopes, float *power);

#endif
