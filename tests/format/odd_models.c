/* usage: odd_models FOLDER: writes models of sizes that no two parts share, by which
 * tests/format/tensors.py finds out what the sizes of tensors are made of: FOLDER/texture0,
 * texture1, melody0, melody1 .safetensors. Weights are zero. */
#include "models/melody_model.h"
#include "models/texture_model.h"
#include "models/texture_past.h"

#include <stdio.h>

enum { SIZES = 2 };

static TextureConfig texture_config(size_t i)
{
    TextureConfig config = texture_config_default(3 + i);
    config.linear = 190 + 20 * i;
    config.upper = 11 + 2 * i;
    config.denoiser =
        (DenoiserConfig){.bands = config.linear + config.upper,
                         .channels = 23 + 8 * i,
                         .condition = 37 + 4 * i,
                         .classes = 3 + i,
                         .past = TEXTURE_PAST_VALUES,
                         .blocks = 2 + i,
                         .dilations = {1, 2, 4},
                         .refiner = {.channels = 5 + 2 * i, .blocks = 2, .stride = 7}};
    for (size_t c = 0; c < config.denoiser.classes; c++)
        snprintf(config.classes[c], sizeof config.classes[c], "class%zu", c);
    return config;
}

static MelodyConfig melody_config(size_t i)
{
    MelodyConfig config = melody_config_default();
    config.notes =
        (NoteConfig){.width = 88 + 16 * i, .heads = 4, .layers = 2, .hidden = 59 + i, .reach = 16};
    config.samples.hidden = 160 + 16 * i;
    config.samples.wide = 176 + 16 * i;
    config.samples.narrow = 208 + 16 * i;
    return config;
}

static int write_texture(const char *folder, size_t i, Error *err)
{
    char path[4096];
    const TextureConfig config = texture_config(i);
    snprintf(path, sizeof path, "%s/texture%zu.safetensors", folder, i);
    TextureModel *model = texture_model_create(&config, err);
    const int failed = !model || texture_model_save(model, NULL, 0, 1, path, err);
    texture_model_destroy(model);
    return failed;
}

static int write_melody(const char *folder, size_t i, Error *err)
{
    char path[4096];
    const MelodyConfig config = melody_config(i);
    snprintf(path, sizeof path, "%s/melody%zu.safetensors", folder, i);
    MelodyModel *model = melody_model_create(&config, err);
    const int failed = !model || melody_model_save(model, NULL, 0, true, path, err);
    melody_model_destroy(model);
    return failed;
}

int main(int argc, char **argv)
{
    Error err = {""};
    for (size_t i = 0; argc == 2 && i < SIZES; i++)
        if (write_texture(argv[1], i, &err) || write_melody(argv[1], i, &err)) {
            fprintf(stderr, "odd_models: %s\n", err.message);
            return 1;
        }
    return argc == 2 ? 0 : 2;
}
