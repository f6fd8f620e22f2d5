/* What bands count in training: the mean is 1, wide bands count more as hearing has it, and a band
 * below its neighbours less. */
#include "tests/unit/small_texture.h"

#include "models/texture_weight.h"

#include <math.h>

enum { BANDS = 68 }; /* of the small model: 60 single bins, 8 bands above */

/* Glasberg & Moore (1990), equation 3: the width of an auditory filter in Hz. */
static double filter_width(double hertz)
{
    return 24.7 * (4.37 * hertz / 1000.0 + 1.0);
}

static void weigh(TextureModel *model, const float *memory, float *weights)
{
    texture_weight(model, (float[]){1.0f, 0.0f}, memory, weights);
}

static TextureModel *model_of(void)
{
    const SmallTexture small = small_texture();
    return small_texture_create(&small, SMALL_WINDOW);
}

static void the_mean_is_one(void **state)
{
    (void)state;
    TextureModel *model = model_of();
    float memory[BANDS], weights[BANDS];
    random_gaussian(3, 0, 0, memory, BANDS);
    weigh(model, memory, weights);
    double sum = 0.0;
    for (size_t b = 0; b < BANDS; b++) {
        assert_true(weights[b] > 0.0f);
        sum += (double)weights[b];
    }
    assert_true(fabs(sum / BANDS - 1.0) < 1e-5);
    texture_model_destroy(model);
}

static void bins_count_as_hearing_has_it(void **state)
{
    (void)state;
    TextureModel *model = model_of();
    const Bands *bands = texture_model_bands(model);
    float memory[BANDS] = {0.0f}, weights[BANDS];
    weigh(model, memory, weights);
    for (size_t b = 10; b < 50; b += 10) {
        const double got = (double)(weights[b] / weights[b + 5]);
        const double wanted =
            sqrt(filter_width(bands_centre(bands, b + 5)) / filter_width(bands_centre(bands, b)));
        assert_true(fabs(got / wanted - 1.0) < 0.01);
    }
    texture_model_destroy(model);
}

/* The small model's energy rises by 0.8 nepers for each unit of its Gaussian value. */
static void valleys_count_less(void **state)
{
    (void)state;
    TextureModel *model = model_of();
    float flat[BANDS] = {0.0f}, memory[BANDS] = {0.0f}, before[BANDS], weights[BANDS];
    memory[30] = -1.0f;
    memory[31] = -4.0f;
    weigh(model, flat, before);
    weigh(model, memory, weights);
    const double scale = (double)(weights[29] / before[29]);
    assert_true(fabs((double)(weights[30] / before[30]) / scale - exp(-0.25 * 0.8)) < 1e-3);
    assert_true(fabs((double)(weights[31] / before[31]) / scale - exp(-0.25 * 3.2)) < 1e-3);
    texture_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_is_one),
        cmocka_unit_test(bins_count_as_hearing_has_it),
        cmocka_unit_test(valleys_count_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
