/* The backward period on tones whose period is known. */
#include "dsp/lag.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

static void periods_of_tones_are_found(void **state)
{
    (void)state;
    static const float periods[] = {9.3f, 20.0f, 36.4f, 100.5f, 211.0f, 401.7f};
    for (size_t p = 0; p < sizeof periods / sizeof *periods; p++) {
        static Lag lag;
        memset(&lag, 0, sizeof lag);
        for (int t = 0; t < 4096; t++) {
            const float turn = 6.2831853f * (float)t / periods[p];
            lag_push(&lag, 0.1f * cosf(turn) + 0.08f * cosf(2.0f * turn + 1.0f));
        }
        if (fabsf(lag.period - periods[p]) > 0.02f * periods[p])
            fail_msg("period %g: found %g", (double)periods[p], (double)lag.period);
        assert_true(lag.confidence > 0.95f && lag.confidence <= 1.0f);
    }
}

static void noise_and_silence_have_none(void **state)
{
    (void)state;
    static Lag lag;
    static float noise[4096];
    memset(&lag, 0, sizeof lag);
    for (int t = 0; t < 4096; t++)
        lag_push(&lag, 0.0f);
    assert_true(lag.period == 0.0f);
    random_gaussian(4, 1, 0, noise, 4096);
    for (int t = 0; t < 4096; t++)
        lag_push(&lag, noise[t]);
    assert_true(lag.period == 0.0f && lag.confidence == 0.0f);
    lag_push(&lag, NAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(periods_of_tones_are_found),
        cmocka_unit_test(noise_and_silence_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
