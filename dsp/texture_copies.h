/* Whether sound is copied from what a model learnt: memorisation.
 *
 * Patches of half a second of mel spectra, each without its mean (a copy at another level is still
 * a copy), are looked for at every 10 ms of the sound that was learnt. How near the nearest lies
 * says little by itself: some textures repeat. So it is held against how near unheard real sound
 * comes. */
#ifndef BRUME_DSP_TEXTURE_COPIES_H
#define BRUME_DSP_TEXTURE_COPIES_H

#include "dsp/texture_sound.h"

typedef struct TextureCopies {
    double ratio;  /* median distance to the nearest patch, over that of unheard sound. 1: as new as
                    * that; under 0.5: copies */
    double copied; /* share of patches nearer than half of the unheard median */
    double nearest; /* dB, root mean square: the median */
    double unheard; /* the same of unheard sound */
} TextureCopies;

/* Looks for `made` in `learnt`, and for `unheard` to have a measure; where unheard_count is 0, for
 * `learnt` in itself, at least 2 s away. 64 patches each, spread evenly: time grows with the learnt
 * sound, about a tenth of a second a minute. -1 when a side is shorter than a patch, `learnt` alone
 * is too short (under 3 s), or memory runs out. Any thread. */
int texture_copies(const TextureSound *const *made, size_t made_count,
                   const TextureSound *const *learnt, size_t learnt_count,
                   const TextureSound *const *unheard, size_t unheard_count, TextureCopies *out,
                   Error *err);

#endif
