/* The delay of what passes: exact to the frame, and no click when it changes. */
#include "plugin/delay.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 8000, FADE = RATE / 20 + 1, PIECE = 100 };

/* Frame k of a slow sine, 0.5 at the most. */
static float frame(int64_t k)
{
    return k < 0 ? 0.0F : 0.5F * sinf(0.01F * (float)(k % 62832));
}

/* Runs PIECE frames from number *at on. */
static void run(Delay *delay, uint64_t by, int64_t *at, float *left)
{
    float right[PIECE];
    for (int i = 0; i < PIECE; i++) {
        left[i] = frame(*at + i);
        right[i] = -left[i];
    }
    delay_run(delay, by, left, right, PIECE);
    for (int i = 0; i < PIECE; i++)
        assert_true(right[i] == -left[i]);
    *at += PIECE;
}

static void delays_are_exact(void **state)
{
    (void)state;
    const uint64_t delays[] = {0, 1, 999, 4 * RATE};
    Delay *delay = delay_create(RATE, NULL);
    assert_non_null(delay);
    for (size_t k = 0; k < 4; k++) {
        int64_t at = 0;
        float left[PIECE];
        delay_reset(delay);
        while (at < 10 * RATE) {
            run(delay, delays[k], &at, left);
            for (int i = 0; i < PIECE; i++)
                assert_true(left[i] == frame(at - PIECE + i - (int64_t)delays[k]));
        }
    }
    delay_destroy(delay);
    delay_destroy(NULL);
}

static void changes_do_not_click(void **state)
{
    (void)state;
    Delay *delay = delay_create(RATE, NULL);
    assert_non_null(delay);
    int64_t at = 0;
    float left[PIECE], last = 0.0F;
    while (at < 20 * RATE) {
        const uint64_t by = at / 3000 % 2 ? 777 : 0;
        run(delay, by, &at, left);
        for (int i = 0; i < PIECE; i++) {
            /* A sine's step, twice at the most, and a fade's. */
            assert_true(fabsf(left[i] - last) < 2 * 0.0051F + 1.6F / FADE);
            last = left[i];
        }
        if ((at - PIECE) % 3000 > FADE)
            assert_true(last == frame(at - 1 - (int64_t)by));
    }
    delay_destroy(delay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_are_exact),
        cmocka_unit_test(changes_do_not_click),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
