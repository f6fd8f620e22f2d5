/* How far a texture is from another, in units of how far the other is from itself.
 *
 * A group's distance between two windows is the root mean square, over the group's statistics
 * (dsp/texture_statistics.h), of their difference in units of that statistic's standard deviation
 * over real windows. A ratio is the mean of it over all pairs of one real and one other window,
 * divided by the floor: its mean over pairs of real windows of different halves. TOTAL is the ratio
 * of the roots of the groups' mean squares. So TOTAL 1 says that the other sounds lie as near to
 * the real ones as real ones do to each other. A ratio alone can be fooled, by sound that is too
 * much the same and by copies: read it with `spread` and with dsp/texture_copies.h. */
#ifndef BRUME_DSP_TEXTURE_DISTANCE_H
#define BRUME_DSP_TEXTURE_DISTANCE_H

#include "dsp/texture_sound.h"
#include "dsp/texture_statistics.h"

/* Figures by TextureGroup, and then of all together. */
enum { TEXTURE_TOTAL = TEXTURE_GROUPS, TEXTURE_FIGURES };

typedef struct TextureDistance {
    double window;                      /* seconds of a window */
    size_t real_windows, other_windows; /* how many were measured */
    double ratio[TEXTURE_FIGURES];      /* 1: as near as real to real */
    double bias[TEXTURE_FIGURES];       /* root mean square distance of the means, in deviations */
    double bias_floor[TEXTURE_FIGURES]; /* the same between halves of the real sounds */
    double spread[TEXTURE_FIGURES];     /* median of deviation over real deviation; NaN for fewer
                                         * than 3 windows. Well below 1: too much the same */
    double level;                       /* dB that the others are louder, by mean level */
} TextureDistance;

/* How far `other` is from `real`. Windows last 5 s, or as long as the shortest of `other`, a
 * quarter of a single real sound, or half of the median of several real ones, if that is less. Real
 * sounds that are shorter than the window are left out. Several real sounds are parted into halves
 * by sound, in several ways; a single one in its middle. The same sounds give the same figures. -1
 * when there is too little real sound (less than 2 s of a single one, less than 6 windows of
 * several), a sound of `other` is too short, or memory runs out. Any thread. */
int texture_distance(const TextureSound *const *real, size_t real_count,
                     const TextureSound *const *other, size_t other_count, TextureDistance *out,
                     Error *err);

#endif
