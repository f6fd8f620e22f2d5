/* Stretches of sounds, a few seconds each, and their statistics. */
#ifndef BRUME_DSP_TEXTURE_WINDOWS_H
#define BRUME_DSP_TEXTURE_WINDOWS_H

#include "dsp/texture_sound.h"
#include "dsp/texture_statistics.h"

/* Part of a sound, in frames of its envelopes. */
typedef struct TexturePart {
    const TextureSound *sound;
    size_t first, frames;
} TexturePart;

/* Statistics of windows. */
typedef struct TextureWindows {
    size_t count;
    float *values; /* (count, TEXTURE_STATISTICS) */
    size_t *parts; /* (count,): which part each is of, from low to high */
} TextureWindows;

/* Measures windows of `frames` frames (as texture_statistics_create), at most `each` of a part,
 * spread evenly over it, no closer than a quarter of their length. A part shorter than a window has
 * none, and neither has a place that is silent (50 dB under its sound). *out is empty before and to
 * be freed with texture_windows_free, also after a failure. -1 when memory runs out. Any thread. */
int texture_windows_measure(const TexturePart *parts, size_t part_count, size_t frames, size_t each,
                            TextureWindows *out, Error *err);
void texture_windows_free(TextureWindows *windows);

#endif
