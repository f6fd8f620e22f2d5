/* dsp/resample: sines against the sines that must come out, lengths, cuts, ends and refusals. */
#include "dsp/resample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double MINUS_90_DB = 3.1622777e-5;

static float *new_samples(size_t n)
{
    float *samples = calloc(n > 0 ? n : 1, sizeof *samples);
    assert_non_null(samples);
    return samples;
}

static double sine_at(double frequency, double rate, size_t frame)
{
    return sin(2.0 * acos(-1.0) * frequency * (double)frame / rate);
}

static float *new_sine(double frequency, double rate, size_t frames)
{
    float *samples = new_samples(frames);
    for (size_t i = 0; i < frames; i++)
        samples[i] = (float)(0.5 * sine_at(frequency, rate, i));
    return samples;
}

/* White noise in -0.5 .. 0.5 that needs nothing else of Brume (Knuth's linear congruence). */
static float *new_noise(size_t n)
{
    float *samples = new_samples(n);
    uint64_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        samples[i] = (float)((double)(state >> 40) / 16777216.0 - 0.5);
    }
    return samples;
}

static float *convert(const float *in, size_t in_frames, unsigned channels, double from, double to,
                      size_t *out_frames)
{
    float *out = NULL;
    Error err = {{0}};
    if (resampler_all(in, in_frames, channels, from, to, &out, out_frames, &err))
        fail_msg("%s", err.message);
    assert_int_equal(*out_frames, floor((double)in_frames * to / from + 0.5));
    return out;
}

/* The largest difference from 0.5 sin, away from a margin at both ends, over the sine's 0.5. */
static double sine_error(const float *got, size_t frames, double frequency, double rate)
{
    const size_t margin = frames / 8;
    double worst = 0.0;
    for (size_t i = margin; i < frames - margin; i++)
        worst = fmax(worst, fabs((double)got[i] - 0.5 * sine_at(frequency, rate, i)));
    return worst / 0.5;
}

static void test_there_and_back(void **state)
{
    (void)state;
    size_t there_frames, back_frames;
    float *in = new_sine(1000.0, 44100.0, 44100);
    float *there = convert(in, 44100, 1, 44100.0, 48000.0, &there_frames);
    float *back = convert(there, there_frames, 1, 48000.0, 44100.0, &back_frames);
    assert_int_equal(there_frames, 48000);
    assert_int_equal(back_frames, 44100);
    assert_true(sine_error(there, there_frames, 1000.0, 48000.0) < MINUS_90_DB);
    assert_true(sine_error(back, back_frames, 1000.0, 44100.0) < MINUS_90_DB);
    free(in);
    free(there);
    free(back);
}

static void test_far_rates(void **state)
{
    (void)state;
    const double pairs[][2] = {
        {8000.0, 44100.0},   {44100.0, 8000.0},  {192000.0, 44100.0},
        {44100.0, 192000.0}, {8000.0, 192000.0}, {192000.0, 8000.0},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const size_t in_frames = (size_t)(pairs[i][0] * 0.7);
        size_t out_frames;
        float *in = new_sine(1000.0, pairs[i][0], in_frames);
        float *out = convert(in, in_frames, 1, pairs[i][0], pairs[i][1], &out_frames);
        assert_true(sine_error(out, out_frames, 1000.0, pairs[i][1]) < MINUS_90_DB);
        free(in);
        free(out);
    }
}

/* 9 kHz is beyond what 8000 Hz holds, and would fold to 1 kHz. */
static void test_no_alias(void **state)
{
    (void)state;
    size_t out_frames;
    float *in = new_sine(9000.0, 44100.0, 44100);
    float *out = convert(in, 44100, 1, 44100.0, 8000.0, &out_frames);
    for (size_t i = 1000; i < out_frames - 1000; i++)
        assert_true(fabs((double)out[i]) < 0.5 * MINUS_90_DB);
    free(in);
    free(out);
}

static void test_no_dc_shift(void **state)
{
    (void)state;
    size_t out_frames;
    float *in = new_samples(44100);
    for (size_t i = 0; i < 44100; i++)
        in[i] = 0.25F;
    float *out = convert(in, 44100, 1, 44100.0, 48000.0, &out_frames);
    for (size_t i = 4800; i < 43200; i++)
        assert_true(fabs((double)out[i] - 0.25) < 0.25 * MINUS_90_DB);
    free(in);
    free(out);
}

static void test_channels_apart(void **state)
{
    (void)state;
    enum { FRAMES = 9000 };
    size_t mono_frames, stereo_frames;
    float *left = new_sine(500.0, 44100.0, FRAMES);
    float *right = new_noise(FRAMES);
    float *both = new_samples(2 * FRAMES);
    for (size_t i = 0; i < FRAMES; i++) {
        both[2 * i] = left[i];
        both[2 * i + 1] = right[i];
    }
    float *stereo = convert(both, FRAMES, 2, 44100.0, 48000.0, &stereo_frames);
    float *of_left = convert(left, FRAMES, 1, 44100.0, 48000.0, &mono_frames);
    float *of_right = convert(right, FRAMES, 1, 44100.0, 48000.0, &mono_frames);
    assert_int_equal(stereo_frames, mono_frames);
    for (size_t i = 0; i < stereo_frames; i++) {
        assert_true(stereo[2 * i] == of_left[i]);
        assert_true(stereo[2 * i + 1] == of_right[i]);
    }
    free(left);
    free(right);
    free(both);
    free(stereo);
    free(of_left);
    free(of_right);
}

/* Puts the whole input through in calls of in_step and out_step frames, and ends it. */
static size_t stream(Resampler *resampler, unsigned channels, const float *in, size_t in_frames,
                     size_t in_step, float *out, size_t out_room, size_t out_step)
{
    size_t taken = 0, filled = 0;
    for (;;) {
        const size_t rest = in_frames - taken;
        const size_t give = rest < in_step ? rest : in_step;
        const size_t room = out_room - filled < out_step ? out_room - filled : out_step;
        size_t used, made;
        Error err = {{0}};
        if (resampler_process(resampler, give > 0 ? in + taken * channels : NULL, give, &used,
                              out + filled * channels, room, &made, &err))
            fail_msg("%s", err.message);
        assert_true(used <= give && made <= room);
        if (used == 0 && made == 0)
            break;
        taken += used;
        filled += made;
    }
    assert_int_equal(taken, in_frames);
    return filled;
}

static void check_cuts(double from, double to, unsigned channels)
{
    enum { FRAMES = 12345 };
    const size_t cuts[][2] = {{1, 4096}, {63, 64},      {1000, 1},     {4096, 17},
                              {777, 63}, {FRAMES, 256}, {1, SIZE_MAX}, {FRAMES, SIZE_MAX}};
    size_t frames;
    float *in = new_noise(FRAMES * channels);
    float *whole = convert(in, FRAMES, channels, from, to, &frames);
    float *out = new_samples((frames + 8) * channels);
    Resampler *resampler = resampler_create(from, to, channels, NULL);
    assert_non_null(resampler);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        memset(out, 0, (frames + 8) * channels * sizeof *out);
        const size_t got =
            stream(resampler, channels, in, FRAMES, cuts[i][0], out, frames + 8, cuts[i][1]);
        assert_int_equal(got, frames);
        assert_memory_equal(out, whole, frames * channels * sizeof *out);
        resampler_reset(resampler);
    }
    resampler_destroy(resampler);
    free(in);
    free(whole);
    free(out);
}

static void test_cuts_do_not_matter(void **state)
{
    (void)state;
    check_cuts(44100.0, 48000.0, 2);
    check_cuts(48000.0, 44100.0, 1);
    check_cuts(44100.0, 8000.0, 1);
    check_cuts(8000.0, 192000.0, 1);
    check_cuts(192000.0, 44100.0, 2);
    check_cuts(44100.0, 47999.3, 1);
    check_cuts(96000.0, 48000.0, 2);
    check_cuts(44100.0, 44100.0, 2);
}

static void test_reset_midway(void **state)
{
    (void)state;
    enum { FRAMES = 5000 };
    size_t frames, used, made;
    float *in = new_noise(FRAMES);
    float *whole = convert(in, FRAMES, 1, 44100.0, 48000.0, &frames);
    float *out = new_samples(frames + 8);
    Resampler *resampler = resampler_create(44100.0, 48000.0, 1, NULL);
    assert_non_null(resampler);
    assert_int_equal(resampler_process(resampler, in + 100, 3000, &used, out, frames, &made, NULL),
                     0);
    assert_true(used > 0);
    resampler_reset(resampler);
    assert_int_equal(stream(resampler, 1, in, FRAMES, 512, out, frames + 8, 512), frames);
    assert_memory_equal(out, whole, frames * sizeof *out);
    resampler_destroy(resampler);
    free(in);
    free(whole);
    free(out);
}

static void test_equal_rates_copy(void **state)
{
    (void)state;
    const uint32_t bits[6] = {0x7fc12345, 0x00000001, 0x80000000,
                              0xff800000, 0x3f800000, 0x7f7fffff};
    float in[6];
    memcpy(in, bits, sizeof in);
    size_t frames;
    float *out = convert(in, 3, 2, 44100.0, 44100.0, &frames);
    assert_int_equal(frames, 3);
    assert_memory_equal(out, bits, sizeof bits);
    free(out);
}

static void test_lengths(void **state)
{
    (void)state;
    const double pairs[][2] = {
        {44100.0, 48000.0}, {48000.0, 44100.0}, {1000.0, 768000.0}, {768000.0, 1000.0}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (size_t in_frames = 0; in_frames < 40; in_frames++) {
            size_t out_frames;
            float *in = new_noise(in_frames);
            float *out = convert(in, in_frames, 1, pairs[i][0], pairs[i][1], &out_frames);
            assert_non_null(out);
            for (size_t k = 0; k < out_frames; k++)
                assert_true(isfinite(out[k]));
            free(in);
            free(out);
        }
    }
}

static void check_refused(double from, double to, unsigned channels, const char *first,
                          const char *second)
{
    Error err = {{0}};
    float sample = 0.0F;
    float *out = &sample;
    size_t frames = 1;
    assert_null(resampler_create(from, to, channels, NULL));
    assert_null(resampler_create(from, to, channels, &err));
    assert_non_null(strstr(err.message, first));
    assert_non_null(strstr(err.message, second));
    assert_int_equal(resampler_all(&sample, 1, channels, from, to, &out, &frames, NULL), -1);
    assert_null(out);
    assert_int_equal(frames, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    check_refused(999.0, 48000.0, 1, "999", "48000");
    check_refused(44100.0, 768001.0, 1, "44100", "768001");
    check_refused(0.0, 48000.0, 1, "from 0 Hz", "48000");
    check_refused(44100.0, -48000.0, 1, "44100", "-48000");
    check_refused((double)NAN, 44100.0, 1, "nan", "44100");
    check_refused(44100.0, (double)INFINITY, 1, "44100", "inf");
    check_refused(44100.0, 48000.0, 0, "0 channels", "1 or 2");
    check_refused(44100.0, 48000.0, 3, "3 channels", "1 or 2");

    const float sample = 0.0F;
    Error err = {{0}};
    float *out;
    size_t frames;
    assert_int_equal(resampler_all(&sample, SIZE_MAX / 4, 1, 8000.0, 48000.0, &out, &frames, &err),
                     -1);
    assert_non_null(strstr(err.message, "too many"));
    resampler_destroy(NULL);
}

static void test_after_the_end(void **state)
{
    (void)state;
    const double pairs[][2] = {{44100.0, 48000.0}, {48000.0, 48000.0}};
    for (size_t i = 0; i < 2; i++) {
        const float in[4] = {0.0F};
        float out[64];
        size_t used, made;
        Error err = {{0}};
        Resampler *resampler = resampler_create(pairs[i][0], pairs[i][1], 1, &err);
        assert_non_null(resampler);
        assert_int_equal(resampler_process(resampler, NULL, 4, &used, out, 64, &made, &err), -1);
        assert_non_null(strstr(err.message, "NULL"));
        assert_int_equal(stream(resampler, 1, in, 4, 4, out, 64, 64), 4);
        assert_int_equal(resampler_process(resampler, in, 4, &used, out, 64, &made, &err), -1);
        assert_non_null(strstr(err.message, "reset"));
        assert_int_equal(used, 0);
        assert_int_equal(made, 0);
        resampler_reset(resampler);
        assert_int_equal(stream(resampler, 1, in, 4, 4, out, 64, 64), 4);
        resampler_destroy(resampler);
    }
}

/* Many calls with little room: the surplus must come out, not pile up. */
static void test_little_room(void **state)
{
    (void)state;
    Resampler *resampler = resampler_create(48000.0, 44100.0, 1, NULL);
    assert_non_null(resampler);
    const float in[8] = {0.0F};
    float out[1];
    size_t taken = 0, filled = 0;
    for (int call = 0; call < 200000; call++) {
        size_t used, made;
        assert_int_equal(resampler_process(resampler, in, 8, &used, out, 1, &made, NULL), 0);
        taken += used;
        filled += made;
    }
    const double ahead = (double)taken - (double)filled * 48000.0 / 44100.0;
    assert_true(ahead >= 0.0 && ahead < 8192.0);
    resampler_destroy(resampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_far_rates),
        cmocka_unit_test(test_no_alias),       cmocka_unit_test(test_no_dc_shift),
        cmocka_unit_test(test_channels_apart), cmocka_unit_test(test_cuts_do_not_matter),
        cmocka_unit_test(test_reset_midway),   cmocka_unit_test(test_equal_rates_copy),
        cmocka_unit_test(test_lengths),        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_after_the_end),  cmocka_unit_test(test_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
