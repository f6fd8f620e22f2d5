/* dsp/pages: zeroed memory of any size, given back. */
#include "dsp/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdint.h>
#include <string.h>

static void test_sizes(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 4096, (2U << 20) - 1, 2U << 20, (2U << 20) + 1, 5000001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int round = 0; round < 3; round++) {
            unsigned char *memory = pages_alloc(sizes[i], 3);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % 16, 0);
            for (size_t at = 0; at < 3 * sizes[i]; at++)
                assert_int_equal(memory[at], 0);
            memset(memory, 0xff, 3 * sizes[i]);
            pages_free(memory, sizes[i], 3);
        }
}

static void test_too_much(void **state)
{
    (void)state;
    const volatile size_t most = SIZE_MAX;
    assert_null(pages_alloc(most / 2, 3));
    assert_null(pages_alloc(most - 4096, 1));
    pages_free(NULL, 1, 1);
    pages_free(NULL, 3U << 20, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
