/* Where in a sound a session was saved: a texture is taken up there and heard, an answer's prompt
 * is read. The first byte says which, what follows is behind the head that plugin/generator_keep.c
 * looks at. */
#include "tests/fuzz/fuzz.h"

#include "models/playback.h"
#include "models/recital.h"
#include "models/texture_past.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RATE = 8000, HEARD = 400, CHANNELS = 2 };

/* With no weights it makes some noise, which is all that it takes. */
static TextureModel *model_create(void)
{
    const TextureConfig config = {
        .rate = RATE,
        .frame = 256,
        .linear = 12,
        .upper = 4,
        .top = 3600.0,
        .denoiser = {.bands = 16,
                     .channels = 8,
                     .condition = 8,
                     .classes = 2,
                     .blocks = 1,
                     .dilations = {1},
                     .past = TEXTURE_PAST_VALUES,
                     .refiner = {.channels = 4, .blocks = 1, .stride = 4}},
        .prediction = PREDICTION_V,
        .schedule = SCHEDULE_COSINE,
        .window = 160,
        .classes = {"a", "b"}};
    Error err = {""};
    TextureModel *model = texture_model_create(&config, &err);
    if (!model || texture_model_pack(model, &err)) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return model;
}

static void hear(Unpacker *unpacker)
{
    static Playback *playback;
    TextureSettings settings = texture_settings_default();
    settings.steps = 1;
    if (!playback)
        playback = playback_create(model_create(), &settings, CHANNELS, 11025.0, 4, NULL, NULL);
    float sound[CHANNELS * HEARD];
    if (!playback)
        abort();
    const int refused = playback_unpack(playback, &settings, unpacker);
    if (refused && playback_position(playback) != 0)
        abort();
    if (playback_read(playback, sound, HEARD, NULL))
        abort();
    for (int i = 0; i < CHANNELS * HEARD; i++)
        if (!(fabsf(sound[i]) <= 1.0f))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return 0;
    Unpacker unpacker = {bytes + 1, size - 1, false};
    ContinuationSettings settings;
    float *prompt;
    size_t n;
    if (bytes[0] % 2 == 0) {
        hear(&unpacker);
    } else if (!recital_unpack(&unpacker, &settings, &prompt, &n, NULL)) {
        for (size_t i = 0; i < n; i++)
            if (!isfinite(prompt[i]))
                abort();
        free(prompt);
    }
    return 0;
}
