/* Analysis: a stretch of sound as log energies in bands, frame by frame. */
#ifndef BRUME_DSP_ANALYSIS_H
#define BRUME_DSP_ANALYSIS_H

#include "dsp/bands.h"
#include "dsp/stft.h"

#include <stddef.h>

/* Whole frames of `size` samples, `hop` apart, in n samples. */
size_t analysis_frames(size_t n, size_t size, size_t hop);

/* samples (n,) mono -> log_energy (analysis_frames(n), count); frame f covers samples
 * f * hop .. f * hop + size - 1. One thread for each Stft. Returns 0, or -1 out of memory. */
int analysis_run(const Bands *bands, Stft *stft, const float *samples, size_t n, size_t hop,
                 float *log_energy, Error *err);

#endif
