/* Half precision against the definition of binary16 (IEEE 754-2019, 3.4), at every place where the
 * rounding changes, and against the processor's own conversion where it has one. */
#include "models/half.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LARGEST 0x7bffu

/* (-1)^s 2^(e-15) (1 + m/1024), or (-1)^s 2^-14 m/1024 if e is 0. */
static double half_value(unsigned half)
{
    const int exponent = (int)(half >> 10) & 31, fraction = (int)half & 1023;
    const double size =
        exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp((double)fraction, -24);
    return half & 0x8000u ? -size : size;
}

static uint16_t narrowed(float value)
{
    uint16_t half;
    half_from_float(&value, &half, 1);
    return half;
}

static float widened(uint16_t half)
{
    float value;
    half_to_float(&half, &value, 1);
    return value;
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void widens_every_value(void **state)
{
    (void)state;
    for (unsigned half = 0; half <= 0xffffu; half++) {
        const float value = widened((uint16_t)half);
        if ((half & 0x7fffu) > 0x7c00u) {
            assert_true(isnan(value));
        } else if ((half & 0x7fffu) == 0x7c00u) {
            assert_true(isinf(value));
        } else {
            assert_true((double)value == half_value(half));
        }
        assert_int_equal(signbit(value) != 0, half >> 15);
    }
}

static void narrows_what_it_widened(void **state)
{
    (void)state;
    for (unsigned half = 0; half <= 0xffffu; half++) {
        const unsigned quiet = (half & 0x7fffu) > 0x7c00u ? half | 0x0200u : half;
        assert_int_equal(narrowed(widened((uint16_t)half)), quiet);
    }
}

/* Rounding is monotonic, so it is right everywhere if it is right on both sides of each tie. */
static void rounds_to_nearest_even(void **state)
{
    (void)state;
    for (unsigned half = 0; half <= LARGEST; half++) {
        const double next = half == LARGEST ? 65536.0 : half_value(half + 1);
        const float tie = (float)((half_value(half) + next) / 2);
        const unsigned even = half & 1u ? half + 1 : half;
        assert_true((double)tie == (half_value(half) + next) / 2);
        assert_int_equal(narrowed(tie), even);
        assert_int_equal(narrowed(-tie), even | 0x8000u);
        assert_int_equal(narrowed(nextafterf(tie, 0.0f)), half);
        assert_int_equal(narrowed(nextafterf(tie, INFINITY)), half + 1);
    }
}

static void known_values(void **state)
{
    (void)state;
    static const struct {
        float value;
        unsigned half;
    } known[] = {
        {0.0f, 0x0000},     {-0.0f, 0x8000},      {1.0f, 0x3c00},       {-2.0f, 0xc000},
        {65504.0f, 0x7bff}, {65519.996f, 0x7bff}, {65520.0f, 0x7c00},   {1e38f, 0x7c00},
        {-1e38f, 0xfc00},   {INFINITY, 0x7c00},   {-INFINITY, 0xfc00},  {0x1p-14f, 0x0400},
        {0x1p-24f, 0x0001}, {0x1p-25f, 0x0000},   {0x1.8p-25f, 0x0001}, {0x1p-149f, 0x0000},
        {0.1f, 0x2e66},     {1.0f / 3, 0x3555},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(narrowed(known[i].value), known[i].half);
}

static void nan_is_kept(void **state)
{
    (void)state;
    static const uint32_t patterns[] = {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xff800001u,
                                        0x7fffffffu, 0x7f802000u, 0xffbfffffu};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const unsigned half = narrowed(float_of(patterns[i]));
        assert_true((half & 0x7fffu) > 0x7c00u);
        assert_int_equal(half >> 15, patterns[i] >> 31);
    }
}

#if defined(__x86_64__)
__attribute__((target("f16c"))) static unsigned processor_narrowed(float value)
{
    return (unsigned)_mm_extract_epi16(_mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT),
                                       0);
}

__attribute__((target("f16c"))) static float processor_widened(unsigned half)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128((int)half)));
}

static void equals_the_processor(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("avx2")) /* clang does not know "f16c", which came before avx2 */
        skip();
    for (unsigned half = 0; half <= 0xffffu; half++)
        assert_int_equal(float_bits(widened((uint16_t)half)), float_bits(processor_widened(half)));
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 997)
        assert_int_equal(narrowed(float_of((uint32_t)bits)),
                         processor_narrowed(float_of((uint32_t)bits)));
}
#else
static void equals_the_processor(void **state)
{
    (void)state;
    skip();
}
#endif

static void many_at_once(void **state)
{
    (void)state;
    enum { N = 37 };
    float in[N], back[N];
    uint16_t out[N + 1];
    out[N] = 0x1234;
    for (int i = 0; i < N; i++)
        in[i] = (float)(i - 18) * 0.25f;
    half_from_float(in, out, N);
    half_to_float(out, back, N);
    assert_memory_equal(in, back, sizeof in);
    assert_int_equal(out[N], 0x1234);
    half_from_float(NULL, out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widens_every_value),
        cmocka_unit_test(narrows_what_it_widened),
        cmocka_unit_test(rounds_to_nearest_even),
        cmocka_unit_test(known_values),
        cmocka_unit_test(nan_is_kept),
        cmocka_unit_test(equals_the_processor),
        cmocka_unit_test(many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
