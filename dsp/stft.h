/* Short-time Fourier transform over FFTW (single precision), one frame at a time.
 *
 * Frames are weighted by a periodic Hann window on analysis and on synthesis; with a hop of a
 * quarter of the size, overlap-added synthesis frames are divided by the sum of
 * squared windows, 1.5 throughout. */
#ifndef BRUME_DSP_STFT_H
#define BRUME_DSP_STFT_H

#include "dsp/error.h"

#include <complex.h>
#include <stddef.h>

typedef struct Stft Stft;

/* Plans transforms of `size` samples (a power of two, 16..65536). Holds scratch space: one Stft for
 * each thread. Takes a process-wide lock while FFTW plans; never call it on an audio thread.
 * NULL when the size is refused or memory runs out. */
Stft *stft_create(size_t size, Error *err);
void stft_destroy(Stft *stft);

/* Samples in a frame. */
size_t stft_size(const Stft *stft);

/* Bins in a frame's spectrum: size / 2 + 1. */
size_t stft_bins(const Stft *stft);

/* The window, (size,). Its squares sum to 3/8 of the size. */
const float *stft_window(const Stft *stft);

/* in (size,) samples -> window -> out (size / 2 + 1,) bins, not scaled. */
void stft_forward(Stft *stft, const float *in, float complex *out);

/* in (size / 2 + 1,) bins -> inverse transform, scaled by 1 / size -> window -> ADDED to out
 * (size,). stft_forward and stft_inverse together multiply a frame by the squared window. */
void stft_inverse(Stft *stft, const float complex *in, float *out);

#endif
