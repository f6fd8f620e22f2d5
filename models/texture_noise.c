#include "models/texture_noise.h"

#include "dsp/random.h"

uint64_t texture_noise_stream(TextureNoise noise, uint64_t chunk, int step)
{
    return chunk << 24 | (uint64_t)(step + 1) << 8 | (uint64_t)noise;
}

void texture_noise_draw(uint64_t seed, unsigned channel, TextureNoise noise, uint64_t chunk,
                        int step, uint64_t first, float *out, size_t n)
{
    random_gaussian(seed, texture_noise_stream(noise, chunk, step) + channel, first, out, n);
}
