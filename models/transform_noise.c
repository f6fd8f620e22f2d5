#include "models/transform_noise.h"

#include <math.h>

enum { PIECE = 512 };

/* Before the first step of the first chunk: there is but one draw a position. */
static void draw(uint64_t seed, unsigned part, TextureNoise noise, uint64_t first, float *out,
                 size_t n)
{
    texture_noise_draw(seed, part, noise, 0, -1, first, out, n);
}

void transform_noise_draw(uint64_t seed, float width, unsigned channel, TextureNoise noise,
                          uint64_t first, float *out, size_t n)
{
    draw(seed, 0, noise, first, out, n);
    if (width == 0.0f)
        return;
    const double angle = 0.5 * acos(1.0 - (double)width);
    const float c = (float)cos(angle), s = (float)(channel ? -sin(angle) : sin(angle));
    float piece[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        const size_t m = n - i < PIECE ? n - i : PIECE;
        draw(seed, 1, noise, first + i, piece, m);
        for (size_t j = 0; j < m; j++)
            out[i + j] = c * out[i + j] + s * piece[j];
    }
}
