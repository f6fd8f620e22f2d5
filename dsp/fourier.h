/* Fourier transforms of real frames, several side by side: sample by sample, each frame in a lane.
 *
 * Loops over lanes need no shuffles and are as wide as the processor's registers, and since each
 * lane does the same sums in the same order whatever their width, what comes out is the same to the
 * bit on every processor. The transform is in place: decimation in frequency by fours on the way
 * there, in time on the way back (Cooley and Tukey 1965; Gentleman and Sande 1966), of half the
 * size, with even samples for real parts and odd ones for imaginary parts (Cooley, Lewis, Welch
 * 1970). Bins lie where the passes leave them: fourier_rows says where. */
#ifndef BRUME_DSP_FOURIER_H
#define BRUME_DSP_FOURIER_H

#include "dsp/error.h"

#include <stddef.h>

/* Frames of a batch: as many lanes as are wide on any processor, or few. */
#define FOURIER_WIDE   16
#define FOURIER_NARROW 4

typedef struct Fourier Fourier; /* immutable: any thread */

/* For frames of `size` samples, a power of two from 16 to 65536. NULL with a message when that is
 * refused or memory runs out. */
Fourier *fourier_create(size_t size, Error *err);
void fourier_destroy(Fourier *fourier);

/* Where the real part of each bin lies, (size / 2 + 1,) rows; its imaginary part lies in the row
 * after. */
const size_t *fourier_rows(const Fourier *fourier);

/* Samples (size, lanes) -> bins (size + 2, lanes), not scaled, in place. lanes: FOURIER_WIDE or
 * FOURIER_NARROW. */
void fourier_forward(const Fourier *fourier, size_t lanes, float *rows);

/* Bins -> samples times `size`, in place. Imaginary parts of the first and the last bin count for
 * nothing. */
void fourier_inverse(const Fourier *fourier, size_t lanes, float *rows);

#endif
