/* A block of lapped frames: Hann windows a quarter of their size apart, transformed all at once.
 *
 * Sound that is transformed lies woven: sample h * hop + j of the block at j * LAPPED_STRIDE + h.
 * Then sample q * hop + j of all frames lies in a row, from q on, and frames become lanes
 * (dsp/fourier.h) without being copied apart. Frames go in two batches, one of FOURIER_WIDE and one
 * of FOURIER_NARROW, one after the other in memory wherever a value a lane is meant. */
#ifndef BRUME_DSP_LAPPED_H
#define BRUME_DSP_LAPPED_H

#include "dsp/error.h"
#include "dsp/fourier.h"

#include <stddef.h>

#define LAPPED_FRAMES  (FOURIER_WIDE + FOURIER_NARROW)
#define LAPPED_TAIL    3 /* hops that a frame reaches beyond its first */
#define LAPPED_HOPS    (LAPPED_FRAMES + LAPPED_TAIL)
#define LAPPED_STRIDE  24
#define LAPPED_BATCHES 2

typedef struct Lapped Lapped; /* immutable: any thread */

/* For frames of `size` samples (as fourier_create). */
Lapped *lapped_create(size_t size, Error *err);
void lapped_destroy(Lapped *lapped);

/* A batch's first frame and its number of lanes. */
size_t lapped_first(size_t batch);
size_t lapped_lanes(size_t batch);

/* Where a batch begins among values of `rows` rows a lane. */
size_t lapped_batch(size_t batch, size_t rows);

/* Row of each bin's real part, (size / 2 + 1,); the next is that of its imaginary part. Spectra
 * have size + 2 rows. */
const size_t *lapped_rows(const Lapped *lapped);

/* The window, (size,). */
const float *lapped_window(const Lapped *lapped);

/* sound (LAPPED_HOPS * hop,) <-> woven (hop, LAPPED_STRIDE). The last column stays as it is. */
void lapped_weave(const Lapped *lapped, const float *sound, float *woven);

/* The first `hops` hops of it, times `scale`. */
void lapped_unweave(const Lapped *lapped, const float *woven, size_t hops, float scale,
                    float *sound);

/* woven -> window -> spectra, not scaled. */
void lapped_forward(const Lapped *lapped, const float *woven, float *spectra);

/* spectra of the first `batches` batches, which are overwritten -> inverse transform, scaled by
 * 1 / size -> window -> added to woven. */
void lapped_inverse(const Lapped *lapped, size_t batches, float *spectra, float *woven);

/* Spectra -> the sound that they add up to -> its spectra, in place: lapped_inverse onto what
 * earlier frames left (hop, LAPPED_TAIL), the sound times `norm` (hop, LAPPED_STRIDE), and
 * lapped_forward; where the sound is moved on by `momentum` times what has changed in it since
 * `before` (hop, LAPPED_STRIDE), which becomes what it was. */
void lapped_refine(const Lapped *lapped, const float *left, const float *norm, float momentum,
                   float *before, float *spectra);

#endif
