/* The stereo image: how alike the channels of a stream are at each width, that mono is their sum,
 * and that a mixture of classes is as loud as the way between them. */
#include "tests/unit/small_texture.h"

#include "models/texture_image.h"
#include "models/texture_stream.h"

#include <math.h>

enum { SAMPLES = 24 * SMALL_RATE };

static void render(TextureModel *model, float width, unsigned channels, float *left, float *right)
{
    TextureSettings settings = small_texture_settings(7);
    Error err = {""};
    settings.width = width;
    TextureStream *stream = texture_stream_create(model, &settings, channels, 0, NULL, &err);
    if (!stream)
        fail_msg("%s", err.message);
    assert_int_equal(texture_stream_read(stream, (float *const[]){left, right}, SAMPLES, &err), 0);
    texture_stream_destroy(stream);
}

static double correlation(const float *a, const float *b)
{
    double ab = 0.0, aa = 0.0, bb = 0.0;
    for (size_t i = SMALL_RATE / 2; i < SAMPLES; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

/* Weights of nothing: the texture is Gaussian frames, and middle and side are strangers. */
static TextureModel *plain_model(float middle)
{
    SmallTexture small = small_texture();
    small.weight = 0.0f;
    TextureModel *model = small_texture_create(&small, SMALL_WINDOW);
    for (size_t i = 0; i < SMALL_CLASSES * (small.linear + small.upper); i++)
        texture_model_image(model)[i] = middle;
    return model;
}

static void channels_are_as_alike_as_in_the_recordings(void **state)
{
    (void)state;
    static float left[SAMPLES], right[SAMPLES];
    const struct {
        float middle, width, wanted;
    } cases[] = {
        {0.9f, 0.5f, 0.8f}, {0.6f, 0.5f, 0.2f}, {1.0f, 0.5f, 1.0f},
        {0.7f, 1.0f, 0.0f}, {0.7f, 0.0f, 1.0f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TextureModel *model = plain_model(cases[i].middle);
        render(model, cases[i].width, 2, left, right);
        const double got = correlation(left, right);
        if (fabs(got - (double)cases[i].wanted) > 0.06)
            fail_msg("middle %g, width %g: correlation %.3f, not %g", (double)cases[i].middle,
                     (double)cases[i].width, got, (double)cases[i].wanted);
        texture_model_destroy(model);
    }
}

static void mono_is_the_sum(void **state)
{
    (void)state;
    static float left[SAMPLES], right[SAMPLES], mono[SAMPLES];
    const SmallTexture small = small_texture();
    TextureModel *model = small_texture_create(&small, SMALL_WINDOW);
    render(model, 0.5f, 2, left, right);
    render(model, 0.5f, 1, mono, NULL);
    double difference = 0.0, level = 0.0;
    for (size_t i = 0; i < SAMPLES; i++) {
        const double sum = 0.5 * ((double)left[i] + (double)right[i]);
        difference += (sum - (double)mono[i]) * (sum - (double)mono[i]);
        level += sum * sum;
    }
    /* The network's products may round otherwise for one channel than for two. */
    assert_true(difference < 1e-4 * level);
    texture_model_destroy(model);
}

/* Class 0 has the lower bands, class 1 the upper ones: halfway, quantiles alone lose both. */
static void mixtures_do_not_dip(void **state)
{
    (void)state;
    TextureModel *model = plain_model(1.0f);
    const size_t bands = texture_model_config(model)->denoiser.bands;
    float *table = malloc(SMALL_CLASSES * bands * NORMALISER_KNOTS * sizeof *table);
    assert_non_null(table);
    for (size_t i = 0; i < SMALL_CLASSES * bands * NORMALISER_KNOTS; i++) {
        const size_t c = i / NORMALISER_KNOTS / bands, b = i / NORMALISER_KNOTS % bands;
        table[i] =
            0.1f * (float)(i % NORMALISER_KNOTS) - ((b < bands / 2) == (c == 0) ? 6.0f : 12.0f);
    }
    assert_int_equal(normaliser_set_table(texture_model_normaliser(model), table, NULL), 0);
    free(table);
    assert_true(texture_image_level(model, (float[]){1.0f, 0.0f}) == 1.0f);
    assert_true(texture_image_level(model, (float[]){0.0f, 1.0f}) == 1.0f);
    /* Both halves lie 3 nepers of energy under their class's own half, and are twice as many. */
    const float half = texture_image_level(model, (float[]){0.5f, 0.5f});
    assert_true(half > 2.5f && half < 4.5f);
    texture_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_as_alike_as_in_the_recordings),
        cmocka_unit_test(mono_is_the_sum),
        cmocka_unit_test(mixtures_do_not_dip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
