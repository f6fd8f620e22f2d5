#include "models/texture_image.h"

#include "models/texture_level.h"

#include <math.h>

float texture_image_level(const TextureModel *model, const float *mix)
{
    const size_t classes = texture_model_config(model)->denoiser.classes;
    float space[4096];
    double goal = 0.0;
    for (size_t c = 0; c < classes; c++) {
        float alone[TEXTURE_MAX_CLASSES] = {0};
        alone[c] = 1.0f;
        if (mix[c] >= 1.0f)
            return 1.0f;
        if (mix[c] > 0.0f)
            goal += (double)mix[c] * log(texture_level_class(model, alone, space));
    }
    const double level = exp(0.5 * (goal - log(texture_level_class(model, mix, space))));
    return (float)fmin(10.0, fmax(0.1, level));
}

/* The angle between a channel and the middle: half the angle between the channels. */
static double angle_at(double middle, double width)
{
    const double there = acos(sqrt(middle)), apart = atan(1.0);
    return width <= 0.5 ? 2.0 * width * there : there + (2.0 * width - 1.0) * (apart - there);
}

void texture_image_gains(const TextureModel *model, const float *mix, float width, float *middle,
                         float *side)
{
    const Bands *bands = texture_model_bands(model);
    const size_t classes = texture_model_config(model)->denoiser.classes;
    const size_t count = bands_count(bands);
    const size_t bins = texture_model_config(model)->frame / 2 + 1;
    const float *middles = texture_model_middles(model);
    const double level = (double)texture_image_level(model, mix);
    for (size_t k = 0; k < bins; k++) {
        double share = 0.0;
        for (size_t c = 0; c < classes; c++)
            if (mix[c] > 0.0f)
                share += (double)(mix[c] * bands_at(bands, middles + c * count, k));
        const double angle = angle_at(fmin(1.0, fmax(0.0, share)), (double)width);
        middle[k] = (float)(level * cos(angle));
        side[k] = (float)(level * sin(angle));
    }
}
