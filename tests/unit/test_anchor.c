/* models/anchor: sinusoids against their formula. */
#include "models/anchor.h"

#include "dsp/complex_float.h"
#include "models/melody_condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("got %.9g, want %.9g within %.3g", got, want, tolerance);
}

/* Pieces of 16 samples one after another are what the formula says, phase and all. */
static void test_formula(void **state)
{
    (void)state;
    const float ratio[3] = {1.0F, 2.01F, 40.0F}; /* the last is above half the rate */
    float complex from[3] = {0.1F, CMPLXF(0.0F, 0.2F), 0.5F}, to[3];
    float out[64] = {0.0F};
    double turns = 0.25;
    for (size_t piece = 0; piece < 4; piece++) {
        for (size_t p = 0; p < 3; p++)
            to[p] = from[p] + CMPLXF(0.02F, -0.01F);
        const AnchorPiece now = {.n = 16,
                                 .partials = 3,
                                 .ratio = ratio,
                                 .from = from,
                                 .to = to,
                                 .turns = turns,
                                 .hertz_from = 400.0F + 10.0F * (float)piece,
                                 .hertz_to = 410.0F + 10.0F * (float)piece};
        turns = anchor_add(&now, out + 16 * piece);
        memcpy(from, to, sizeof from);
    }
    for (size_t t = 0; t < 64; t++) {
        const double hertz = 400.0 + 10.0 * (double)t / 16.0;
        const double phase = 0.25 + 0.5 * (400.0 + hertz) * (double)t / MELODY_RATE;
        const double angle = 6.283185307179586 * phase, grown = (double)t / 16.0;
        const double want = (0.1 + 0.02 * grown) * cos(angle) + 0.01 * grown * sin(angle) +
                            0.02 * grown * cos(2.01 * angle) -
                            (0.2 - 0.01 * grown) * sin(2.01 * angle);
        check_near((double)out[t], want, 2e-5);
    }
    check_near(turns, 0.25 + 420.0 * 64.0 / MELODY_RATE, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formula)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
