/* A texture model's file: opened, and where a network is small enough for it, heard. */
#include "tests/fuzz/fuzz.h"

#include "models/texture_stream.h"
#include "tests/fuzz/memory_file.h"

#include <stdlib.h>

enum { HEARD = 64 };

/* Frames times values: what one denoising step works on. */
static int is_small(const TextureModel *model)
{
    const TextureConfig *c = texture_model_config(model);
    return c->window <= 256 && denoiser_cost(texture_model_denoiser(model)) < 1e5;
}

static void hear(const TextureModel *model)
{
    TextureSettings settings = texture_settings_default();
    settings.steps = 1;
    TextureStream *stream = texture_stream_create(model, &settings, 1, 1, NULL, NULL);
    float sound[HEARD];
    float *const out[1] = {sound};
    if (stream)
        texture_stream_read(stream, out, HEARD, NULL);
    texture_stream_destroy(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {""};
    TextureModel *model = texture_model_open(memory_file_model(bytes, size), &err);
    if (!model && !err.message[0])
        abort();
    if (model && is_small(model))
        hear(model);
    texture_model_destroy(model);
    return 0;
}
