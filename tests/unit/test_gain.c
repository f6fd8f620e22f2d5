/* dsp/gain: decibels, fades and the soft limiter against their formulas. */
#include "dsp/gain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float limited(float value)
{
    limiter_apply(&value, 1);
    return value;
}

static void test_decibels(void **state)
{
    (void)state;
    assert_true(gain_from_db(0.0F) == 1.0F);
    check_near((double)gain_from_db(20.0F), 10.0, 0.0);
    check_near((double)gain_from_db(-20.0F), 0.1, 1e-8);
    check_near((double)gain_from_db(6.0F), 1.995262315, 2e-7);
    check_near((double)gain_from_db(-1.0F), 0.891250938, 6e-8);
    assert_true(gain_from_db(-INFINITY) == 0.0F);

    assert_true(gain_to_db(1.0F) == 0.0F);
    check_near((double)gain_to_db(0.5F), -6.020599913, 1e-6);
    check_near((double)gain_to_db(100.0F), 40.0, 0.0);
    assert_true(gain_to_db(0.0F) == -200.0F);
    assert_true(gain_to_db(1e-30F) == -200.0F);
    assert_true(gain_to_db(-1.0F) == -200.0F);
    assert_true(gain_to_db(NAN) == -200.0F);
    for (float db = -190.0F; db <= 60.0F; db += 0.5F)
        check_near((double)gain_to_db(gain_from_db(db)), (double)db, 2e-5);
}

static void test_ramp(void **state)
{
    (void)state;
    float x[4] = {1.0F, 1.0F, -2.0F, 1.0F};
    fade_ramp(x, 4, 0.0F, 1.0F);
    const float want[4] = {0.25F, 0.5F, -1.5F, 1.0F};
    assert_memory_equal(x, want, sizeof want);

    /* Ends that differ by more than a double holds: the last gain is still `to` itself. */
    float apart[3] = {1.0F, 1.0F, 1.0F};
    fade_ramp(apart, 3, 1.0F, 1e-30F);
    assert_true(apart[2] == 1e-30F);

    /* A ramp between equal ends is a plain product. */
    const float before[5] = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F};
    float level[5];
    memcpy(level, before, sizeof level);
    fade_ramp(level, 5, 0.7F, 0.7F);
    for (int i = 0; i < 5; i++)
        assert_true(level[i] == before[i] * 0.7F);

    fade_ramp(NULL, 0, 0.0F, 1.0F);
}

static void test_ramps_join(void **state)
{
    (void)state;
    enum { LENGTH = 96 };
    float x[2 * LENGTH];
    for (size_t i = 0; i < 2 * LENGTH; i++)
        x[i] = 1.0F;
    fade_ramp(x, LENGTH, 0.25F, 0.5F);
    fade_ramp(x + LENGTH, LENGTH, 0.5F, 0.75F);
    for (size_t i = 0; i < 2 * LENGTH; i++) {
        const float before = i ? x[i - 1] : 0.25F;
        check_near((double)(x[i] - before), 0.25 / LENGTH, 1e-7);
    }
}

static void test_crossfade_power(void **state)
{
    (void)state;
    enum { LENGTH = 100, TOTAL = 130 };
    float ones[TOTAL], zeros[TOTAL] = {0}, fall[TOTAL], rise[TOTAL];
    for (size_t i = 0; i < TOTAL; i++)
        ones[i] = 1.0F;
    crossfade_power(ones, zeros, fall, TOTAL, 0, LENGTH);
    crossfade_power(zeros, ones, rise, TOTAL, 0, LENGTH);
    for (size_t i = 0; i < TOTAL; i++)
        check_near((double)fall[i] * (double)fall[i] + (double)rise[i] * (double)rise[i], 1.0,
                   3e-7);
    check_near((double)fall[49], sqrt(0.5), 1e-7); /* half way */
    check_near((double)rise[49], sqrt(0.5), 1e-7);
    check_near((double)rise[0], 0.015707317, 1e-8); /* sin(pi / 200) */
    for (size_t i = LENGTH - 1; i < TOTAL; i++) {
        assert_true(fall[i] == 0.0F);
        assert_true(rise[i] == 1.0F);
    }
}

static void test_crossfade_cuts(void **state)
{
    (void)state;
    enum { LENGTH = 50, TOTAL = 64 };
    float old[TOTAL], new_[TOTAL], whole[TOTAL], part[TOTAL];
    for (size_t i = 0; i < TOTAL; i++) {
        old[i] = sinf((float)i);
        new_[i] = cosf(0.3F * (float)i);
    }
    crossfade_power(old, new_, whole, TOTAL, 0, LENGTH);
    for (size_t step = 1; step <= TOTAL; step++) {
        memcpy(part, old, sizeof part); /* in place over the old signal */
        for (size_t at = 0; at < TOTAL; at += step) {
            const size_t n = step < TOTAL - at ? step : TOTAL - at;
            crossfade_power(part + at, new_ + at, part + at, n, at, LENGTH);
        }
        assert_memory_equal(part, whole, sizeof whole);
    }
    memcpy(part, new_, sizeof part);
    crossfade_power(old, part, part, TOTAL, 0, LENGTH);
    assert_memory_equal(part, whole, sizeof whole);

    const size_t ends[][2] = {{0, 0}, {0, 1}, {LENGTH, LENGTH}, {SIZE_MAX, LENGTH}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        crossfade_power(old, new_, part, TOTAL, ends[i][0], ends[i][1]);
        assert_memory_equal(part, new_, sizeof part);
    }
    const float broken = NAN;
    float out = 0.0F;
    crossfade_power(&broken, new_, &out, 1, LENGTH, LENGTH);
    assert_true(out == new_[0]);
}

static void test_limiter_identity(void **state)
{
    (void)state;
    for (uint32_t bits = bits_of(FLT_MIN); bits <= bits_of(LIMITER_KNEE); bits += 997) {
        float value;
        memcpy(&value, &bits, sizeof value);
        assert_int_equal(bits_of(limited(value)), bits);
        assert_int_equal(bits_of(limited(-value)), bits | 0x80000000U);
    }
    assert_int_equal(bits_of(limited(LIMITER_KNEE)), bits_of(LIMITER_KNEE));
    assert_int_equal(bits_of(limited(FLT_MIN)), bits_of(FLT_MIN));
    assert_int_equal(bits_of(limited(0.0F)), 0);
    assert_int_equal(bits_of(limited(-0.0F)), 0x80000000U);
}

static void test_limiter_curve(void **state)
{
    (void)state;
    const double knee = (double)LIMITER_KNEE;
    for (double a = knee; a < 100.0; a = knee + (a - knee) * 1.01 + 1e-6) {
        const float input = (float)a;
        const double e = ((double)input - knee) / (1.0 - knee);
        const double want = knee + (1.0 - knee) * e / sqrt(1.0 + e * e);
        check_near((double)limited(input), want, 1.2e-7);
        check_near((double)limited(-input), -want, 1.2e-7);
    }
    /* 0.891 + 0.109 / sqrt(2) */
    check_near((double)limited(1.0F), 0.968074639, 1.2e-7);
}

/* Every float from the knee to 2, then a stride to the largest: in order, and never above 1. */
static void test_limiter_ceiling(void **state)
{
    (void)state;
    float before = LIMITER_KNEE;
    for (uint32_t bits = bits_of(LIMITER_KNEE); bits <= bits_of(FLT_MAX);
         bits += bits < bits_of(2.0F) ? 1 : 9973) {
        float value;
        memcpy(&value, &bits, sizeof value);
        const float got = limited(value);
        assert_true(got <= 1.0F);
        assert_true(got >= before - 1.2e-7F);
        before = got;
    }
    assert_true(limited(FLT_MAX) == 1.0F);
    assert_true(limited(-FLT_MAX) == -1.0F);
}

/* The slope on either side of the knee is 1, and changes without a step beyond it. */
static void test_limiter_smooth(void **state)
{
    (void)state;
    const double step = 1.0 / 1024.0;
    double slope_before = 1.0;
    for (int i = -8; i < 512; i++) {
        const float low = (float)((double)LIMITER_KNEE + i * step);
        const float high = (float)((double)LIMITER_KNEE + (i + 1) * step);
        const double slope =
            ((double)limited(high) - (double)limited(low)) / ((double)high - (double)low);
        /* The second derivative is nowhere above 0.859 / 0.109 = 7.9: 0.0077 a step. */
        check_near(slope, slope_before, 0.0083);
        assert_true(slope <= 1.0002);
        slope_before = slope;
    }
    check_near(slope_before, 0.0095, 0.001); /* (1 + e^2)^(-3/2) at e = 511.5 / 1024 / 0.109 */
}

static void test_limiter_repairs(void **state)
{
    (void)state;
    float x[9] = {NAN,          0.5F,         INFINITY, -INFINITY, FLT_MIN / 2,
                  -FLT_MIN / 2, FLT_TRUE_MIN, -NAN,     -0.25F};
    limiter_apply(x, 9);
    const float want[9] = {0.0F, 0.5F, 0.0F, 0.0F, 0.0F, -0.0F, 0.0F, 0.0F, -0.25F};
    assert_memory_equal(x, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decibels),       cmocka_unit_test(test_ramp),
        cmocka_unit_test(test_ramps_join),     cmocka_unit_test(test_crossfade_power),
        cmocka_unit_test(test_crossfade_cuts), cmocka_unit_test(test_limiter_identity),
        cmocka_unit_test(test_limiter_curve),  cmocka_unit_test(test_limiter_ceiling),
        cmocka_unit_test(test_limiter_smooth), cmocka_unit_test(test_limiter_repairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
