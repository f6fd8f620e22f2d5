/* Phases for a spectrogram of which only the magnitudes are known, by phase-gradient heap
 * integration.
 *
 * In a Gaussian-windowed transform the derivatives of the phase follow from those of the log
 * magnitude; a Hann window is near enough to a Gaussian. From a frame whose phases are known the
 * derivatives are summed outwards, loudest points first, so that errors gather where it is quiet.
 * Sources: Prusa, Balazs, Soendergaard, "A noniterative method for reconstruction of phase from
 * STFT magnitude", IEEE/ACM TASLP 25 (2017); as a stream: Prusa, Soendergaard, "Real-time
 * spectrogram inversion using phase gradient heap integration", DAFx 2016. Unlike there, no point
 * is too quiet to be integrated over: random phases for points 40 dB under the loudest made rain
 * worse, for those 80 dB under it nothing better. */
#ifndef BRUME_DSP_PHASE_H
#define BRUME_DSP_PHASE_H

#include "dsp/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Phase Phase;

/* For the lowest `bins` (2 .. size / 2 + 1) of Hann frames of `size` samples (16..65536) at a hop
 * of size / 4, `frames` (1..1024) at a time. One thread at a time. NULL with a message when a
 * number is refused or memory runs out. */
Phase *phase_create(size_t size, size_t bins, size_t frames, Error *err);
void phase_destroy(Phase *phase);

/* log_energy (frames + 1, bins): natural logs of bin power, to a constant that does not matter. Row
 * 0 is the frame before. angle (frames + 1, bins), in radians, not wrapped, as stft_forward counts
 * them. `known`: row 0 of `angle` holds phases and the other rows are written; otherwise row 0 of
 * both is neither read nor written, and the loudest point gets phase 0. Keeps no state between
 * calls; allocates nothing. */
void phase_integrate(Phase *phase, const float *log_energy, bool known, float *angle);

#endif
