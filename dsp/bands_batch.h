/* Bands of several frames side by side, each in a lane, as dsp/fourier.h lays spectra out. */
#ifndef BRUME_DSP_BANDS_BATCH_H
#define BRUME_DSP_BANDS_BATCH_H

#include "dsp/bands.h"

/* All: lanes is FOURIER_WIDE or FOURIER_NARROW; spectrum (rows, lanes), where bin k's parts lie in
 * rows[k] and the row after it; energies, targets and gains (count, lanes). Any thread. */

/* As bands_energy. */
void bands_batch_energy(const Bands *bands, size_t lanes, const size_t *rows, const float *spectrum,
                        float *energy);

/* Gains that bring energies to the target: sqrt(target / energy), in place of the energies. An
 * empty band has no direction to grow in: they are bounded so that its noise is not blown up. */
void bands_batch_gains(const Bands *bands, size_t lanes, const float *target, float *energy);

/* Multiplies the bins by gains, straight between band centres. */
void bands_batch_weigh(const Bands *bands, size_t lanes, const size_t *rows, const float *gains,
                       float *spectrum);

/* The three in a row: each band's energy moves towards `target`. One bin wide, a band is met
 * exactly. scratch (count, lanes). */
void bands_batch_impose(const Bands *bands, size_t lanes, const size_t *rows, const float *target,
                        float *spectrum, float *scratch);

#endif
