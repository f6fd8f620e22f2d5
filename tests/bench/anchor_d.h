/* The baseline of the recipes: harmonic anchor "D". Partials at the recording's pitch, weighted by
 * 20 log mels at a hop of 256 samples, phases accumulated, and noise shaped by the same mels. Its
 * level is set by the mels told: partials of a frame have the powers with which the energies of the
 * bands are those of the recording. */
#ifndef BRUME_TESTS_BENCH_ANCHOR_D_H
#define BRUME_TESTS_BENCH_ANCHOR_D_H

#include "dsp/error.h"

#include <stddef.h>

/* x (n,) at 16 kHz, from whose true features (pitch, voicing, mels) it is made -> out (n,). -1 when
 * memory runs out. */
int anchor_d_make(const float *x, size_t n, float *out, Error *err);

#endif
