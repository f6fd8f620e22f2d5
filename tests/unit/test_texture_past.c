/* The past in outline: which frames each stretch holds, and that a history kept frame by frame says
 * the same as all frames at once. */
#include "models/texture_past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BANDS = 64, GROUPS = TEXTURE_PAST_GROUPS, VALUES = TEXTURE_PAST_VALUES };

/* Frame f holds f / 1000 in every band. */
static float *ramp(size_t n)
{
    float *frames = malloc((n ? n : 1) * BANDS * sizeof *frames);
    assert_non_null(frames);
    for (size_t i = 0; i < n * BANDS; i++)
        frames[i] = (float)(i / BANDS) / 1000.0f;
    return frames;
}

static void tell(size_t n, float *past)
{
    float *frames = ramp(n);
    TextureHistory *history = calloc(1, sizeof *history);
    assert_non_null(history);
    texture_history_tell(history, frames, n, BANDS, past);
    free(history);
    free(frames);
}

static void nothing_is_all_zero(void **state)
{
    (void)state;
    float past[VALUES];
    tell(0, past);
    for (size_t i = 0; i < VALUES; i++)
        assert_true(past[i] == 0.0f);
}

static void groups_widen_and_hold_every_band(void **state)
{
    (void)state;
    float frame[BANDS] = {0}, outline[GROUPS];
    for (size_t b = 0; b < BANDS; b++) {
        memset(frame, 0, sizeof frame);
        frame[b] = 1.0f;
        texture_past_outline(frame, BANDS, outline);
        size_t group = 0;
        while ((group + 1) * (group + 1) <= b)
            group++;
        for (size_t g = 0; g < GROUPS; g++)
            assert_true(fabsf(outline[g] - (g == group ? 1.0f / (float)(2 * g + 1) : 0.0f)) <
                        1e-6f);
    }
}

/* Stretches count back from the window, and say how much of them there is. */
static void stretches_hold_their_frames(void **state)
{
    (void)state;
    float past[VALUES];
    tell(100, past);
    assert_true(fabsf(past[0] - (36.0f + 99.0f) / 2000.0f) < 1e-5f);
    assert_true(past[GROUPS] == 1.0f);
    assert_true(fabsf(past[GROUPS + 1] - 35.0f / 2000.0f) < 1e-5f);
    assert_true(fabsf(past[2 * GROUPS + 1] - 36.0f / 64.0f) < 1e-6f);
    for (size_t i = 2 * (GROUPS + 1); i < VALUES; i++)
        assert_true(past[i] == 0.0f);

    const size_t n = TEXTURE_PAST_FRAMES + 500;
    tell(n, past);
    const float *last = past + 15 * (GROUPS + 1);
    assert_true(fabsf(last[0] - (500.0f + 755.0f) / 2000.0f) < 1e-3f);
    assert_true(last[GROUPS] == 1.0f);
}

static void a_history_says_what_its_frames_say(void **state)
{
    (void)state;
    const size_t n = TEXTURE_PAST_FRAMES + 300;
    float *frames = ramp(n), whole[VALUES], piecewise[VALUES];
    TextureHistory *history = calloc(1, sizeof *history);
    assert_non_null(history);
    size_t done = 0;
    while (done + 16 < n - 40) {
        texture_history_add(history, frames + done * BANDS, 16, BANDS);
        done += 16;
    }
    texture_history_tell(history, frames + done * BANDS, n - done, BANDS, piecewise);
    tell(n, whole);
    assert_memory_equal(piecewise, whole, sizeof whole);
    free(history);
    free(frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_all_zero),
        cmocka_unit_test(groups_widen_and_hold_every_band),
        cmocka_unit_test(stretches_hold_their_frames),
        cmocka_unit_test(a_history_says_what_its_frames_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
