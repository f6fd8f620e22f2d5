/* Bands: a spectrum seen through triangular filters, as log energies.
 *
 * A layout is a row of band centres, in bins, at least one bin apart; band b weighs the bins from
 * centre b-1 to centre b+1 by a triangle. Where centres are one bin apart a band is one bin. Two
 * layouts: mel bands (HTK formula), and the hybrid of single bins below and logarithmic bands
 * above, which carries tone where the ear resolves it and costs little where it does not. */
#ifndef BRUME_DSP_BANDS_H
#define BRUME_DSP_BANDS_H

#include "dsp/error.h"

#include <complex.h>
#include <stddef.h>

typedef struct Bands Bands;

/* Added to a band's mean bin power before the logarithm: -100 dB of full-scale white noise. */
#define BANDS_FLOOR 1e-10f

/* `count` bands equally spaced on the mel scale (m = 2595 log10(1 + f / 700), as in HTK) from 20 Hz
 * to half of `rate`, in spectra of `size`-sample frames. NULL with a message when they don't fit.
 */
Bands *bands_create_mel(double rate, size_t size, size_t count, Error *err);

/* Bins 0..linear-1 each as a band, then `upper` bands spaced logarithmically up to `top` Hz. */
Bands *bands_create_hybrid(double rate, size_t size, size_t linear, size_t upper, double top,
                           Error *err);
void bands_destroy(Bands *bands);

/* Number of bands. */
size_t bands_count(const Bands *bands);

/* How many bands, from the lowest, are one bin each: band b is bin b, and no band above weighs it.
 */
size_t bands_single(const Bands *bands);

/* Centre of a band in Hz. */
double bands_centre(const Bands *bands, size_t band);

/* How many bins a band stands for: widths of neighbours add up to the bins between them. */
double bands_width(const Bands *bands, size_t band);

/* The value at bin k (0..size / 2) of a curve that has `values` (count,) at the bands' centres,
 * straight between them. Any thread. */
float bands_at(const Bands *bands, const float *values, size_t k);

/* spectrum (size / 2 + 1,) of a Hann frame -> energy (count,): mean bin power of each band, scaled
 * so that white noise of variance 1 has energy 1. Any thread. */
void bands_energy(const Bands *bands, const float complex *spectrum, float *energy);

/* energy (count,) -> natural log of energy + BANDS_FLOOR, in place. */
void bands_log(const Bands *bands, float *energy);

/* Inverse of bands_log: never negative. */
void bands_exp(const Bands *bands, const float *log_energy, float *energy);

#endif
