/* What the ear keeps of a texture: statistics of its envelopes over a few seconds.
 *
 * Those of McDermott and Simoncelli, Neuron 71 (2011) 926-940 ("Texture statistics"): moments of
 * each band's envelope, correlations between bands, power in bands of modulation, and correlations
 * between bands within a band of modulation (their C1). Their C2, between bands of modulation, is
 * left out: what it adds is heard least. Bands of modulation are raised cosines in log frequency,
 * weights of the window's periodogram. */
#ifndef BRUME_DSP_TEXTURE_STATISTICS_H
#define BRUME_DSP_TEXTURE_STATISTICS_H

#include "dsp/cochlea.h"
#include "dsp/error.h"

#include <stddef.h>

typedef enum TextureGroup {
    TEXTURE_MEAN,                /* of each envelope, the window's root mean square being 1 */
    TEXTURE_VARIATION,           /* standard deviation over mean */
    TEXTURE_SKEWNESS,            /* third moment, its inverse hyperbolic sine */
    TEXTURE_KURTOSIS,            /* logarithm of the fourth moment */
    TEXTURE_CORRELATION,         /* of bands 1, 2, 3, 5 and 8 apart */
    TEXTURE_MODULATION,          /* root of the share of variance in half octaves, 0.5 to 181 Hz */
    TEXTURE_MODULATION_TOGETHER, /* correlation of bands 1 and 2 apart in octaves, 3 to 100 Hz */
    TEXTURE_GROUPS
} TextureGroup;

enum {
    TEXTURE_HALF_OCTAVES = 18,
    TEXTURE_OCTAVES = 6,
    TEXTURE_NEIGHBOURS = 5 * COCHLEA_BANDS - (1 + 2 + 3 + 5 + 8),
    TEXTURE_STATISTICS = 4 * COCHLEA_BANDS + TEXTURE_NEIGHBOURS +
                         TEXTURE_HALF_OCTAVES * COCHLEA_BANDS +
                         TEXTURE_OCTAVES * (2 * COCHLEA_BANDS - (1 + 2))
};

/* Where a group's statistics lie among the TEXTURE_STATISTICS. */
size_t texture_group_first(TextureGroup group);
size_t texture_group_count(TextureGroup group);

typedef struct TextureStatistics TextureStatistics;

/* For windows of `frames` frames (100 to 40000: a quarter of a second to 100). Takes a process-wide
 * lock while FFTW plans. Holds scratch space: one for each thread. NULL when refused or memory runs
 * out. */
TextureStatistics *texture_statistics_create(size_t frames, Error *err);
void texture_statistics_destroy(TextureStatistics *statistics);

/* envelopes (frames, COCHLEA_BANDS) and power (frames,) of cochlea_run -> out
 * (TEXTURE_STATISTICS,), finite. */
void texture_statistics_run(TextureStatistics *statistics, const float *envelopes,
                            const float *power, float *out);

#endif
