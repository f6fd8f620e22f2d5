/* The noise of texture streams, by number: what is drawn depends on seed, purpose, chunk, step and
 * position alone, so any chunk can be made again. */
#ifndef BRUME_MODELS_TEXTURE_NOISE_H
#define BRUME_MODELS_TEXTURE_NOISE_H

#include <stddef.h>
#include <stdint.h>

/* What noise is for. Each purpose has one stream for the middle and, one higher, one for the side.
 */
typedef enum {
    TEXTURE_NOISE_CHUNK = 1,  /* x_T and the steps' own noise; position: frame * bands + band */
    TEXTURE_NOISE_EXCITE = 3, /* the inversion's; position: sample */
    TEXTURE_NOISE_CHOICE = 5  /* of a memory */
} TextureNoise;

/* Number of the random stream for a purpose in a chunk at a step (-1: before the first). */
uint64_t texture_noise_stream(TextureNoise noise, uint64_t chunk, int step);

/* n standard Gaussian values from position `first` on, for channel 0 (middle) or 1 (side), which
 * know nothing of each other. Any thread. */
void texture_noise_draw(uint64_t seed, unsigned channel, TextureNoise noise, uint64_t chunk,
                        int step, uint64_t first, float *out, size_t n);

#endif
