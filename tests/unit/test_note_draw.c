/* Draws from categories: frequencies, temperature, top-p, greedy, barred categories. */
#include "models/note_draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { CLASSES = 5, DRAWS = 20000 };

/* The shares of equally spaced uniforms are the distribution itself, to within one draw each. */
static void expect(const float *logits, double temperature, double top_p, const double *shares)
{
    size_t counts[CLASSES] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        const double uniform = ((double)i + 0.5) / DRAWS;
        const size_t drawn = category_draw(CLASSES, logits, temperature, top_p, uniform);
        assert_true(drawn < CLASSES);
        counts[drawn]++;
    }
    for (size_t c = 0; c < CLASSES; c++)
        if (fabs((double)counts[c] / DRAWS - shares[c]) > 2.0 / DRAWS)
            fail_msg("category %zu: %zu of %d, not %g", c, counts[c], DRAWS, shares[c]);
}

static float log_of(double p)
{
    return (float)log(p);
}

static void shares_follow_the_softmax(void **state)
{
    (void)state;
    const float logits[CLASSES] = {log_of(0.1), log_of(0.4), log_of(0.2), log_of(0.25),
                                   log_of(0.05)};
    const double plain[CLASSES] = {0.1, 0.4, 0.2, 0.25, 0.05};
    expect(logits, 1.0, 1.0, plain);
    /* Temperature 1/2 squares. */
    const double sum = 0.01 + 0.16 + 0.04 + 0.0625 + 0.0025;
    const double cold[CLASSES] = {0.01 / sum, 0.16 / sum, 0.04 / sum, 0.0625 / sum, 0.0025 / sum};
    expect(logits, 0.5, 1.0, cold);
    /* .4 + .25 < .7 <= .4 + .25 + .2 */
    const double cut[CLASSES] = {0.0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0.0};
    expect(logits, 1.0, 0.7, cut);
    const double greedy[CLASSES] = {0.0, 1.0, 0.0, 0.0, 0.0};
    expect(logits, 0.0, 1.0, greedy);
    expect(logits, 1.0, 0.0, greedy);
}

static void barred_categories_are_not_drawn(void **state)
{
    (void)state;
    const float logits[CLASSES] = {-INFINITY, 1e4f, -INFINITY, 1e4f, -1e4f};
    const double shares[CLASSES] = {0.0, 0.5, 0.0, 0.5, 0.0};
    expect(logits, 1.0, 1.0, shares);
    const double first[CLASSES] = {0.0, 1.0, 0.0, 0.0, 0.0};
    expect(logits, 0.0, 1.0, first);
    const float none[2] = {-INFINITY, -INFINITY};
    assert_int_equal(category_draw(2, none, 1.0, 1.0, 0.5), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_the_softmax),
        cmocka_unit_test(barred_categories_are_not_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
