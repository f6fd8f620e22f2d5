#include "models/transform_settings.h"

int transform_settings_check(const TransformSettings *settings, const TextureModel *model,
                             Error *err)
{
    if (!(settings->strength >= 0.0f && settings->strength <= 1.0f))
        return error_set(err, "strength %g: give 0 to 1", (double)settings->strength);
    return texture_settings_check(&settings->texture, model, err);
}
