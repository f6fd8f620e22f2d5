#include "models/texture_weight.h"

#include <math.h>
#include <string.h>

/* A band is compared with this many on each side; 10 dB below the loudest it counts 0.56 as much,
 * 20 dB below 0.32, and never less than LEAST. */
enum { NEIGHBOURS = 10 };
static const float SLOPE = 0.25f, LEAST = 0.15f;

static double erb_number(double hertz)
{
    return 9.265 * log(1.0 + hertz / (24.7 * 9.265));
}

/* From halfway to the band below to halfway to the band above. */
static double erb_width(const Bands *bands, size_t b)
{
    const size_t last = bands_count(bands) - 1;
    const double at = bands_centre(bands, b);
    const double below = b ? 0.5 * (bands_centre(bands, b - 1) + at) : 0.0;
    const double above = b < last ? 0.5 * (bands_centre(bands, b + 1) + at) : at;
    return erb_number(above) - erb_number(below);
}

/* The loudest of a band and its neighbours. */
static float peak_around(const float *levels, size_t count, size_t b)
{
    const size_t first = b > NEIGHBOURS ? b - NEIGHBOURS : 0;
    const size_t end = b + NEIGHBOURS + 1 < count ? b + NEIGHBOURS + 1 : count;
    float peak = levels[b];
    for (size_t i = first; i < end; i++)
        peak = fmaxf(peak, levels[i]);
    return peak;
}

void texture_weight(const TextureModel *model, const float *mix, const float *memory,
                    float *weights)
{
    const Bands *bands = texture_model_bands(model);
    const size_t count = bands_count(bands);
    float levels[4096];
    memcpy(levels, memory, count * sizeof *levels);
    normaliser_backward(texture_model_maps(model), mix, levels, 1);
    double sum = 0.0;
    for (size_t b = 0; b < count; b++) {
        const float below = levels[b] - peak_around(levels, count, b);
        weights[b] = (float)sqrt(erb_width(bands, b)) * fmaxf(LEAST, expf(SLOPE * below));
        sum += (double)weights[b];
    }
    for (size_t b = 0; b < count; b++)
        weights[b] *= (float)((double)count / sum);
}
