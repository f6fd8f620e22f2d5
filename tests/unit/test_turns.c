/* Cosine and sine of turns against the library's, over all quarters and many turns. */
#include "dsp/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdint.h>

static const double TURN = 6.283185307179586;

static void phasors_are_those_of_the_library(void **state)
{
    (void)state;
    for (int i = -80000; i <= 80000; i++) {
        const float turns = (float)i / 160000.0f;
        float cosine, sine;
        turns_phasor(turns, &cosine, &sine);
        const double off_c = (double)cosine - cos(TURN * (double)turns);
        const double off_s = (double)sine - sin(TURN * (double)turns);
        if (!(fabs(off_c) < 2e-7 && fabs(off_s) < 2e-7))
            fail_msg("%g turns: %g, %g off", (double)turns, off_c, off_s);
    }
}

static void whole_turns_are_left_out(void **state)
{
    (void)state;
    const double turns[] = {0.0, 0.25, -0.25, 7.125, -7.125, 1e6 + 0.375, -1e9 - 0.375, 12345.0};
    const float left[] = {0.0f, 0.25f, -0.25f, 0.125f, -0.125f, 0.375f, -0.375f, 0.0f};
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        assert_true(turns_left(turns[i]) == left[i]);
    for (int i = 0; i < 1000; i++)
        assert_true(fabsf(turns_left(1.3717 * i)) <= 0.5f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phasors_are_those_of_the_library),
        cmocka_unit_test(whole_turns_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
