/* Packing: what goes in comes out; what is cut off, not finite or out of range is refused. */
#include "dsp/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void test_there_and_back(void **state)
{
    (void)state;
    const float floats[] = {0.0f, -0.0f, 1e-42f, -3.5f, 4.0f};
    float read[5];
    char text[4];
    Packer packer = {0};
    pack_whole(&packer, UINT64_MAX);
    pack_whole(&packer, 0x0102030405060708U);
    pack_real(&packer, -0.1);
    pack_floats(&packer, floats, 5);
    pack_bytes(&packer, "abc", 4);
    pack_bytes(&packer, NULL, 0);
    assert_false(packer.failed);
    assert_int_equal(packer.size, 3 * 8 + 5 * 4 + 4);
    assert_int_equal(packer.bytes[8], 8); /* little-endian */
    assert_int_equal(packer.bytes[15], 1);
    Unpacker unpacker = {packer.bytes, packer.size, false};
    assert_true(unpack_whole(&unpacker, UINT64_MAX) == UINT64_MAX);
    assert_true(unpack_whole(&unpacker, 0x0102030405060708U) == 0x0102030405060708U);
    assert_true(unpack_real(&unpacker) == -0.1);
    unpack_floats(&unpacker, read, 5, 4.0f);
    assert_memory_equal(read, floats, sizeof floats);
    unpack_bytes(&unpacker, text, 4);
    assert_string_equal(text, "abc");
    assert_false(unpacker.failed);
    assert_true(unpacker.left == 0);
    unpack_bytes(&unpacker, text, 0);
    assert_false(unpacker.failed);
    unpack_bytes(&unpacker, text, 1);
    assert_true(unpacker.failed);
    free(packer.bytes);
}

/* One number that is refused: and all after it. */
static void refuse_float(float number, float most)
{
    float read = 5.0f;
    Packer packer = {0};
    pack_floats(&packer, &number, 1);
    pack_whole(&packer, 1);
    Unpacker unpacker = {packer.bytes, packer.size, false};
    unpack_floats(&unpacker, &read, 1, most);
    assert_true(unpacker.failed && read == 0.0f);
    assert_true(unpack_whole(&unpacker, 10) == 0);
    free(packer.bytes);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse_float(NAN, 1e30f);
    refuse_float(-INFINITY, 1e30f);
    refuse_float(1.0001f, 1.0f);
    Packer packer = {0};
    pack_whole(&packer, 11);
    pack_real(&packer, INFINITY);
    Unpacker unpacker = {packer.bytes, packer.size, false};
    assert_true(unpack_whole(&unpacker, 10) == 0);
    assert_true(unpacker.failed);
    unpacker = (Unpacker){packer.bytes + 8, 8, false};
    assert_true(unpack_real(&unpacker) == 0.0);
    assert_true(unpacker.failed);
    /* Cut off. */
    for (size_t size = 0; size < 8; size++) {
        float read[2] = {1.0f, 1.0f};
        unpacker = (Unpacker){packer.bytes, size, false};
        unpack_floats(&unpacker, read, 2, 1.0f);
        assert_true(unpacker.failed && read[0] == 0.0f && read[1] == 0.0f);
    }
    free(packer.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
