/* Transformed sound: the input again at strength 0, as late as is said, the same to the bit however
 * it is cut, as wide as its input, finite whatever comes in; and a texture at strength 1. */
#include "models/transform_playback.h"

#include "tests/unit/small_texture.h"

#include <math.h>

enum { LENGTH = 30000, CHANNELS = 2, PIECE = 1000 };

static float sound[CHANNELS][LENGTH], made[CHANNELS][LENGTH], other[CHANNELS][LENGTH];

static TextureModel *create_model(void)
{
    const SmallTexture small = small_texture();
    return small_texture_create(&small, SMALL_WINDOW);
}

static TransformSettings settings_for(float strength)
{
    return (TransformSettings){.texture = small_texture_settings(3), .strength = strength};
}

static TransformStream *create(const TextureModel *model, const TransformSettings *settings,
                               unsigned channels, const atomic_bool *cancel)
{
    Error err = {""};
    TransformStream *stream = transform_stream_create(model, settings, channels, cancel, &err);
    if (!stream)
        fail_msg("%s", err.message);
    return stream;
}

/* Bursts of noise with pauses, other ones on the right. */
static void make_input(void)
{
    for (unsigned c = 0; c < CHANNELS; c++) {
        random_gaussian(9, c, 0, sound[c], LENGTH);
        for (size_t i = 0; i < LENGTH; i++) {
            const float since = (float)((i + 1300 * c) % 4000);
            sound[c][i] *= since < 2500.0f ? 0.1f * expf(-since / 500.0f) : 0.0f;
        }
    }
}

/* What belongs to sound[0..LENGTH-1], silence after it; up to `in` samples given and `room` taken
 * at a time. Returns how much more had to come in than came out, at the most. */
static size_t transform_pieces(TransformStream *stream, float out[CHANNELS][LENGTH], size_t in,
                               size_t room)
{
    static float silence[PIECE];
    Error err = {""};
    size_t fed = 0, done = 0, late = 0;
    while (done < LENGTH) {
        const size_t left = fed < LENGTH ? LENGTH - fed : PIECE;
        const size_t n = left < in ? left : in, want = LENGTH - done < room ? LENGTH - done : room;
        float *const from[] = {fed < LENGTH ? sound[0] + fed : silence,
                               fed < LENGTH ? sound[1] + fed : silence};
        float *const to[] = {out[0] + done, out[1] + done};
        size_t used, got;
        if (transform_stream_process(stream, from, n, &used, to, want, &got, &err))
            fail_msg("%s", err.message);
        assert_true(used <= n && got <= want && used + got > 0);
        late = fed - done > late ? fed - done : late;
        fed += used;
        done += got;
    }
    return late;
}

static void transform_all(const TextureModel *model, float strength, float width,
                          float out[CHANNELS][LENGTH])
{
    TransformSettings settings = settings_for(strength);
    settings.texture.width = width;
    TransformStream *stream = create(model, &settings, CHANNELS, NULL);
    transform_pieces(stream, out, PIECE, PIECE);
    transform_stream_destroy(stream);
}

static double power(const float *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum / (double)n;
}

static double level_difference(const float *x, const float *y)
{
    double sum = 0.0;
    for (size_t i = 0; i < LENGTH; i++)
        sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return 10.0 * log10(sum / (double)LENGTH / power(x, LENGTH));
}

/* Correlation of the levels of stretches of 200 samples. */
static double envelope_correlation(const float *x, const float *y)
{
    enum { STRETCH = 200, COUNT = LENGTH / STRETCH };
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (size_t k = 0; k < COUNT; k++) {
        const double a = sqrt(power(x + k * STRETCH, STRETCH));
        const double b = sqrt(power(y + k * STRETCH, STRETCH));
        sx += a, sy += b, xx += a * a, yy += b * b, xy += a * b;
    }
    return (xy - sx * sy / COUNT) / sqrt((xx - sx * sx / COUNT) * (yy - sy * sy / COUNT) + 1e-30);
}

static void assert_finite(float out[CHANNELS][LENGTH])
{
    for (unsigned c = 0; c < CHANNELS; c++)
        for (size_t i = 0; i < LENGTH; i++)
            if (!isfinite(out[c][i]))
                fail_msg("channel %u, sample %zu is not finite", c, i);
}

static void test_strength_0_is_the_input(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    make_input();
    transform_all(model, 0.0f, 0.5f, made);
    for (unsigned c = 0; c < CHANNELS; c++)
        assert_true(level_difference(sound[c], made[c]) < -60.0);
    /* Each channel is its own also where the other is silent. */
    memset(sound[1], 0, sizeof sound[1]);
    transform_all(model, 0.0f, 0.5f, made);
    assert_true(level_difference(sound[0], made[0]) < -60.0);
    assert_true(power(made[1], LENGTH) < 1e-12);
    texture_model_destroy(model);
}

/* The gestures fade with the strength, and at 1 nothing is left of the input. */
static void test_strength(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    double before = 1.01;
    make_input();
    for (int i = 0; i <= 4; i++) {
        transform_all(model, 0.25f * (float)i, 0.5f, made);
        assert_finite(made);
        const double now = envelope_correlation(sound[0], made[0]);
        if (!(now < before))
            fail_msg("at strength %g the envelopes' correlation is %g, after %g", 0.25 * i, now,
                     before);
        before = now;
    }
    memcpy(other, made, sizeof made);
    memset(sound, 0, sizeof sound);
    transform_all(model, 1.0f, 0.5f, made);
    for (unsigned c = 0; c < CHANNELS; c++)
        assert_memory_equal(made[c], other[c], sizeof made[c]);
    assert_true(power(made[0], LENGTH) > 1e-6);
    texture_model_destroy(model);
}

static void test_pieces_and_latency(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    const TransformSettings settings = settings_for(0.5f);
    const size_t pieces[][2] = {{1, 1}, {63, 1000}, {1000, 7}, {997, 64}};
    const size_t latency = transform_stream_latency(model);
    make_input();
    transform_all(model, 0.5f, 0.5f, made);
    for (size_t k = 0; k < 4; k++) {
        TransformStream *stream = create(model, &settings, CHANNELS, NULL);
        const size_t late = transform_pieces(stream, other, pieces[k][0], pieces[k][1]);
        for (unsigned c = 0; c < CHANNELS; c++)
            assert_memory_equal(made[c], other[c], sizeof made[c]);
        /* Not later than is said, and with pieces of one sample exactly that late once. */
        assert_true(late <= latency);
        if (pieces[k][0] == 1)
            assert_int_equal(late + 1, latency);
        transform_stream_destroy(stream);
    }
    texture_model_destroy(model);
}

static void test_width(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    make_input();
    memcpy(sound[1], sound[0], sizeof sound[0]);
    for (int i = 0; i <= 4; i++) {
        transform_all(model, 0.25f * (float)i, 0.0f, made);
        assert_memory_equal(made[0], made[1], sizeof made[0]);
    }
    transform_all(model, 0.5f, 1.0f, made);
    assert_memory_not_equal(made[0], made[1], sizeof made[0]);
    texture_model_destroy(model);
}

static void test_silence(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    memset(sound, 0, sizeof sound);
    double before = -1.0;
    for (int i = 0; i <= 4; i++) {
        transform_all(model, 0.25f * (float)i, 0.5f, made);
        assert_finite(made);
        const double now = power(made[0], LENGTH);
        assert_true(i == 0 ? now < 1e-15 : now > before);
        before = now;
    }
    texture_model_destroy(model);
}

/* Settings come into force with the first chunk that is not made without the input sample that is
 * named: the second one here, whose frames begin three hops before the end of the first interval.
 */
static void test_settings_move(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    const TransformSettings none = settings_for(0.0f), all = settings_for(1.0f);
    const size_t interval = transform_stream_interval(model), border = interval - 3 * SMALL_HOP;
    const size_t known = transform_stream_latency(model) - 3 * SMALL_HOP; /* by the first chunk */
    const size_t positions[] = {known - 1, known, known + interval - 1, known + interval};
    const size_t borders[] = {0, border, border, border + interval};
    make_input();
    for (size_t k = 0; k < 4; k++) {
        TransformStream *stream = create(model, &none, CHANNELS, NULL);
        transform_stream_set(stream, &all, positions[k] / 2);
        transform_stream_set(stream, &none, positions[k] / 2 + 1);
        transform_stream_set(stream, &all, positions[k]);
        transform_pieces(stream, made, PIECE, PIECE);
        for (size_t i = 0; i < borders[k]; i++)
            assert_true(fabsf(made[0][i] - sound[0][i]) < 1e-4f);
        double wrong = 0.0;
        for (size_t i = borders[k]; i < borders[k] + 1000; i++)
            wrong += fabs((double)made[0][i] - (double)sound[0][i]);
        assert_true(wrong > 1.0);
        transform_stream_destroy(stream);
    }
    texture_model_destroy(model);
}

/* Given up in a chunk, the same call goes on as if nothing had been. */
static void test_cancel(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    const TransformSettings settings = settings_for(0.5f);
    atomic_bool cancel = true;
    make_input();
    transform_all(model, 0.5f, 0.5f, made);
    TransformStream *stream = create(model, &settings, CHANNELS, &cancel);
    size_t fed = 0, done = 0;
    Error err = {""};
    for (int i = 0; done < LENGTH / 2; i++) {
        float *const from[] = {sound[0] + fed, sound[1] + fed};
        float *const to[] = {other[0] + done, other[1] + done};
        size_t used, got;
        atomic_store(&cancel, i % 2 == 0);
        if (transform_stream_process(stream, from, PIECE, &used, to, PIECE, &got, &err))
            assert_true(i % 2 == 0 && err.message[0]);
        fed += used;
        done += got;
    }
    for (unsigned c = 0; c < CHANNELS; c++)
        assert_memory_equal(made[c], other[c], LENGTH / 2 * sizeof(float));
    transform_stream_destroy(stream);
    texture_model_destroy(model);
}

static void test_refusals(void **state)
{
    (void)state;
    TextureModel *model = create_model();
    Error err = {""};
    const float strengths[] = {-0.1f, 1.1f, NAN};
    for (size_t i = 0; i < 3; i++) {
        const TransformSettings bad = settings_for(strengths[i]);
        assert_null(transform_stream_create(model, &bad, 1, NULL, &err));
        assert_non_null(strstr(err.message, "give 0 to 1"));
    }
    const TransformSettings good = settings_for(0.5f);
    assert_null(transform_stream_create(model, &good, 3, NULL, &err));
    assert_non_null(strstr(err.message, "3 channels"));
    assert_null(transform_playback_create(model, &good, 1, 1.0, NULL, &err));
    transform_stream_destroy(NULL);
    transform_playback_destroy(NULL);
    texture_model_destroy(model);
}

/* At another rate: the input again, in its own time; nothing that is not finite gets in or out. */
static void test_playback(void **state)
{
    (void)state;
    static float in[CHANNELS * LENGTH], out[CHANNELS * LENGTH];
    TextureModel *model = create_model();
    Error err = {""};
    for (int wild = 0; wild < 2; wild++) {
        const TransformSettings settings = settings_for(wild ? 0.5f : 0.0f);
        TransformPlayback *playback =
            transform_playback_create(model, &settings, CHANNELS, 11025.0, NULL, &err);
        assert_non_null(playback);
        for (size_t i = 0; i < CHANNELS * LENGTH; i++)
            in[i] = wild ? (i % 5000 == 0 ? NAN
                            : i % 3000    ? 1e30f
                                          : -INFINITY)
                         : 0.2f * sinf(0.1f * (float)(i / CHANNELS) + 0.4f * (float)(i % CHANNELS));
        size_t fed = 0, done = 0;
        while (done < LENGTH / 2) {
            size_t used, got;
            assert_int_equal(transform_playback_process(playback, in + CHANNELS * fed, PIECE, &used,
                                                        out + CHANNELS * done, PIECE, &got, &err),
                             0);
            assert_true(used + got > 0);
            fed += used;
            done += got;
            /* As soon as one who plays it needs it. */
            assert_true(fed < done + got + transform_playback_latency(model, 11025.0) + PIECE);
        }
        for (size_t i = 0; i < CHANNELS * done; i++) {
            assert_true(isfinite(out[i]) && fabsf(out[i]) <= 1.0f);
            if (!wild && i > 500)
                assert_true(fabsf(out[i] - in[i]) < 2e-3f);
        }
        transform_playback_destroy(playback);
    }
    texture_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strength_0_is_the_input),
        cmocka_unit_test(test_strength),
        cmocka_unit_test(test_pieces_and_latency),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_settings_move),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_playback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
