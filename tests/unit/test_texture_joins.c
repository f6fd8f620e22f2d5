/* The joins of a texture stream's chunks: they are where they are said to be, and the sound keeps
 * its level through them. */
#include "models/texture_stream.h"

#include "dsp/analysis.h"
#include "tests/unit/small_texture.h"

#include <math.h>

enum { LENGTH = 20000, FRAMES = LENGTH / SMALL_HOP - 3 };

static float sound[LENGTH], other[LENGTH];

static TextureModel *create_model(void)
{
    const SmallTexture small = small_texture();
    return small_texture_create(&small, SMALL_WINDOW);
}

static TextureStream *create(const TextureModel *model, uint64_t seed)
{
    Error err = {""};
    const TextureSettings settings = small_texture_settings(seed);
    TextureStream *stream = texture_stream_create(model, &settings, 1, 0, NULL, &err);
    if (!stream)
        fail_msg("%s", err.message);
    return stream;
}

static void read_on(TextureStream *stream, float *out, size_t n)
{
    Error err = {""};
    float *const to[] = {out};
    if (texture_stream_read(stream, to, n, &err))
        fail_msg("%s", err.message);
}

/* Sound -> log energies (FRAMES, bands) of frames a hop apart. */
static void analyse(const TextureModel *model, const float *samples, float *log_energy)
{
    Error err = {""};
    Stft *stft = stft_create(4 * SMALL_HOP, &err);
    if (!stft || analysis_run(texture_model_bands(model), stft, samples, LENGTH, SMALL_HOP,
                              log_energy, &err))
        fail_msg("%s", err.message);
    stft_destroy(stft);
}

/* Adds to profile (FRAMES,) how far log energies go from what they are if the network changes after
 * `before` samples. */
static void add_change(TextureModel *model, uint64_t seed, size_t before, double *profile)
{
    const size_t bands = bands_count(texture_model_bands(model)), size = FRAMES * bands;
    TextureStream *stream = create(model, seed);
    read_on(stream, sound, LENGTH);
    texture_stream_destroy(stream);
    stream = create(model, seed);
    read_on(stream, other, before);
    small_texture_weights(model, 1000 + seed, 0.3f);
    read_on(stream, other + before, LENGTH - before);
    small_texture_weights(model, 1, 0.3f);
    texture_stream_destroy(stream);

    float *plain = malloc(2 * size * sizeof *plain);
    assert_non_null(plain);
    analyse(model, sound, plain);
    analyse(model, other, plain + size);
    for (size_t i = 0; i < size; i++) {
        const double change = (double)plain[i] - (double)plain[size + i];
        profile[i / bands] += change * change;
    }
    free(plain);
}

/* The middle, in frames, of the profile's rise from nothing to what it is from frame `to` on. */
static double middle_of_rise(const double *profile, size_t to)
{
    double full = 0.0, missing = 0.0;
    for (size_t i = to; i < to + 50; i++)
        full += profile[i] / 50.0;
    for (size_t i = 0; i < to; i++)
        missing += 1.0 - profile[i] / full;
    return missing - 0.5;
}

/* Chunks are made one at a time. If the network changes between two of them, the sound begins to
 * change where they are joined; at equal power it has changed by half, in the mean, in the middle
 * of the join. */
static void test_joins(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    const double first = texture_stream_first_join(model) * SMALL_RATE / SMALL_HOP;
    const double interval = texture_stream_join_interval(model) * SMALL_RATE / SMALL_HOP;
    const double joins[] = {first, first + interval};
    /* Up to here all chunks before the join are made, and none after it. */
    const size_t before[] = {1, (size_t)(first * SMALL_HOP)};
    for (size_t j = 0; j < 2; j++) {
        double profile[FRAMES] = {0.0};
        for (uint64_t seed = 1; seed <= 16; seed++)
            add_change(model, seed, before[j], profile);
        /* A frame's middle is two hops after its start. */
        const double found = middle_of_rise(profile, (size_t)joins[j] + 10) + 2.0;
        if (fabs(found - joins[j]) > 1.0)
            fail_msg("join %zu is at %.2f hops, not at %.2f", j, found, joins[j]);
    }
    texture_model_destroy(model);
}

/* Makes the network say the same of every value, whatever there is to see: all of the sound is then
 * louder, or softer, than the middle of its quantiles. */
static void close_network(TextureModel *model, real v)
{
    const Parameters *parameters = denoiser_parameters(texture_model_denoiser(model));
    memset(texture_model_weights(model), 0, parameters_size(parameters) * sizeof(real));
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        for (size_t j = 0; !strcmp(info->name, "out.bias") && j < info->size; j++)
            texture_model_weights(model)[info->offset + j] = v;
    }
    assert_int_equal(texture_model_pack(model, NULL), 0);
}

/* Sound that is louder, or softer, than its class is on the whole stays so through a join. */
static void test_joins_keep_the_level(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    const size_t bands = bands_count(texture_model_bands(model));
    const size_t join = (size_t)(texture_stream_first_join(model) * SMALL_RATE / SMALL_HOP) - 2;
    float *log_energy = malloc(FRAMES * bands * sizeof *log_energy);
    assert_non_null(log_energy);
    for (int loud = 0; loud < 2; loud++) {
        close_network(model, loud ? -1 : 1);
        TextureStream *stream = create(model, 3);
        read_on(stream, sound, LENGTH);
        texture_stream_destroy(stream);
        analyse(model, sound, log_energy);
        double usual = 0.0, joining = 0.0;
        for (size_t f = 20; f < join - 20; f++)
            for (size_t b = 0; b < bands; b++)
                usual += (double)log_energy[f * bands + b] / (double)((join - 40) * bands);
        for (size_t f = join - 2; f < join + 3; f++)
            for (size_t b = 0; b < bands; b++)
                joining += (double)log_energy[f * bands + b] / (double)(5 * bands);
        assert_true(loud ? usual > -6.0 : usual < -7.0);
        if (fabs(joining - usual) > 0.2)
            fail_msg("the level is %.2f in a join, %.2f before", joining, usual);
    }
    free(log_energy);
    texture_model_destroy(model);
}

/* By hand, for the network that ships: 256 frames of which 12 fade, so frames 244..255 are joined
 * with chunk 1 and frames 424..435 with chunk 2. The middle of frame 249.5 is at (249.5 + 2) hops;
 * three hops are dropped. */
static void test_join_times(void **state)
{
    (void)state;
    TextureConfig config = texture_config_default(1);
    strcpy(config.classes[0], "rain");
    config.denoiser.channels = config.denoiser.condition = 8;
    TextureModel *model = texture_model_create(&config, NULL);
    assert_non_null(model);
    assert_true(fabs(texture_stream_first_join(model) - 104.5 * 512.0 / 44100.0) < 1e-9);
    assert_true(fabs(texture_stream_join_interval(model) - 180.0 * 512.0 / 44100.0) < 1e-9);
    texture_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_joins_keep_the_level),
        cmocka_unit_test(test_join_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
