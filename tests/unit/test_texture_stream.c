/* Texture streams: the same to the bit however they are read, channels as wide as asked, settings
 * that are checked, and sound that can be given up, taken back and is always finite. For its joins
 * see test_texture_joins.c. */
#include "models/texture_stream.h"

#include "tests/unit/small_texture.h"

#include <float.h>
#include <math.h>

enum { LENGTH = 20000, CHANNELS = 2, BLOCK = 16 * SMALL_HOP, LEAD = 3 * SMALL_HOP };

static float sound[CHANNELS][LENGTH], other[CHANNELS][LENGTH];

static TextureModel *default_model(void)
{
    const SmallTexture small = small_texture();
    return small_texture_create(&small, SMALL_WINDOW);
}

/* Levels are the classes' own, whatever the network says. */
static TextureModel *flat_model(void)
{
    SmallTexture small = small_texture();
    small.slope = 0.1f;
    return small_texture_create(&small, SMALL_WINDOW);
}

static TextureStream *create(const TextureModel *model, const TextureSettings *settings,
                             unsigned channels, size_t rewinds, const atomic_bool *cancel)
{
    Error err = {""};
    TextureStream *stream = texture_stream_create(model, settings, channels, rewinds, cancel, &err);
    if (!stream)
        fail_msg("%s", err.message);
    return stream;
}

/* Reads n samples to out[channel][from...], at most `piece` at a time. */
static void read_pieces(TextureStream *stream, float out[CHANNELS][LENGTH], size_t from, size_t n,
                        size_t piece)
{
    Error err = {""};
    for (size_t done = 0; done < n;) {
        const size_t m = n - done < piece ? n - done : piece;
        float *const to[CHANNELS] = {out[0] + from + done, out[1] + from + done};
        if (texture_stream_read(stream, to, m, &err))
            fail_msg("%s", err.message);
        done += m;
    }
}

static void assert_same(unsigned channels, size_t from, size_t n)
{
    for (unsigned c = 0; c < channels; c++)
        for (size_t i = from; i < from + n; i++)
            if (memcmp(&sound[c][i], &other[c][i], sizeof(float)))
                fail_msg("channel %u, sample %zu: %.9g is not %.9g", c, i, (double)sound[c][i],
                         (double)other[c][i]);
}

static bool is_same(unsigned channel, size_t from, size_t n)
{
    return !memcmp(sound[channel] + from, other[channel] + from, n * sizeof(float));
}

static double power(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum / (double)n;
}

static double correlation(const float *x, const float *y, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    return sum / (double)n / sqrt(power(x, n) * power(y, n));
}

static void test_pieces(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    const size_t pieces[] = {1, 63, 1000};
    for (unsigned channels = 1; channels <= CHANNELS; channels++) {
        TextureStream *whole = create(model, &settings, channels, 0, NULL);
        read_pieces(whole, sound, 0, LENGTH, LENGTH);
        for (size_t i = 0; i < 3; i++) {
            /* Remembering does not change what is heard. */
            TextureStream *stream = create(model, &settings, channels, i, NULL);
            memset(other, 0, sizeof other);
            read_pieces(stream, other, 0, LENGTH, pieces[i]);
            assert_same(channels, 0, LENGTH);
            assert_true(texture_stream_position(stream) == LENGTH);
            texture_stream_destroy(stream);
        }
        texture_stream_destroy(whole);
    }
    texture_model_destroy(model);
}

static void test_sound_is_there(void **state)
{
    (void)state;
    TextureModel *model = flat_model();
    TextureSettings settings = small_texture_settings(3);
    TextureStream *stream = create(model, &settings, CHANNELS, 0, NULL);
    read_pieces(stream, sound, 0, LENGTH, LENGTH);
    for (unsigned c = 0; c < CHANNELS; c++)
        /* It begins at once, and goes on through chunks and joins. */
        for (size_t i = 0; i + 500 <= LENGTH; i += 500)
            assert_true(power(sound[c] + i, 500) > 1e-5);
    texture_stream_destroy(stream);

    /* Class 1 is 1.5 nepers of energy lower: its own quantiles are in force. */
    settings.mix[0] = 0.0f;
    settings.mix[1] = 7.0f;
    stream = create(model, &settings, CHANNELS, 0, NULL);
    read_pieces(stream, other, 0, LENGTH, LENGTH);
    const double nepers = log(power(sound[0], LENGTH) / power(other[0], LENGTH));
    if (fabs(nepers - 1.5) > 0.7)
        fail_msg("class 1 is %.2f nepers lower, not 1.5", nepers);
    texture_stream_destroy(stream);
    texture_model_destroy(model);
}

static void test_restart(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3), seed = small_texture_settings(4);
    TextureStream *stream = create(model, &settings, CHANNELS, 5, NULL);
    read_pieces(stream, sound, 0, LENGTH, LENGTH);
    const size_t stops[] = {0, 1, BLOCK, 7777, LENGTH};
    for (size_t i = 0; i < 5; i++) {
        texture_stream_restart(stream, &seed);
        assert_true(texture_stream_position(stream) == 0);
        read_pieces(stream, other, 0, stops[i], LENGTH);
        texture_stream_restart(stream, &settings);
        read_pieces(stream, other, 0, LENGTH, LENGTH);
        assert_same(CHANNELS, 0, LENGTH);
    }
    texture_stream_restart(stream, &seed);
    read_pieces(stream, other, 0, LENGTH, LENGTH);
    assert_true(fabs(correlation(sound[0], other[0], LENGTH)) < 0.05);
    texture_stream_destroy(stream);
    texture_model_destroy(model);
}

static void test_width(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    TextureSettings settings = small_texture_settings(3);
    settings.width = 0.0f;
    TextureStream *stream = create(model, &settings, CHANNELS, 0, NULL);
    read_pieces(stream, sound, 0, LENGTH, LENGTH);
    memcpy(other[0], sound[1], sizeof sound[1]);
    assert_true(is_same(0, 0, LENGTH));
    settings.width = 1.0f;
    texture_stream_restart(stream, &settings);
    read_pieces(stream, sound, 0, LENGTH, LENGTH);
    assert_true(fabs(correlation(sound[0], sound[1], LENGTH)) < 0.1);
    texture_stream_destroy(stream);
    texture_model_destroy(model);
}

static void assert_refused(const TextureModel *model, const TextureSettings *settings,
                           unsigned channels, const char *words)
{
    Error err = {""};
    assert_null(texture_stream_create(model, settings, channels, 0, NULL, &err));
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    assert_null(texture_stream_create(model, settings, channels, 0, NULL, NULL));
}

static void test_settings(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings good = small_texture_settings(3);
    TextureSettings bad = good;
    const float weights[] = {-1.0f, -FLT_MIN, NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 5; i++) {
        bad.mix[1] = weights[i];
        assert_refused(model, &bad, 1, "weight of class 1");
    }
    bad.mix[0] = bad.mix[1] = FLT_MAX;
    assert_refused(model, &bad, 1, "weight");
    bad.mix[0] = bad.mix[1] = 0.0f;
    assert_refused(model, &bad, 1, "weight 0");
    bad.mix[SMALL_CLASSES] = 1.0f; /* of a class that the model lacks */
    assert_refused(model, &bad, 1, "weight 0");
    bad = good;
    const int steps[] = {0, -1, 1001};
    for (size_t i = 0; i < 3; i++) {
        bad.steps = steps[i];
        assert_refused(model, &bad, 1, "steps: give 1 to 1000");
    }
    bad = good;
    const float widths[] = {-0.01f, 1.01f, NAN};
    for (size_t i = 0; i < 3; i++) {
        bad.width = widths[i];
        assert_refused(model, &bad, 2, "give 0 to 1");
    }
    assert_refused(model, &good, 0, "0 channels");
    assert_refused(model, &good, 3, "3 channels");
    texture_model_destroy(model);

    const SmallTexture small = small_texture();
    model = small_texture_create(&small, 100);
    assert_refused(model, &good, 1, "window of 100 frames");
    texture_model_destroy(model);
    texture_stream_destroy(NULL);
}

static void test_cancel(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    atomic_bool cancel = false;
    TextureStream *stream = create(model, &settings, CHANNELS, 4, &cancel);
    read_pieces(stream, sound, 0, LENGTH, LENGTH);
    const size_t stops[] = {0, 100, 5000};
    for (size_t i = 0; i < 3; i++) {
        texture_stream_restart(stream, &settings);
        read_pieces(stream, other, 0, stops[i], LENGTH);
        atomic_store(&cancel, true);
        Error err = {""};
        float *const out[CHANNELS] = {other[0], other[1]};
        assert_int_equal(texture_stream_read(stream, out, LENGTH, &err), -1);
        assert_true(err.message[0] != '\0');
        assert_int_equal(texture_stream_read(stream, out, LENGTH, NULL), -1);
        atomic_store(&cancel, false);
        texture_stream_restart(stream, &settings);
        read_pieces(stream, other, 0, LENGTH, LENGTH);
        assert_same(CHANNELS, 0, LENGTH);
    }
    texture_stream_destroy(stream);
    texture_model_destroy(model);
}

/* Given up at a chunk, a stream can be taken back too, as if it had not tried. */
static void test_redo_after_cancel(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    atomic_bool cancel = false;
    TextureStream *stream = create(model, &settings, CHANNELS, 16, &cancel);
    TextureStream *twin = create(model, &settings, CHANNELS, 16, NULL);
    read_pieces(stream, sound, 0, 5000, LENGTH);
    read_pieces(twin, other, 0, 5000, LENGTH);
    atomic_store(&cancel, true);
    float *const out[CHANNELS] = {sound[0], sound[1]};
    assert_int_equal(texture_stream_read(stream, out, LENGTH, NULL), -1);
    atomic_store(&cancel, false);
    const uint64_t at = texture_stream_redo(stream, &settings, 4000);
    assert_true(at <= 4000 && texture_stream_redo(twin, &settings, 4000) == at);
    read_pieces(stream, sound, (size_t)at, (size_t)(LENGTH - at), LENGTH);
    read_pieces(twin, other, (size_t)at, (size_t)(LENGTH - at), LENGTH);
    assert_same(CHANNELS, (size_t)at, (size_t)(LENGTH - at));
    texture_stream_destroy(stream);
    texture_stream_destroy(twin);
    texture_model_destroy(model);
}

static void assert_finite(unsigned channels, size_t n)
{
    for (unsigned c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            if (!isfinite(sound[c][i]))
                fail_msg("channel %u, sample %zu is not finite", c, i);
}

/* Whatever the network says: predictions are clipped. */
static void test_wild_weights(void **state)
{
    (void)state;
    SmallTexture small = small_texture();
    const float deviations[] = {1e-6f, 30.0f, 1e4f};
    const SamplerKind kinds[] = {SAMPLER_DPM, SAMPLER_DDIM, SAMPLER_DDPM};
    for (size_t d = 0; d < 3; d++) {
        small.weight = deviations[d];
        TextureModel *model = small_texture_create(&small, SMALL_WINDOW);
        for (size_t k = 0; k < 3; k++) {
            TextureSettings settings = small_texture_settings(3);
            settings.sampler = kinds[k];
            TextureStream *stream = create(model, &settings, CHANNELS, 0, NULL);
            read_pieces(stream, sound, 0, LENGTH, LENGTH);
            assert_finite(CHANNELS, LENGTH);
            texture_stream_destroy(stream);
        }
        texture_model_destroy(model);
    }
}

/* Number of a block's first sample. */
static uint64_t block_start(uint64_t sample)
{
    return sample < BLOCK - LEAD ? 0 : (sample + LEAD) / BLOCK * BLOCK - LEAD;
}

static double largest_step(const float *x, size_t n)
{
    double most = 0.0;
    for (size_t i = 1; i < n; i++)
        most = fmax(most, fabs((double)x[i] - (double)x[i - 1]));
    return most;
}

static void test_redo(void **state)
{
    (void)state;
    TextureModel *model = flat_model();
    const TextureSettings settings = small_texture_settings(3);
    TextureSettings changed = small_texture_settings(99); /* the seed is not taken over */
    changed.mix[0] = 0.0f;
    changed.mix[1] = 1.0f;
    changed.width = 1.0f;
    TextureStream *plain = create(model, &settings, CHANNELS, 0, NULL);
    TextureStream *stream = create(model, &settings, CHANNELS, 6, NULL);
    TextureStream *twin = create(model, &settings, CHANNELS, 6, NULL);
    const uint64_t reads = 9000;
    const uint64_t froms[] = {9000, 8999, 8000, 6000, block_start(7000), block_start(7000) - 1};
    for (size_t i = 0; i < 6; i++) {
        texture_stream_restart(plain, &settings);
        read_pieces(plain, sound, 0, LENGTH, LENGTH);
        texture_stream_restart(stream, &settings);
        read_pieces(stream, other, 0, (size_t)reads, LENGTH);
        assert_same(CHANNELS, 0, (size_t)reads);

        const uint64_t at = texture_stream_redo(stream, &changed, froms[i]);
        assert_true(at == block_start(froms[i]));
        assert_true(at == texture_stream_position(stream));
        read_pieces(stream, other, (size_t)at, (size_t)(LENGTH - at), 777);
        assert_same(CHANNELS, 0, (size_t)at);
        assert_false(is_same(0, (size_t)at, 2 * BLOCK));
        /* Without a click, and soon on the other class's level. */
        for (unsigned c = 0; c < CHANNELS; c++) {
            const double step = fabs((double)other[c][at] - (double)other[c][at - 1]);
            assert_true(step <= 1.5 * largest_step(sound[c], LENGTH));
            const double nepers = log(power(sound[c] + at + 2 * BLOCK, LENGTH - at - 2 * BLOCK) /
                                      power(other[c] + at + 2 * BLOCK, LENGTH - at - 2 * BLOCK));
            if (!(nepers > 0.7 && nepers < 2.3))
                fail_msg("the level falls by %.2f nepers, not by 1.5", nepers);
        }

        /* The same calls, the same sound. */
        memcpy(sound, other, sizeof sound);
        texture_stream_restart(twin, &settings);
        read_pieces(twin, other, 0, (size_t)reads, 63);
        assert_true(texture_stream_redo(twin, &changed, froms[i]) == at);
        read_pieces(twin, other, (size_t)at, (size_t)(LENGTH - at), LENGTH);
        assert_same(CHANNELS, (size_t)at, (size_t)(LENGTH - at));
        assert_finite(CHANNELS, LENGTH);
    }
    texture_stream_destroy(plain);
    texture_stream_destroy(stream);
    texture_stream_destroy(twin);
    texture_model_destroy(model);
}

/* However many steps are set, the short chunk after it and the whole one after that take few: what
 * they sound for must last while the next is made. */
static void test_few_steps_after_redo(void **state)
{
    (void)state;
    enum { READ = 5000, HASTY = (36 + 84 - 20) * SMALL_HOP };
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    TextureSettings few = settings, many = settings;
    few.steps = 4;
    many.steps = 20;
    TextureStream *stream = create(model, &settings, CHANNELS, 16, NULL);
    TextureStream *twin = create(model, &settings, CHANNELS, 16, NULL);
    read_pieces(stream, sound, 0, READ, LENGTH);
    read_pieces(twin, other, 0, READ, LENGTH);
    const uint64_t at = texture_stream_redo(stream, &few, READ);
    assert_true(texture_stream_redo(twin, &many, READ) == at);
    read_pieces(stream, sound, (size_t)at, (size_t)(LENGTH - at), LENGTH);
    read_pieces(twin, other, (size_t)at, (size_t)(LENGTH - at), LENGTH);
    assert_same(CHANNELS, (size_t)at, HASTY);
    assert_false(is_same(0, (size_t)at + HASTY, (size_t)(LENGTH - HASTY - at)));
    texture_stream_destroy(stream);
    texture_stream_destroy(twin);
    texture_model_destroy(model);
}

/* The middle's frames and the side's go on as they would have; only their gains change. */
static void test_redo_of_width(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    /* Four fifths of class 0 are in the middle, in all bands: at width 0.5 the middle's gain is
     * sqrt(4 / 5), the side's sqrt(1 / 5); at width 1 both are sqrt(1 / 2). */
    const double middle_gain = sqrt(0.5 / 0.8), side_gain = sqrt(0.5 / 0.2);
    const TextureSettings settings = small_texture_settings(3);
    TextureSettings wide = settings;
    wide.width = 1.0f;
    TextureStream *stream = create(model, &settings, CHANNELS, 6, NULL);
    read_pieces(stream, sound, 0, LENGTH, LENGTH);
    const uint64_t froms[] = {9000, 8000, 7000, 6000};
    for (size_t i = 0; i < 4; i++) {
        texture_stream_restart(stream, &settings);
        read_pieces(stream, other, 0, 9000, LENGTH);
        const uint64_t at = texture_stream_redo(stream, &wide, froms[i]);
        assert_true(at == block_start(froms[i]));
        read_pieces(stream, other, (size_t)at, (size_t)(LENGTH - at), 777);
        assert_true(power(other[0] + at, LENGTH - at) > 1e-5);
        for (size_t k = (size_t)at + LEAD; k < LENGTH; k++) {
            const double middle = (double)other[0][k] + (double)other[1][k];
            const double side = (double)other[0][k] - (double)other[1][k];
            const double old_middle = (double)sound[0][k] + (double)sound[1][k];
            const double old_side = (double)sound[0][k] - (double)sound[1][k];
            if (fabs(middle - middle_gain * old_middle) > 1e-4 ||
                fabs(side - side_gain * old_side) > 1e-4)
                fail_msg("sample %zu: the middle is %.6g, not %.6g, or the side %.6g, not %.6g", k,
                         middle, middle_gain * old_middle, side, side_gain * old_side);
        }
        /* Back again it is what it was. */
        const uint64_t back = texture_stream_redo(stream, &settings, LENGTH - 2 * BLOCK);
        read_pieces(stream, other, (size_t)back, (size_t)(LENGTH - back), LENGTH);
        assert_same(CHANNELS, (size_t)back + LEAD, (size_t)(LENGTH - back - LEAD));
    }
    texture_stream_destroy(stream);
    texture_model_destroy(model);
}

static void test_redo_out_of_reach(void **state)
{
    (void)state;
    TextureModel *model = default_model();
    const TextureSettings settings = small_texture_settings(3);
    for (size_t rewinds = 0; rewinds < 4; rewinds++) {
        TextureStream *stream = create(model, &settings, CHANNELS, rewinds, NULL);
        read_pieces(stream, sound, 0, 9000, LENGTH);
        /* Blocks are made whole: the next one begins after what was read. */
        const uint64_t next = block_start(9000) + BLOCK;
        const uint64_t at = texture_stream_redo(stream, &settings, 10);
        if (at != next - rewinds * BLOCK)
            fail_msg("%zu rewinds go back to %llu, not to %llu", rewinds, (unsigned long long)at,
                     (unsigned long long)(next - rewinds * BLOCK));
        read_pieces(stream, sound, 0, 3000, LENGTH);
        /* What comes after the next sample cannot be gone to. */
        assert_true(texture_stream_redo(stream, &settings, at + 100000) <= at + 3000 + BLOCK);
        read_pieces(stream, sound, 3000, 3000, LENGTH);
        assert_finite(1, 6000);
        texture_stream_destroy(stream);
    }

    /* To the beginning: a restart with the old seed. */
    TextureStream *stream = create(model, &settings, CHANNELS, 100, NULL);
    read_pieces(stream, sound, 0, LENGTH, LENGTH);
    TextureSettings seed = settings;
    seed.seed = 7;
    assert_true(texture_stream_redo(stream, &seed, 0) == 0);
    read_pieces(stream, other, 0, LENGTH, LENGTH);
    assert_same(CHANNELS, 0, LENGTH);
    texture_stream_destroy(stream);
    texture_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_sound_is_there),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_redo_after_cancel),
        cmocka_unit_test(test_wild_weights),
        cmocka_unit_test(test_redo),
        cmocka_unit_test(test_few_steps_after_redo),
        cmocka_unit_test(test_redo_of_width),
        cmocka_unit_test(test_redo_out_of_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
