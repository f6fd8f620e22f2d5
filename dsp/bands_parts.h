/* The inside of a layout of bands. */
#ifndef BRUME_DSP_BANDS_PARTS_H
#define BRUME_DSP_BANDS_PARTS_H

#include "dsp/bands.h"

/* A band's weights cover bins first..first+length-1 and lie at weights[offset]. */
typedef struct Band {
    size_t first, length, offset;
    float scale; /* 1 / (sum of weights * sum of squared window) */
} Band;

struct Bands {
    double rate;
    size_t size, bins, count;
    size_t single; /* bands 0..single-1 are bins 0..single-1, each alone */
    double *centres;
    Band *bands;
    float *weights;
    /* Bin k lies between bands below[k] and below[k] + 1, `share[k]` of the way. */
    size_t *below;
    float *share;
};

#endif
