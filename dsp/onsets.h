/* Where notes begin: spectral flux of log mel energies, each band compared with the loudest of its
 * neighbours a moment before, so that vibrato is no onset (SuperFlux: Boeck and Widmer, "Maximum
 * filter vibrato suppression for onset detection", DAFx 2013).
 *
 * Sound is mono at PITCH_RATE; frames are those of dsp/pitch.h. */
#ifndef BRUME_DSP_ONSETS_H
#define BRUME_DSP_ONSETS_H

#include "dsp/error.h"

#include <stddef.h>

/* x (n,) -> strength (pitch_frames(n),): mean rise over the bands, in nepers, of energies limited
 * to 40 dB under the sound's loud parts. 0 in silence. Samples must be finite. -1 when memory runs
 * out. Plans a Fourier transform (stft_create). */
int onsets_strength(const float *x, size_t n, float *strength, Error *err);

/* Peaks of strength (frames,): highest within 3 frames either side, and `least` above the mean of
 * the 12 frames either side. Writes frame numbers, ascending, to out (frames,); returns how many.
 */
size_t onsets_peaks(const float *strength, size_t frames, float least, size_t *out);

/* The frame at or before `frame`, but not before `earliest`, where partials of `hertz` (those that
 * `old_hertz`, unless 0, has none beside) begin to rise: where their amplitude, over 32 ms, is 0.12
 * of the way from its least to its largest by 10 frames later. For notes that fade into each other.
 * x (n,); returns `frame` where `hertz` has no partials of its own. */
size_t onsets_emergence(const float *x, size_t n, size_t frame, size_t earliest, float hertz,
                        float old_hertz);

/* The sample near `about` where a sound begins that the sound before did not foretell: the largest
 * jump (fourfold at least), in the ratio of energy after to energy before, of what linear
 * prediction from the past leaves. Looks `reach` samples either side. x (n,); returns `about` where
 * nothing jumps. */
size_t onsets_refine(const float *x, size_t n, size_t about, size_t reach);

#endif
