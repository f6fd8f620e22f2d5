/* Playback: the stream at other rates, the same to the bit however it is read, faded in, limited,
 * and taken back to where it was asked to be. */
#include "models/playback.h"

#include "dsp/gain.h"
#include "dsp/resample.h"
#include "tests/unit/small_texture.h"

#include <math.h>

enum { LENGTH = 20000, MOST = 40000, CHANNELS = 2 };

static const double rates[] = {SMALL_RATE, 11025.0, 48000.0, 8000.5};
enum { RATES = sizeof rates / sizeof rates[0] };

static float sound[CHANNELS * MOST], other[CHANNELS * MOST];

static TextureModel *default_model(void)
{
    const SmallTexture small = small_texture();
    return small_texture_create(&small, SMALL_WINDOW);
}

static Playback *create(const TextureModel *model, const TextureSettings *settings,
                        unsigned channels, double rate, size_t rewinds, const atomic_bool *cancel)
{
    Error err = {""};
    Playback *playback = playback_create(model, settings, channels, rate, rewinds, cancel, &err);
    if (!playback)
        fail_msg("%s", err.message);
    return playback;
}

/* n frames to out (n, channels), at most `piece` at a time. */
static void read_pieces(Playback *playback, unsigned channels, float *out, size_t n, size_t piece)
{
    Error err = {""};
    for (size_t done = 0; done < n; done += piece)
        if (playback_read(playback, out + done * channels, n - done < piece ? n - done : piece,
                          &err))
            fail_msg("%s", err.message);
}

static void assert_same(size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        if (memcmp(&sound[i], &other[i], sizeof(float)))
            fail_msg("value %zu: %.9g is not %.9g", i, (double)sound[i], (double)other[i]);
}

static void test_pieces(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    const size_t pieces[] = {1, 63, 1000};
    for (unsigned channels = 1; channels <= CHANNELS; channels++)
        for (size_t r = 0; r < RATES; r++) {
            Playback *whole = create(model, &settings, channels, rates[r], 0, NULL);
            read_pieces(whole, channels, sound, LENGTH, LENGTH);
            assert_true(playback_position(whole) == LENGTH);
            playback_destroy(whole);
            for (size_t i = 0; i < 3; i++) {
                Playback *playback = create(model, &settings, channels, rates[r], i, NULL);
                memset(other, 0, sizeof other);
                read_pieces(playback, channels, other, LENGTH, pieces[i]);
                assert_same(0, channels * LENGTH);
                playback_destroy(playback);
            }
        }
    texture_model_destroy(model);
}

static void test_restart(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3), seed = small_texture_settings(4);
    for (size_t r = 0; r < RATES; r++) {
        Playback *playback = create(model, &settings, CHANNELS, rates[r], 3, NULL);
        read_pieces(playback, CHANNELS, sound, LENGTH, LENGTH);
        playback_restart(playback, &seed);
        assert_true(playback_position(playback) == 0);
        read_pieces(playback, CHANNELS, other, 777, LENGTH);
        assert_true(memcmp(sound + 500, other + 500, 100 * sizeof(float)) != 0);
        playback_restart(playback, &settings);
        read_pieces(playback, CHANNELS, other, LENGTH, LENGTH);
        assert_same(0, CHANNELS * LENGTH);
        playback_destroy(playback);
    }
    texture_model_destroy(model);
}

/* The stream itself, as far as playback leaves it alone: (n, CHANNELS) interleaved. */
static void read_stream(TextureStream *stream, float *out, size_t n)
{
    static float planar[CHANNELS][LENGTH];
    float *const to[CHANNELS] = {planar[0], planar[1]};
    Error err = {""};
    if (texture_stream_read(stream, to, n, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < CHANNELS; c++)
            out[i * CHANNELS + c] = planar[c][i];
}

static TextureStream *create_stream(const TextureModel *model, const TextureSettings *settings,
                                    size_t rewinds)
{
    Error err = {""};
    TextureStream *stream = texture_stream_create(model, settings, CHANNELS, rewinds, NULL, &err);
    if (!stream)
        fail_msg("%s", err.message);
    return stream;
}

/* What playback should make of a stream's first n frames: resampled whole, faded in, limited. */
static void expect(const float *stream, size_t n, double rate, float *out, size_t frames)
{
    Error err = {""};
    float *resampled;
    size_t count;
    if (resampler_all(stream, n, CHANNELS, SMALL_RATE, rate, &resampled, &count, &err))
        fail_msg("%s", err.message);
    assert_true(count >= frames);
    memcpy(out, resampled, frames * CHANNELS * sizeof *out);
    free(resampled);
    const size_t fade = (size_t)(0.01 * rate);
    for (size_t i = 0; i < fade * CHANNELS; i++)
        out[i] *= (float)(i / CHANNELS) / (float)fade;
    limiter_apply(out, frames * CHANNELS);
}

static double largest_difference(size_t from, size_t n)
{
    double most = 0.0;
    for (size_t i = from; i < from + n; i++)
        most = fmax(most, fabs((double)sound[i] - (double)other[i]));
    return most;
}

static void test_is_the_stream(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    static float stream_sound[CHANNELS * LENGTH];
    TextureStream *stream = create_stream(model, &settings, 0);
    read_stream(stream, stream_sound, LENGTH);
    texture_stream_destroy(stream);
    for (size_t r = 0; r < RATES; r++) {
        /* Short of the stream's end, where a resampler sees silence to come. */
        const size_t n = (size_t)fmin(LENGTH - 2000.0, (LENGTH - 2000.0) * rates[r] / SMALL_RATE);
        Playback *playback = create(model, &settings, CHANNELS, rates[r], 0, NULL);
        read_pieces(playback, CHANNELS, sound, n, LENGTH);
        playback_destroy(playback);
        expect(stream_sound, LENGTH, rates[r], other, n);
        assert_true(sound[0] == 0.0f && sound[1] == 0.0f);
        assert_same(0, CHANNELS * n);
    }
    texture_model_destroy(model);
}

/* Taken back, it is what would be heard if the stream had been taken back, and in its place. */
static void test_redo(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    TextureSettings changed = small_texture_settings(99);
    changed.mix[0] = 0.0f;
    changed.mix[1] = 1.0f;
    static float stream_sound[CHANNELS * LENGTH];
    for (size_t r = 0; r < RATES; r++) {
        const double ratio = SMALL_RATE / rates[r];
        const uint64_t from = (uint64_t)(8000.0 / ratio) / 2, n = LENGTH / 2;
        Playback *playback = create(model, &settings, CHANNELS, rates[r], 12, NULL);
        read_pieces(playback, CHANNELS, sound, (size_t)from + 500, LENGTH);
        assert_true(playback_redo(playback, &changed, from) == from);
        assert_true(playback_position(playback) == from);
        read_pieces(playback, CHANNELS, sound, n, 63);
        assert_true(playback_position(playback) == from + n);

        /* The stream, taken back to the same block: it begins 512 frames before, for the
         * resampler's sake. */
        TextureStream *stream = create_stream(model, &settings, 12);
        const uint64_t start = (uint64_t)floor((double)from * ratio) - 512;
        read_stream(stream, stream_sound, (size_t)((double)(from + 500) * ratio));
        const uint64_t at = texture_stream_redo(stream, &changed, start);
        read_stream(stream, stream_sound + at * CHANNELS, LENGTH - (size_t)at);
        texture_stream_destroy(stream);
        expect(stream_sound, LENGTH, rates[r], other, (size_t)(from + n));
        memmove(other, other + from * CHANNELS, n * CHANNELS * sizeof *other);
        /* Rates that meet again soon are met exactly, but for what the resampler remembers;
         * others to half a frame. */
        double most = 0.0;
        for (size_t i = 0; i < n * CHANNELS; i++)
            most = fmax(most, fabs((double)other[i]));
        const double allowed = rates[r] == floor(rates[r]) ? 1e-5 : 2.0 * most;
        const double found = largest_difference(0, (size_t)n * CHANNELS);
        if (found > allowed)
            fail_msg("at %g Hz what was taken back is off by %g", rates[r], found);

        /* The same calls, the same sound. */
        playback_restart(playback, &settings);
        read_pieces(playback, CHANNELS, other, (size_t)from + 500, 1000);
        assert_true(playback_redo(playback, &changed, from) == from);
        read_pieces(playback, CHANNELS, other, n, LENGTH);
        assert_same(0, n * CHANNELS);
        playback_destroy(playback);
    }
    texture_model_destroy(model);
}

static void test_redo_out_of_reach(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    for (size_t rewinds = 0; rewinds < 3; rewinds++)
        for (size_t r = 0; r < RATES; r++) {
            Playback *playback = create(model, &settings, CHANNELS, rates[r], rewinds, NULL);
            read_pieces(playback, CHANNELS, sound, LENGTH, LENGTH);
            const uint64_t at = playback_redo(playback, &settings, 5);
            /* A block is 1024 input frames; one and a half of them may have been read ahead. */
            const double ratio = rates[r] / SMALL_RATE, reach = 1024.0 * ratio * (double)rewinds;
            assert_true((double)at > LENGTH - reach - 600.0 * ratio);
            assert_true((double)at < LENGTH - reach + 2048.0 * ratio);
            assert_true(playback_position(playback) == at);
            read_pieces(playback, CHANNELS, sound, 2000, LENGTH);
            playback_destroy(playback);
        }

    /* Within reach of the beginning: a restart, but for the seed. */
    Playback *playback = create(model, &settings, CHANNELS, 48000.0, 200, NULL);
    read_pieces(playback, CHANNELS, sound, LENGTH, LENGTH);
    assert_true(playback_redo(playback, &settings, 0) == 0);
    read_pieces(playback, CHANNELS, other, LENGTH, LENGTH);
    assert_same(0, CHANNELS * LENGTH);
    playback_destroy(playback);
    texture_model_destroy(model);
}

static void test_within_one(void **state)
{
    (void)state;
    const struct {
        float weight, slope;
    } wild[] = {{0.3f, 0.8f}, {30.0f, 1.0f}, {1e4f, 6.0f}, {1e4f, 20.0f}};
    const SamplerKind kinds[] = {SAMPLER_DPM, SAMPLER_DDIM, SAMPLER_DDPM};
    for (size_t w = 0; w < 4; w++) {
        SmallTexture small = small_texture();
        small.weight = wild[w].weight;
        small.slope = wild[w].slope;
        TextureModel *model = small_texture_create(&small, SMALL_WINDOW);
        for (size_t k = 0; k < 3; k++) {
            TextureSettings settings = small_texture_settings(3);
            settings.sampler = kinds[k];
            Playback *playback = create(model, &settings, CHANNELS, rates[k], 0, NULL);
            read_pieces(playback, CHANNELS, sound, LENGTH, 1000);
            for (size_t i = 0; i < CHANNELS * LENGTH; i++)
                if (!(fabsf(sound[i]) <= 1.0f))
                    fail_msg("model %zu: value %zu is %g", w, i, (double)sound[i]);
            playback_destroy(playback);
        }
        texture_model_destroy(model);
    }
}

static void test_cancel(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    atomic_bool cancel = false;
    Playback *playback = create(model, &settings, CHANNELS, 11025.0, 4, &cancel);
    read_pieces(playback, CHANNELS, sound, LENGTH, LENGTH);
    playback_restart(playback, &settings);
    read_pieces(playback, CHANNELS, other, 1000, LENGTH);
    atomic_store(&cancel, true);
    Error err = {""};
    assert_int_equal(playback_read(playback, other, LENGTH, &err), -1);
    assert_true(err.message[0] != '\0');
    atomic_store(&cancel, false);
    playback_restart(playback, &settings);
    read_pieces(playback, CHANNELS, other, LENGTH, LENGTH);
    assert_same(0, CHANNELS * LENGTH);
    playback_destroy(playback);
    texture_model_destroy(model);
}

static void test_refusals(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    TextureSettings bad = settings;
    bad.steps = 0;
    const double wrong[] = {0.0, 999.0, 768001.0, -44100.0, NAN, INFINITY};
    for (size_t i = 0; i < 6; i++) {
        Error err = {""};
        assert_null(playback_create(model, &settings, CHANNELS, wrong[i], 0, NULL, &err));
        assert_non_null(strstr(err.message, "Hz"));
    }
    assert_null(playback_create(model, &settings, 0, 48000.0, 0, NULL, NULL));
    assert_null(playback_create(model, &settings, 3, 48000.0, 0, NULL, NULL));
    assert_null(playback_create(model, &bad, 2, 48000.0, 0, NULL, NULL));
    playback_destroy(NULL);
    texture_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_is_the_stream),
        cmocka_unit_test(test_redo),
        cmocka_unit_test(test_redo_out_of_reach),
        cmocka_unit_test(test_within_one),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
