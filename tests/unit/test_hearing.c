/* Hearing: what came in is there again, by frame, also when the history has gone round. */
#include "plugin/hearing.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 16000 };

/* Writes `seconds` of a ramp that says its frame's number (in steps of 1e-6), and takes it. */
static void hear(Hearing *hearing, double seconds, float left, float right)
{
    const uint64_t end = hearing_written(hearing) + (uint64_t)(seconds * RATE);
    while (hearing_written(hearing) < end) {
        float l[100], r[100];
        for (size_t i = 0; i < 100; i++) {
            const float value = 1e-6F * (float)(hearing_written(hearing) + i);
            l[i] = left * value;
            r[i] = right * value;
        }
        assert_true(hearing_write(hearing, l, r, 100));
        hearing_take(hearing);
    }
}

static void the_last_seconds_are_there(void **state)
{
    (void)state;
    Error err = {""};
    Hearing *hearing = hearing_create(RATE, &err);
    assert_non_null(hearing);
    float *sound;
    size_t n;
    assert_int_equal(hearing_prompt(hearing, 0, 0, RATE, &sound, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_null(sound);
    for (int k = 0; k < 3; k++) {
        hear(hearing, 9, 1, 1);
        const uint64_t end = hearing_written(hearing) - 1000;
        assert_int_equal(hearing_prompt(hearing, 0, end, RATE, &sound, &n, &err), 0);
        assert_int_equal(n, k == 0 ? 9 * RATE - 1000 : 12 * RATE);
        for (size_t i = 0; i < n; i += 97)
            assert_float_equal(sound[i], 1e-6F * (float)(end - n + i), 1e-7F);
        free(sound);
    }
    assert_int_equal(hearing_prompt(hearing, 0, UINT64_MAX, RATE / 2, &sound, &n, &err), 0);
    assert_int_equal(n, 6 * RATE);
    free(sound);
    const uint64_t since = hearing_written(hearing) - 100;
    assert_int_equal(hearing_prompt(hearing, since, UINT64_MAX, RATE, &sound, &n, &err), 0);
    assert_int_equal(n, 100);
    free(sound);
    hearing_destroy(hearing);
}

static void opposite_channels_are_heard(void **state)
{
    (void)state;
    Error err = {""};
    Hearing *hearing = hearing_create(RATE, &err);
    assert_non_null(hearing);
    hear(hearing, 1, -1, 1);
    float *sound;
    size_t n;
    assert_int_equal(hearing_prompt(hearing, 0, UINT64_MAX, RATE, &sound, &n, &err), 0);
    assert_int_equal(n, RATE);
    assert_true(fabsf(sound[n - 1]) > 0.015F);
    free(sound);
    hearing_destroy(hearing);
}

static void what_finds_no_room_is_not_counted(void **state)
{
    (void)state;
    Error err = {""};
    Hearing *hearing = hearing_create(RATE, &err);
    assert_non_null(hearing);
    static float x[1000];
    bool all = true;
    for (int i = 0; i < 1000 && all; i++)
        all = hearing_write(hearing, x, x, 1000);
    assert_false(all);
    const uint64_t written = hearing_written(hearing);
    assert_int_equal(hearing_room(hearing), 0);
    hearing_take(hearing);
    assert_true(hearing_write(hearing, x, x, 1000));
    assert_int_equal(hearing_written(hearing), written + 1000);
    hearing_destroy(hearing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_seconds_are_there),
        cmocka_unit_test(opposite_channels_are_heard),
        cmocka_unit_test(what_finds_no_room_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
