/* A small texture model with random weights, for the tests of what plays it: 8 kHz, frames of 256
 * samples, a hop of 64, chunks of 160 frames, two classes. */
#ifndef BRUME_TESTS_SMALL_TEXTURE_H
#define BRUME_TESTS_SMALL_TEXTURE_H

#include "dsp/random.h"
#include "models/texture_model.h"
#include "models/texture_past.h"
#include "models/texture_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { SMALL_RATE = 8000, SMALL_HOP = 64, SMALL_WINDOW = 160, SMALL_CLASSES = 2 };

/* What makes one small model differ from another. */
typedef struct SmallTexture {
    size_t linear, upper; /* bands */
    float weight;         /* standard deviation of the weights */
    float slope;          /* of a log energy by the Gaussian value behind it */
} SmallTexture;

static inline SmallTexture small_texture(void)
{
    return (SmallTexture){.linear = 60, .upper = 8, .weight = 0.3f, .slope = 0.8f};
}

/* Gaussian weights, all of them: none of the network's paths is closed. */
static inline void small_texture_weights(TextureModel *model, uint64_t seed, float deviation)
{
    const size_t size = parameters_size(denoiser_parameters(texture_model_denoiser(model)));
    real *weights = texture_model_weights(model);
    random_gaussian(seed, 0, 0, weights, size);
    for (size_t i = 0; i < size; i++)
        weights[i] *= deviation;
    Error err = {""};
    if (texture_model_pack(model, &err))
        fail_msg("%s", err.message);
}

/* Log energies around -6 for class 0 and -7.5 for class 1: sounds of about 0.05 and 0.025. */
static inline void small_texture_quantiles(TextureModel *model, size_t bands, float slope)
{
    float *table = malloc(SMALL_CLASSES * bands * NORMALISER_KNOTS * sizeof *table);
    assert_non_null(table);
    for (size_t i = 0; i < SMALL_CLASSES * bands * NORMALISER_KNOTS; i++)
        table[i] = slope * (0.25f * (float)(i % NORMALISER_KNOTS) - NORMALISER_RANGE) -
                   (i < bands * NORMALISER_KNOTS ? 6.0f : 7.5f);
    Error err = {""};
    if (normaliser_set_table(texture_model_normaliser(model), table, &err))
        fail_msg("%s", err.message);
    free(table);
}

static inline TextureModel *small_texture_create(const SmallTexture *small, size_t window)
{
    const size_t bands = small->linear + small->upper;
    TextureConfig config = {.rate = SMALL_RATE,
                            .frame = 4 * SMALL_HOP,
                            .linear = small->linear,
                            .upper = small->upper,
                            .top = 3800.0,
                            .denoiser = {.bands = bands,
                                         .channels = 16,
                                         .condition = 12,
                                         .classes = SMALL_CLASSES,
                                         .blocks = 2,
                                         .past = TEXTURE_PAST_VALUES,
                                         .dilations = {1, 4},
                                         .refiner = {.channels = 8, .blocks = 1, .stride = 8}},
                            .prediction = PREDICTION_V,
                            .schedule = SCHEDULE_COSINE,
                            .window = window};
    strcpy(config.classes[0], "rain");
    strcpy(config.classes[1], "waves");
    Error err = {""};
    TextureModel *model = texture_model_create(&config, &err);
    if (!model)
        fail_msg("%s", err.message);
    small_texture_weights(model, 1, small->weight);
    small_texture_quantiles(model, bands, small->slope);
    random_gaussian(2, 0, 0, texture_model_memories(model),
                    SMALL_CLASSES * TEXTURE_MEMORIES * bands);
    for (size_t i = 0; i < SMALL_CLASSES * bands; i++)
        texture_model_image(model)[i] = i < bands ? 0.8f : 0.6f;
    return model;
}

static inline TextureSettings small_texture_settings(uint64_t seed)
{
    TextureSettings settings = texture_settings_default();
    settings.seed = seed;
    settings.steps = 3;
    return settings;
}

#endif
