/* Playback: the stream at other rates, the same to the bit however it is read, faded in, limited,
 * and taken back to where it was asked to be. */
#include "models/playback.h"

#include "dsp/gain.h"
#include "dsp/relay.h"
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
        /* But for what libsoxr rounds otherwise (dsp/relay.h). */
        assert_true(largest_difference(0, CHANNELS * n) < 1e-6);
    }
    texture_model_destroy(model);
}

/* The first frame of the stream that is needed for frame `from` of a playback. */
static uint64_t needed(double rate, uint64_t from)
{
    Relay *relay = relay_create(SMALL_RATE, rate, CHANNELS, NULL, NULL, NULL);
    assert_non_null(relay);
    const uint64_t start = relay_near(relay, from);
    relay_destroy(relay);
    return start;
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

        /* The stream, taken back to the same block: it begins a little before, for the
         * resampler's sake. */
        TextureStream *stream = create_stream(model, &settings, 12);
        const uint64_t start = needed(rates[r], from);
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

/* What was packed at a frame, gone on with in another playback: the same to the bit. */
static void resume_at(const TextureModel *model, const TextureSettings *settings, unsigned channels,
                      double rate, Playback *playback, uint64_t frame, size_t n)
{
    Packer packer = {0};
    assert_int_equal(playback_pack(playback, frame, &packer), 0);
    assert_false(packer.failed);
    Playback *fresh = create(model, settings, channels, rate, 12, NULL);
    read_pieces(fresh, channels, other, 1234, 1000); /* it need not be new */
    Unpacker unpacker = {packer.bytes, packer.size, false};
    assert_int_equal(playback_unpack(fresh, settings, &unpacker), 0);
    assert_true(unpacker.left == 0);
    assert_true(playback_position(fresh) == frame);
    read_pieces(fresh, channels, other, n, 77);
    assert_memory_equal(other, sound + frame * channels, n * channels * sizeof *sound);
    /* Cut off anywhere it is refused, and it plays from the beginning. */
    for (size_t cut = 0; cut < packer.size; cut = 2 * cut + 1) {
        unpacker = (Unpacker){packer.bytes, cut, false};
        assert_int_equal(playback_unpack(fresh, settings, &unpacker), -1);
        assert_true(playback_position(fresh) == 0);
    }
    read_pieces(fresh, channels, other, 500, 500);
    assert_memory_equal(other, sound, 500 * channels * sizeof *sound);
    playback_destroy(fresh);
    free(packer.bytes);
}

static void test_resume(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    const size_t read[] = {500, 3000, 9000, 14321};
    for (unsigned channels = 1; channels <= CHANNELS; channels++)
        for (size_t r = 0; r < RATES; r++) {
            Playback *playback = create(model, &settings, channels, rates[r], 24, NULL);
            size_t there = 0;
            for (size_t k = 0; k < 4; k++) {
                read_pieces(playback, channels, sound + there * channels, read[k] - there, 1000);
                there = read[k];
                const size_t frame = there > 2000 ? there - 2000 : 0;
                Playback *whole = create(model, &settings, channels, rates[r], 0, NULL);
                read_pieces(whole, channels, sound, LENGTH, LENGTH);
                playback_destroy(whole);
                resume_at(model, &settings, channels, rates[r], playback, frame, 5000);
            }
            /* Rates that never meet are gone on with near the beginning alone. */
            read_pieces(playback, channels, other, LENGTH, LENGTH);
            Packer packer = {0};
            const bool meets = rates[r] == floor(rates[r]);
            assert_int_equal(playback_pack(playback, there + LENGTH - 1, &packer), meets ? 0 : -1);
            free(packer.bytes);
            playback_destroy(playback);
        }
    texture_model_destroy(model);
}

/* After other settings, and another width, were asked for: from right there, and from later. */
static void test_resume_after_redo(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    for (size_t r = 0; r < RATES - 1; r++)
        for (int width_alone = 0; width_alone < 2; width_alone++)
            for (size_t later = 0; later < 5000; later += 1499) {
                TextureSettings settings = small_texture_settings(3);
                Playback *playback = create(model, &settings, CHANNELS, rates[r], 24, NULL);
                read_pieces(playback, CHANNELS, sound, 9000, 9000);
                settings.width = 1.0f;
                if (!width_alone)
                    settings.mix[1] = 3.0f;
                const uint64_t from = playback_redo(playback, &settings, 8000);
                read_pieces(playback, CHANNELS, sound + from * CHANNELS, later + 10, 100);
                Packer packer = {0};
                assert_int_equal(playback_pack(playback, from + later, &packer), 0);
                Playback *fresh = create(model, &settings, CHANNELS, rates[r], 24, NULL);
                Unpacker unpacker = {packer.bytes, packer.size, false};
                assert_int_equal(playback_unpack(fresh, &settings, &unpacker), 0);
                read_pieces(playback, CHANNELS, sound, 4000, 100);
                read_pieces(fresh, CHANNELS, other, 4010, 100);
                assert_memory_equal(sound, other + 10 * CHANNELS, 4000 * CHANNELS * sizeof *sound);
                playback_destroy(playback);
                playback_destroy(fresh);
                free(packer.bytes);
            }
    texture_model_destroy(model);
}

/* Any byte changed: refused, or some sound within its bounds. */
static void test_resume_hostile(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    Playback *playback = create(model, &settings, CHANNELS, 11025.0, 24, NULL);
    read_pieces(playback, CHANNELS, sound, 9000, 9000);
    Packer packer = {0};
    assert_int_equal(playback_pack(playback, 8000, &packer), 0);
    size_t refused = 0, tries = 0;
    for (size_t at = 0; at < packer.size; at += at < 120 ? 1 : 4999) {
        const unsigned char kept = packer.bytes[at];
        const unsigned char changes[] = {0, 1, 0x7f, 0x80, 0xff};
        for (size_t k = 0; k < sizeof changes; k++) {
            packer.bytes[at] = changes[k];
            Unpacker unpacker = {packer.bytes, packer.size, false};
            refused += playback_unpack(playback, &settings, &unpacker) != 0;
            tries++;
            read_pieces(playback, CHANNELS, other, 300, 300);
            for (size_t i = 0; i < CHANNELS * 300; i++)
                assert_true(fabsf(other[i]) <= 1.0f);
        }
        packer.bytes[at] = kept;
    }
    assert_in_range(refused, tries / 10, tries - 1);
    free(packer.bytes);
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
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_after_redo),
        cmocka_unit_test(test_resume_hostile),
        cmocka_unit_test(test_within_one),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
