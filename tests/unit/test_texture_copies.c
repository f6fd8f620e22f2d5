/* dsp/texture_copies: copies are found at another level and between two frames, and nothing else
 * is. */
#include "dsp/texture_copies.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

enum { LENGTH = 10 * COCHLEA_RATE };

static float learnt_samples[LENGTH], samples[LENGTH];
static TextureEar *ear;
static TextureSound *learnt, *unheard;

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

/* The first `copied` samples are what was learnt from `from` on, softer; noise follows. */
static TextureSound *make(size_t from, size_t copied, size_t n)
{
    random_gaussian(3, 1, 0, samples, n);
    for (size_t i = 0; i < n; i++)
        samples[i] = i < copied ? 0.2F * learnt_samples[from + i] : 0.02F * samples[i];
    TextureSound *sound = texture_sound_create(ear, samples, n, NULL);
    assert_non_null(sound);
    return sound;
}

static TextureCopies look_for(TextureSound *made)
{
    TextureCopies found;
    const TextureSound *const one = made, *const in = learnt, *const measure = unheard;
    assert_int_equal(texture_copies(&one, 1, &in, 1, &measure, 1, &found, NULL), 0);
    texture_sound_destroy(made);
    return found;
}

static void test_new_sound(void **state)
{
    (void)state;
    const TextureCopies found = look_for(make(0, 0, LENGTH));
    check_near(found.ratio, 1.0, 0.03);
    assert_true(found.copied == 0.0);
}

/* 5 ms between two frames is as far from both as can be. */
static void test_copies(void **state)
{
    (void)state;
    const TextureCopies exact = look_for(make(20 * 320, LENGTH / 2, LENGTH / 2));
    assert_true(exact.ratio < 0.01 && exact.copied == 1.0);
    const TextureCopies between = look_for(make(20 * 320 + 160, LENGTH / 2, LENGTH / 2));
    assert_true(between.ratio < 0.5 && between.copied > 0.9);
}

static void test_half_copied(void **state)
{
    (void)state;
    const TextureCopies found = look_for(make(0, LENGTH / 2, LENGTH));
    check_near(found.copied, 0.5, 0.06);
}

/* Without unheard sound, what was learnt is held against the rest of itself. */
static void test_measured_by_itself(void **state)
{
    (void)state;
    TextureSound *made = make(0, 0, LENGTH);
    const TextureSound *const one = made, *const in = learnt;
    TextureCopies found;
    assert_int_equal(texture_copies(&one, 1, &in, 1, NULL, 0, &found, NULL), 0);
    check_near(found.ratio, 1.0, 0.05);
    texture_sound_destroy(made);
}

static void test_refused(void **state)
{
    (void)state;
    Error err = {""};
    TextureCopies found;
    TextureSound *brief = make(0, 0, COCHLEA_RATE / 2), *two = make(0, 0, 2 * COCHLEA_RATE);
    const TextureSound *const one = brief, *const in = learnt, *const other = two;
    assert_int_equal(texture_copies(&one, 1, &in, 1, NULL, 0, &found, &err), -1);
    assert_non_null(strstr(err.message, "too little sound"));
    assert_int_equal(texture_copies(&other, 1, &other, 1, NULL, 0, &found, &err), -1);
    assert_int_equal(texture_copies(&in, 1, &other, 1, &in, 1, &found, &err), 0);
    texture_sound_destroy(brief);
    texture_sound_destroy(two);
}

static int begin(void **state)
{
    (void)state;
    ear = texture_ear_create(NULL);
    random_gaussian(1, 1, 0, learnt_samples, LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        learnt_samples[i] *= 0.1F;
    random_gaussian(2, 1, 0, samples, LENGTH);
    learnt = texture_sound_create(ear, learnt_samples, LENGTH, NULL);
    unheard = texture_sound_create(ear, samples, LENGTH, NULL);
    return learnt && unheard ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    texture_sound_destroy(learnt);
    texture_sound_destroy(unheard);
    texture_ear_destroy(ear);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_sound), cmocka_unit_test(test_copies),
        cmocka_unit_test(test_half_copied), cmocka_unit_test(test_measured_by_itself),
        cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, begin, end);
}
