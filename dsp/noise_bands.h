/* Noise in four bands: 0-1, 1-2, 2-4 and 4-8 kHz of sound at 16 kHz. Its level as a function of
 * time, and noise made to such levels. The bands are split by linear-phase filters of 8 ms that add
 * up to the signal itself, centred: nothing is delayed. */
#ifndef BRUME_DSP_NOISE_BANDS_H
#define BRUME_DSP_NOISE_BANDS_H

#include "dsp/error.h"

#include <stddef.h>
#include <stdint.h>

#define NOISE_BANDS     4
#define NOISE_BANDS_HOP 64

/* Impulse responses (NOISE_BANDS, NOISE_BANDS_TAPS). */
#define NOISE_BANDS_TAPS 129
void noise_bands_filters(float *taps);

/* x (n,) -> power (n / 64 rounded up, NOISE_BANDS): mean square of each band about each frame of 64
 * samples, over 7 frames (but for clicks, which stand alone), but not across an onset: frame b
 * begins a new part where onset[i] / 64 == b for some i < onsets (ascending samples). Any thread.
 * -1 when memory runs out. */
int noise_bands_measure(const float *x, size_t n, const size_t *onset, size_t onsets, float *power,
                        Error *err);

/* Adds noise of these powers to out: `frames` frames of 64 samples, power (frames, NOISE_BANDS),
 * frame number `first` of stream (seed, stream) on. Levels are straight lines between frames'
 * middles (which need the frame before and after: power is read at frame -1 and `frames`, too). Any
 * part can be had in any order. */
void noise_bands_make(const float *power, size_t frames, uint64_t seed, uint64_t stream,
                      uint64_t first, float *out);

#endif
