/* dsp/texture_distance and what it is made of: noise against noise of the same and of other kinds.
 */
#include "dsp/texture_distance.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { LONGEST = 20 * COCHLEA_RATE };

static float samples[LONGEST];
static TextureEar *ear;

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

typedef enum { WHITE, DULL, BEATING, LOOPED } Kind;

/* Gaussian noise; with its treble taken away; louder and softer four times a second; the same half
 * second again and again. */
static TextureSound *noise(Kind kind, uint64_t seed, double seconds, double gain)
{
    const size_t n = (size_t)(seconds * COCHLEA_RATE);
    const double turn = 2.0 * acos(-1.0) / COCHLEA_RATE;
    float before = 0.0F;
    random_gaussian(seed, 1, 0, samples, n);
    for (size_t i = 0; i < n; i++) {
        if (kind == DULL)
            before = samples[i] += 0.9F * before;
        if (kind == BEATING)
            samples[i] *= (float)(1.0 + 0.9 * sin(turn * 4.0 * (double)i));
        if (kind == LOOPED && i >= COCHLEA_RATE / 2)
            samples[i] = samples[i - COCHLEA_RATE / 2];
        else
            samples[i] *= (float)gain;
    }
    TextureSound *sound = texture_sound_create(ear, samples, n, NULL);
    assert_non_null(sound);
    return sound;
}

/* Two sounds, which are freed. */
static TextureDistance between(TextureSound *real, TextureSound *other)
{
    TextureDistance found;
    const TextureSound *const one = real, *const two = other;
    assert_int_equal(texture_distance(&one, 1, &two, 1, &found, NULL), 0);
    texture_sound_destroy(real);
    texture_sound_destroy(other);
    return found;
}

static void test_the_same_kind(void **state)
{
    (void)state;
    enum { REAL = 8, OTHER = 4 };
    TextureSound *real[REAL], *other[OTHER];
    TextureDistance found;
    for (size_t i = 0; i < REAL; i++)
        real[i] = noise(WHITE, 100 + i, 8.0, 0.1);
    for (size_t i = 0; i < OTHER; i++)
        other[i] = noise(WHITE, 200 + i, 8.0, 0.1);
    assert_int_equal(texture_distance((const TextureSound *const *)real, REAL,
                                      (const TextureSound *const *)other, OTHER, &found, NULL),
                     0);
    for (size_t f = 0; f < TEXTURE_FIGURES; f++) {
        check_near(found.ratio[f], 1.0, f == TEXTURE_TOTAL ? 0.1 : 0.2);
        check_near(found.bias[f] / found.bias_floor[f], 1.1, 0.4);
        check_near(found.spread[f], 1.0, 0.2);
    }
    check_near(found.window, 4.0, 1e-9);
    check_near(found.level, 0.0, 0.1);
    for (size_t i = 0; i < REAL; i++)
        texture_sound_destroy(real[i]);
    for (size_t i = 0; i < OTHER; i++)
        texture_sound_destroy(other[i]);
}

/* Level is told apart; nothing else depends on it. */
static void test_level(void **state)
{
    (void)state;
    const TextureDistance loud = between(noise(WHITE, 1, 20, 0.1), noise(DULL, 2, 10, 0.1));
    const TextureDistance soft = between(noise(WHITE, 1, 20, 0.1), noise(DULL, 2, 10, 0.001));
    check_near(soft.level - loud.level, -40.0, 0.01);
    for (size_t f = 0; f < TEXTURE_FIGURES; f++)
        check_near(soft.ratio[f] / loud.ratio[f], 1.0, 0.01);
}

/* A filter is heard in the spectrum, a beat in all that moves. */
static void test_other_kinds(void **state)
{
    (void)state;
    const TextureDistance dull = between(noise(WHITE, 1, 20, 0.1), noise(DULL, 2, 10, 0.1));
    assert_true(dull.ratio[TEXTURE_MEAN] > 5.0);
    check_near(dull.ratio[TEXTURE_VARIATION], 1.0, 0.2);
    check_near(dull.ratio[TEXTURE_CORRELATION], 1.0, 0.2);
    check_near(dull.ratio[TEXTURE_MODULATION], 1.0, 0.2);
    const TextureDistance beat = between(noise(WHITE, 1, 20, 0.1), noise(BEATING, 2, 10, 0.1));
    assert_true(beat.ratio[TEXTURE_VARIATION] > 5.0);
    assert_true(beat.ratio[TEXTURE_CORRELATION] > 5.0);
    assert_true(beat.ratio[TEXTURE_MODULATION] > 2.0);
    assert_true(beat.ratio[TEXTURE_TOTAL] > 5.0);
}

/* Sound that is too much the same: the spread tells. */
static void test_a_loop(void **state)
{
    (void)state;
    const TextureDistance found = between(noise(WHITE, 1, 20, 0.1), noise(LOOPED, 2, 10, 0.1));
    assert_true(found.spread[TEXTURE_TOTAL] < 0.5);
}

/* Several short sounds: the window is half of their median; the same figures each time. */
static void test_several(void **state)
{
    (void)state;
    TextureSound *real[10], *other[2];
    const TextureSound *const *const reals = (const TextureSound *const *)real;
    const TextureSound *const *const others = (const TextureSound *const *)other;
    TextureDistance found, again;
    for (size_t i = 0; i < 10; i++)
        real[i] = noise(WHITE, 10 + i, i ? 2.0 : 0.7, 0.1);
    for (size_t i = 0; i < 2; i++)
        other[i] = noise(WHITE, 30 + i, 3.0, 0.1);
    assert_int_equal(texture_distance(reals, 10, others, 2, &found, NULL), 0);
    assert_int_equal(texture_distance(reals, 10, others, 2, &again, NULL), 0);
    check_near(found.window, 1.0, 1e-9);
    check_near(found.ratio[TEXTURE_TOTAL], 1.0, 0.1);
    assert_memory_equal(found.ratio, again.ratio, sizeof found.ratio);
    for (size_t i = 0; i < 10; i++)
        texture_sound_destroy(real[i]);
    for (size_t i = 0; i < 2; i++)
        texture_sound_destroy(other[i]);
}

static void test_refused(void **state)
{
    (void)state;
    Error err = {""};
    TextureDistance found;
    memset(samples, 0, sizeof samples);
    assert_null(texture_sound_create(ear, samples, COCHLEA_RATE, &err));
    assert_non_null(strstr(err.message, "silent"));
    samples[0] = 0.5F;
    assert_null(texture_sound_create(ear, samples, COCHLEA_RATE / 2 - 1, &err));
    assert_non_null(strstr(err.message, "0.5 s"));
    TextureSound *brief = noise(WHITE, 1, 1.9, 0.1), *longer = noise(WHITE, 2, 2.1, 0.1);
    const TextureSound *const one = brief, *const two = longer, *const both[] = {brief, brief};
    assert_int_equal(texture_distance(&one, 1, &two, 1, &found, &err), -1);
    assert_non_null(strstr(err.message, "one real sound of 2 s"));
    assert_int_equal(texture_distance(&two, 1, &one, 1, &found, &err), 0);
    assert_int_equal(texture_distance(both, 2, &two, 1, &found, &err), 0);
    assert_int_equal(texture_distance(&two, 1, &one, 0, &found, &err), -1);
    texture_sound_destroy(brief);
    texture_sound_destroy(longer);
}

static int begin(void **state)
{
    (void)state;
    ear = texture_ear_create(NULL);
    return ear ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    texture_ear_destroy(ear);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_kind), cmocka_unit_test(test_level),
        cmocka_unit_test(test_other_kinds),   cmocka_unit_test(test_a_loop),
        cmocka_unit_test(test_several),       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, begin, end);
}
