/* Which partials a note has: peaks of its spectrum (McAulay and Quatieri, "Speech
 * analysis/synthesis based on a sinusoidal representation", IEEE Trans. ASSP 34, 1986), the
 * harmonics first, each looked for where the stretch of the ones below it foretells it, then what
 * stands out between them (bars, bells, tines). Used by dsp/partials. */
#ifndef BRUME_DSP_PARTIAL_PEAKS_H
#define BRUME_DSP_PARTIAL_PEAKS_H

#include "dsp/stft.h"

#include <stddef.h>

#define PARTIAL_PEAKS_SIZE 8192
#define PARTIAL_PEAKS_MOST 80

typedef struct Peaks {
    size_t count;
    float ratio[PARTIAL_PEAKS_MOST];     /* frequency over that of the note */
    float amplitude[PARTIAL_PEAKS_MOST]; /* of the sinusoid, linear, roughly */
} Peaks;

/* x (n,) at PITCH_RATE: the note alone, from just after its onset; hertz (n / 64 + 1,): its
 * frequency at every 64th sample. old (olds,): frequencies that ring on from before, which are not
 * taken for partials out of place. stft: of PARTIAL_PEAKS_SIZE. */
void partial_peaks_find(const float *x, size_t n, const float *hertz, const float *old, size_t olds,
                        Stft *stft, Peaks *out);

#endif
