/* dsp/texture_statistics: of envelopes that are sines, whose every statistic is known. */
#include "dsp/texture_statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

/* 5 s: 4 Hz and the octave's centre 6.25 Hz are 20 and 31.25 periods. */
enum { FRAMES = 5 * COCHLEA_FRAME_RATE };

static const double HZ = 4.0, DEPTH = 0.2, PHASE = 0.7; /* radians from a band to the next */
static float envelopes[FRAMES * COCHLEA_BANDS], power[FRAMES], out[TEXTURE_STATISTICS];

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

/* Band b's envelope is (b + 1) (1 + DEPTH sin) gain^0.3, of a sound whose mean square is gain^2. */
static void run(double gain)
{
    const double turn = 2.0 * acos(-1.0) * HZ / COCHLEA_FRAME_RATE;
    for (size_t f = 0; f < FRAMES; f++) {
        power[f] = (float)(gain * gain);
        for (size_t b = 0; b < COCHLEA_BANDS; b++)
            envelopes[f * COCHLEA_BANDS + b] =
                (float)(pow(gain, 0.3) * (double)(b + 1) *
                        (1.0 + DEPTH * sin(turn * (double)f + PHASE * (double)b)));
    }
    TextureStatistics *statistics = texture_statistics_create(FRAMES, NULL);
    assert_non_null(statistics);
    texture_statistics_run(statistics, envelopes, power, out);
    texture_statistics_destroy(statistics);
}

static double at(TextureGroup group, size_t index)
{
    assert_true(index < texture_group_count(group));
    return (double)out[texture_group_first(group) + index];
}

static void test_groups_fill_all(void **state)
{
    (void)state;
    size_t sum = 0;
    for (int g = 0; g < TEXTURE_GROUPS; g++) {
        assert_int_equal(texture_group_first((TextureGroup)g), sum);
        sum += texture_group_count((TextureGroup)g);
    }
    assert_int_equal(sum, TEXTURE_STATISTICS);
}

static void test_moments(void **state)
{
    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        run(pass ? 0.01 : 1.0);
        for (size_t b = 0; b < COCHLEA_BANDS; b++) {
            check_near(at(TEXTURE_MEAN, b) / (double)(b + 1), 1.0, 1e-4);
            check_near(at(TEXTURE_VARIATION, b), DEPTH / sqrt(2.0), 1e-4);
            check_near(at(TEXTURE_SKEWNESS, b), 0.0, 1e-3);
            check_near(at(TEXTURE_KURTOSIS, b), log(1.5), 1e-3);
        }
    }
}

static void test_correlations(void **state)
{
    (void)state;
    static const size_t apart[] = {1, 2, 3, 5, 8};
    size_t index = 0;
    run(1.0);
    for (size_t s = 0; s < 5; s++)
        for (size_t b = 0; b + apart[s] < COCHLEA_BANDS; b++)
            check_near(at(TEXTURE_CORRELATION, index++), cos(PHASE * (double)apart[s]), 1e-3);
    assert_int_equal(index, texture_group_count(TEXTURE_CORRELATION));
}

/* 4 Hz is the centre of the seventh half octave: two thirds of a Hann window's power lie in the bin
 * itself, a sixth in each beside it, where the weight is less. */
static void test_modulation(void **state)
{
    (void)state;
    run(1.0);
    const double half = asin(1.0), bin = 1.0 / 5.0;
    const double below = cos(half * log2(HZ / (HZ - bin)) / 0.5);
    const double above = cos(half * log2((HZ + bin) / HZ) / 0.5);
    const double want = sqrt(2.0 / 3.0 + (below * below + above * above) / 6.0);
    for (size_t b = 0; b < COCHLEA_BANDS; b++) {
        check_near(at(TEXTURE_MODULATION, b * TEXTURE_HALF_OCTAVES + 6), want, 2e-3);
        for (size_t c = 0; c < TEXTURE_HALF_OCTAVES; c++)
            if (c < 5 || c > 7)
                check_near(at(TEXTURE_MODULATION, b * TEXTURE_HALF_OCTAVES + c), 0.0, 5e-3);
    }
}

static void test_modulation_together(void **state)
{
    (void)state;
    run(1.0);
    for (size_t b = 0; b + 1 < COCHLEA_BANDS; b++)
        check_near(at(TEXTURE_MODULATION_TOGETHER, b * TEXTURE_OCTAVES), cos(PHASE), 2e-3);
    const size_t further = TEXTURE_OCTAVES * (COCHLEA_BANDS - 1);
    for (size_t b = 0; b + 2 < COCHLEA_BANDS; b++)
        check_near(at(TEXTURE_MODULATION_TOGETHER, further + b * TEXTURE_OCTAVES), cos(2.0 * PHASE),
                   2e-3);
}

/* Nothing that moves, and nothing at all: every statistic stays a number. */
static void test_stillness(void **state)
{
    (void)state;
    TextureStatistics *statistics = texture_statistics_create(FRAMES, NULL);
    assert_non_null(statistics);
    for (size_t i = 0; i < FRAMES * COCHLEA_BANDS; i++)
        envelopes[i] = 0.5F;
    for (size_t f = 0; f < FRAMES; f++)
        power[f] = 0.0F;
    texture_statistics_run(statistics, envelopes, power, out);
    texture_statistics_destroy(statistics);
    for (size_t i = 0; i < TEXTURE_STATISTICS; i++)
        assert_true(isfinite(out[i]));
}

static void test_refused(void **state)
{
    (void)state;
    Error err = {""};
    assert_null(texture_statistics_create(99, &err));
    assert_non_null(strstr(err.message, "99 frames"));
    assert_null(texture_statistics_create(40001, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups_fill_all),
                                       cmocka_unit_test(test_moments),
                                       cmocka_unit_test(test_correlations),
                                       cmocka_unit_test(test_modulation),
                                       cmocka_unit_test(test_modulation_together),
                                       cmocka_unit_test(test_stillness),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
