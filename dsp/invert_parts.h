/* The inside of the inversion, which invert.c and invert_guide.c share. */
#ifndef BRUME_DSP_INVERT_PARTS_H
#define BRUME_DSP_INVERT_PARTS_H

#include "dsp/invert.h"
#include "dsp/lapped.h"
#include "dsp/phase.h"

#include <stdbool.h>

enum { FRAMES = INVERTER_BLOCK + INVERTER_AHEAD };

_Static_assert(FRAMES == LAPPED_FRAMES && INVERTER_BLOCK == FOURIER_WIDE,
               "the finished frames are a batch, and the others another one");

/* Sounds are woven, and what there is of each frame lies in batches, one frame a lane
 * (dsp/lapped.h). */
struct Inverter {
    const Bands *bands;
    Lapped *lapped;
    Phase *phase; /* NULL when under an eighth of the bins are single */
    size_t size, hop, bins, single;
    int iterations;
    InverterNoise noise;
    void *user;
    uint64_t frame; /* number of the next block's first frame */
    float *block;   /* (values,): all tables that follow */
    size_t values;
    float *spectra, *spare; /* (size + 2,) rows */
    float *laid;            /* (2 * single,) rows: spectra whose phases were integrated */
    float *target;          /* (count,) rows: energies asked for */
    float *gains;           /* (count,) rows, of one batch */
    float *led, *rest;      /* the same: energies of the guide, and of what is beside it */
    float *energy, *angle;  /* (FRAMES + 1, single) log energies, phases; row 0: the frame before */
    float *tail;            /* (hop, LAPPED_TAIL): what finished frames add to the coming samples */
    float *heard; /* (hop, LAPPED_TAIL): the same of what is heard, weighed by the gains */
    float *sound; /* (LAPPED_HOPS * hop,), not woven */
    float *time, *envelope; /* (hop, LAPPED_STRIDE) */
    float *before;          /* (hop, LAPPED_STRIDE): the sound in the round before */
    float *norm;       /* (hop, LAPPED_STRIDE): 1 / (sum of squared windows over each sample) */
    float *first_norm; /* the same with no frames before the block */
};

/* The guide into all frames of the first guess. True if it is all that is heard. */
bool inverter_lead(Inverter *inverter, const InverterGuide *guide);

#endif
