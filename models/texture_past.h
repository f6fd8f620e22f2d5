/* The past in outline: what went before a window, for the denoiser to go on from. A window of three
 * seconds can't hold a wave that swells for ten; the level of a few groups of bands in the last
 * half minute says where in its swell it is, at the cost of a few values.
 *
 * Groups of bands widen upwards. The 6 seconds before a window are kept in 8 stretches of 64
 * frames, the 24 seconds before those in 8 stretches of 256 (at 86 frames a second). */
#ifndef BRUME_MODELS_TEXTURE_PAST_H
#define BRUME_MODELS_TEXTURE_PAST_H

#include <stddef.h>

#define TEXTURE_PAST_GROUPS 8

/* Frames that are looked back at, at most. */
#define TEXTURE_PAST_FRAMES (8 * 64 + 8 * 256)

/* For each of 16 stretches the mean of each group, and the share of it that there is. */
#define TEXTURE_PAST_VALUES (16 * (TEXTURE_PAST_GROUPS + 1))

/* A frame (bands,) of Gaussian values -> the means of its groups, outline (TEXTURE_PAST_GROUPS,).
 * Any thread. */
void texture_past_outline(const float *frame, size_t bands, float *outline);

/* The outlines of the n frames right before a window, oldest first: outlines (n,
 * TEXTURE_PAST_GROUPS), n <= TEXTURE_PAST_FRAMES -> past (TEXTURE_PAST_VALUES,); all 0 for n = 0.
 * Any thread. */
void texture_past_pool(const float *outlines, size_t n, float *past);

/* The outlines of what a stream has played, one channel's. Plain memory, which may be copied to
 * remember how it stood; all zero is the beginning. */
typedef struct TextureHistory {
    size_t count; /* frames that there are: the last of `outlines` */
    float outlines[TEXTURE_PAST_FRAMES * TEXTURE_PAST_GROUPS];
} TextureHistory;

/* Appends n frames (n, bands), oldest first. */
void texture_history_add(TextureHistory *history, const float *frames, size_t n, size_t bands);

/* What a window is told that begins after the history and then n more frames (n, bands): past
 * (TEXTURE_PAST_VALUES,). Takes 80 KiB of stack. */
void texture_history_tell(const TextureHistory *history, const float *frames, size_t n,
                          size_t bands, float *past);

#endif
