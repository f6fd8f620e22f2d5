#include "models/texture_noise.h"

#include "dsp/random.h"

#include <math.h>

enum { PIECE = 512 };

uint64_t texture_noise_stream(TextureNoise noise, uint64_t chunk, int step)
{
    return chunk << 24 | (uint64_t)(step + 1) << 8 | (uint64_t)noise;
}

void texture_noise_draw(uint64_t seed, float width, unsigned channel, TextureNoise noise,
                        uint64_t chunk, int step, uint64_t first, float *out, size_t n)
{
    const uint64_t shared = texture_noise_stream(noise, chunk, step);
    random_gaussian(seed, shared, first, out, n);
    if (width == 0.0f)
        return;
    const double angle = 0.5 * acos(1.0 - (double)width);
    const float c = (float)cos(angle), s = (float)(channel ? -sin(angle) : sin(angle));
    float piece[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        const size_t m = n - i < PIECE ? n - i : PIECE;
        random_gaussian(seed, shared + 1, first + i, piece, m);
        for (size_t j = 0; j < m; j++)
            out[i + j] = c * out[i + j] + s * piece[j];
    }
}
