/* dsp/sine: against libm, in double. */
#include "dsp/sine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

static void check(float angle, double tolerance)
{
    float sine, cosine;
    sine_cosine(angle, &sine, &cosine);
    assert_true(fabs((double)sine - sin((double)angle)) <= tolerance);
    assert_true(fabs((double)cosine - cos((double)angle)) <= tolerance);
}

static void test_near_and_far(void **state)
{
    (void)state;
    for (int i = -200000; i <= 200000; i++) {
        check((float)i * 0.005F, 2e-7);
        check((float)i * 0.5F, 1e-5);
    }
}

/* Right angles and what lies about them. */
static void test_right_angles(void **state)
{
    (void)state;
    for (int quarter = -600; quarter <= 600; quarter++) {
        const float angle = (float)quarter * 1.57079633F;
        check(angle, 2e-7);
        check(nextafterf(angle, 2e3F), 2e-7);
        check((float)quarter * 0.785398163F, 2e-7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_and_far),
        cmocka_unit_test(test_right_angles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
