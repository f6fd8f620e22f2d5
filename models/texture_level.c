#include "models/texture_level.h"

#include <math.h>

double texture_level_frame(const TextureModel *model, const float *const *frame, unsigned channels)
{
    const Bands *bands = texture_model_bands(model);
    double energy = 0.0;
    for (size_t b = 0; b < bands_count(bands); b++)
        for (unsigned c = 0; c < channels; c++)
            energy += bands_width(bands, b) * exp((double)frame[c][b]);
    return energy / (double)channels;
}

double texture_level_class(const TextureModel *model, const float *mix, float *space)
{
    const size_t bands = bands_count(texture_model_bands(model));
    double sum = 0.0, weights = 0.0;
    for (int k = 0; k < NORMALISER_KNOTS; k++) {
        const float knot =
            NORMALISER_RANGE * (2.0f * (float)k / (float)(NORMALISER_KNOTS - 1) - 1.0f);
        const double weight = exp(-0.5 * (double)knot * (double)knot);
        for (size_t b = 0; b < bands; b++)
            space[b] = knot;
        normaliser_backward(texture_model_maps(model), mix, space, 1);
        const float *const frame[] = {space};
        sum += weight * texture_level_frame(model, frame, 1);
        weights += weight;
    }
    return sum / weights;
}
