#include "models/transform_level.h"

#include <math.h>

static const double MEMORY_SECONDS = 3.0, PAUSE = 1e-8;

/* Half the distance between a band's neighbours, in bins: what its mean bin power stands for. */
static double width(const TextureModel *model, size_t band)
{
    const Bands *bands = texture_model_bands(model);
    const TextureConfig *config = texture_model_config(model);
    const size_t last = bands_count(bands) - 1;
    const double above = bands_centre(bands, band < last ? band + 1 : last);
    const double below = bands_centre(bands, band > 0 ? band - 1 : 0);
    return 0.5 * (above - below) * (double)config->frame / (double)config->rate;
}

double transform_level_class(const TextureModel *model, const float *mix, float *space)
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
        sum += weight * transform_level_frame(model, frame, 1);
        weights += weight;
    }
    return sum / weights;
}

double transform_level_frame(const TextureModel *model, const float *const *frame,
                             unsigned channels)
{
    const size_t bands = bands_count(texture_model_bands(model));
    double energy = 0.0;
    for (size_t b = 0; b < bands; b++)
        for (unsigned c = 0; c < channels; c++)
            energy += width(model, b) * exp((double)frame[c][b]);
    return energy / (double)channels;
}

bool transform_level_pauses(const TextureModel *model, double energy)
{
    return energy < PAUSE * (double)texture_model_config(model)->frame / 2.0;
}

void transform_level_follow(TransformLevel *level, const TextureModel *model, double energy)
{
    const double rate = (double)texture_model_config(model)->rate;
    const double kept = exp(-(double)texture_model_hop(model) / rate / MEMORY_SECONDS);
    level->energy = kept * level->energy + energy;
    level->time = kept * level->time + 1.0;
}

double transform_level_log(const TransformLevel *level)
{
    return log(level->energy / level->time);
}
