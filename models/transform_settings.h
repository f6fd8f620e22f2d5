/* What can be asked of a transformed sound. */
#ifndef BRUME_MODELS_TRANSFORM_SETTINGS_H
#define BRUME_MODELS_TRANSFORM_SETTINGS_H

#include "models/texture_settings.h"

typedef struct TransformSettings {
    TextureSettings texture; /* what is made of the input; always by DPM-Solver++ */
    float strength;          /* 0 = the input, 1 = a free texture */
} TransformSettings;

/* texture_settings_check, and the strength's range. */
int transform_settings_check(const TransformSettings *settings, const TextureModel *model,
                             Error *err);

#endif
