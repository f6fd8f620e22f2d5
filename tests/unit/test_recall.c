/* Recall finds what was heard before, however long ago its memory reaches. */
#include "dsp/recall.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

enum { PHRASE = 2500 };

/* Pushes noise number first.. of the stream; counts how often the match is right after the first
 * RECALL_HOP + RECALL_TEMPLATE values. */
static int push(Recall *recall, uint64_t first, size_t n)
{
    float *noise = malloc(n * sizeof *noise), around[2 * RECALL_REACH + 1];
    int right = 0;
    assert_non_null(noise);
    random_gaussian(5, 1, first, noise, n);
    for (size_t i = 0; i < n; i++) {
        const float likeness = recall_around(recall, around);
        assert_true(likeness >= 0.0f && likeness <= 1.0f);
        if (i >= RECALL_HOP + RECALL_TEMPLATE && i + RECALL_REACH < n)
            right += likeness > 0.9f && around[RECALL_REACH] == noise[i] &&
                     around[RECALL_REACH + 5] == noise[i + 5] &&
                     around[RECALL_REACH - 5] == noise[i - 5];
        recall_push(recall, noise[i]);
    }
    free(noise);
    return right;
}

static void phrases_are_found_again(void **state)
{
    (void)state;
    static const size_t between[] = {0, 3000, 5000, 50001, RECALL_HISTORY - PHRASE - 4096};
    Recall *recall = recall_create(NULL);
    assert_non_null(recall);
    for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
        recall_reset(recall);
        push(recall, 777777777, 1000 + 313 * i);
        assert_int_equal(push(recall, 0, PHRASE), 0);
        push(recall, 1000000, between[i]);
        const int wanted = PHRASE - RECALL_HOP - RECALL_TEMPLATE - RECALL_REACH;
        const int right = push(recall, 0, PHRASE);
        if (right < wanted)
            fail_msg("%zu samples between: right %d times of %d", between[i], right, wanted);
    }
    recall_destroy(recall);
}

static void what_is_too_old_is_forgotten(void **state)
{
    (void)state;
    Recall *recall = recall_create(NULL);
    push(recall, 0, PHRASE);
    push(recall, 1000000, RECALL_HISTORY + 4096);
    assert_int_equal(push(recall, 0, PHRASE), 0);
    recall_push(recall, NAN);
    recall_destroy(recall);
    recall_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_are_found_again),
        cmocka_unit_test(what_is_too_old_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
