/* What can be asked of a texture stream. */
#ifndef BRUME_MODELS_TEXTURE_SETTINGS_H
#define BRUME_MODELS_TEXTURE_SETTINGS_H

#include "dsp/pack.h"
#include "models/sampler.h"
#include "models/texture_model.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct TextureSettings {
    uint64_t seed;
    float mix[TEXTURE_MAX_CLASSES]; /* weight of each class, 0 or more; scaled to sum to 1 */
    SamplerKind sampler;
    int steps;   /* 1..1000 */
    float width; /* 0 = mono, 0.5 = as wide as the class's recordings, band by band (middle and side
                  * are textures of their own), 1 = uncorrelated; of what is transformed: 1 - the
                  * correlation of the noise of the two channels */
} TextureSettings;

/* Seed 0, the first class, 8 steps of DPM-Solver++, width 0.5. */
TextureSettings texture_settings_default(void);

/* Checks ranges and that some class has weight; -1 names the fault. */
int texture_settings_check(const TextureSettings *settings, const TextureModel *model, Error *err);

/* Whether they ask for the same sound. */
bool texture_settings_same(const TextureSettings *a, const TextureSettings *b);

/* As bytes, and back: -1 where these are none that texture_settings_check accepts for `model`. */
void texture_settings_pack(const TextureSettings *settings, Packer *packer);
int texture_settings_unpack(TextureSettings *settings, const TextureModel *model,
                            Unpacker *unpacker);

#endif
