#include "models/texture_settings.h"

#include <math.h>
#include <string.h>

TextureSettings texture_settings_default(void)
{
    TextureSettings settings = {.sampler = SAMPLER_DPM, .steps = 8, .width = 0.5f};
    settings.mix[0] = 1.0f;
    return settings;
}

int texture_settings_check(const TextureSettings *settings, const TextureModel *model, Error *err)
{
    const TextureConfig *config = texture_model_config(model);
    float sum = 0.0f;
    for (size_t c = 0; c < TEXTURE_MAX_CLASSES; c++) {
        if (!(settings->mix[c] >= 0.0f) || !isfinite(settings->mix[c]))
            return error_set(err, "the weight of class %zu is not a number of 0 or more", c);
        if (c < config->denoiser.classes)
            sum += settings->mix[c];
    }
    if (!(sum > 0.0f))
        return error_set(err, "all classes have weight 0: give one of them some");
    if (!isfinite(sum))
        return error_set(err, "the weights of the classes are too large: their sum is not finite");
    if (settings->steps < 1 || settings->steps > 1000)
        return error_set(err, "%d steps: give 1 to 1000", settings->steps);
    if (!(settings->width >= 0.0f && settings->width <= 1.0f))
        return error_set(err, "width %g: give 0 to 1", (double)settings->width);
    return 0;
}

bool texture_settings_same(const TextureSettings *a, const TextureSettings *b)
{
    return a->seed == b->seed && a->sampler == b->sampler && a->steps == b->steps &&
           a->width == b->width && !memcmp(a->mix, b->mix, sizeof a->mix);
}

void texture_settings_pack(const TextureSettings *settings, Packer *packer)
{
    pack_whole(packer, settings->seed);
    pack_floats(packer, settings->mix, TEXTURE_MAX_CLASSES);
    pack_whole(packer, (uint64_t)settings->sampler);
    pack_whole(packer, (uint64_t)settings->steps);
    pack_floats(packer, &settings->width, 1);
}

int texture_settings_unpack(TextureSettings *settings, const TextureModel *model,
                            Unpacker *unpacker)
{
    settings->seed = unpack_whole(unpacker, UINT64_MAX);
    unpack_floats(unpacker, settings->mix, TEXTURE_MAX_CLASSES, 1e30f);
    settings->sampler = (SamplerKind)unpack_whole(unpacker, SAMPLER_DPM);
    settings->steps = (int)unpack_whole(unpacker, 1000);
    unpack_floats(unpacker, &settings->width, 1, 1.0f);
    return unpacker->failed ? -1 : texture_settings_check(settings, model, NULL);
}
