/* plugin/atoms: well-formed sequences as LV2's own forge writes them, and sizes that lie. */
#include "plugin/atoms.h"

#include <lv2/atom/forge.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { ROOM = 512, KEY_A = 21, KEY_B = 22 };

typedef union Buffer {
    LV2_Atom_Sequence sequence;
    uint8_t bytes[ROOM];
} Buffer;

/* Another number for another URI of the few here: a hash (FNV-1a). */
static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    LV2_URID hash = 2166136261u;
    (void)handle;
    for (; *uri; uri++)
        hash = (hash ^ (unsigned char)*uri) * 16777619u;
    return hash;
}

static LV2_URID_Map map = {NULL, map_uri};

/* Events at these frames, each an int of that value. */
static void fill(Buffer *buffer, const int *frames, size_t count)
{
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame frame;
    memset(buffer, 0, sizeof *buffer);
    lv2_atom_forge_init(&forge, &map);
    lv2_atom_forge_set_buffer(&forge, buffer->bytes, sizeof *buffer);
    lv2_atom_forge_sequence_head(&forge, &frame, 0);
    for (size_t i = 0; i < count; i++) {
        lv2_atom_forge_frame_time(&forge, frames[i]);
        lv2_atom_forge_int(&forge, frames[i]);
    }
    lv2_atom_forge_pop(&forge, &frame);
}

static void test_two_sequences_are_taken_in_order(void **state)
{
    (void)state;
    Buffer a, b;
    fill(&a, (int[]){1, 5, 9}, 3);
    fill(&b, (int[]){0, 5, 20}, 3);
    Events first = events_of(&a.sequence), second = events_of(&b.sequence);
    const int expected[] = {0, 1, 5, 5, 9, 20};
    for (size_t i = 0; i < 6; i++) {
        const LV2_Atom_Event *event = events_take(&first, &second);
        assert_non_null(event);
        assert_int_equal(event->time.frames, expected[i]);
        assert_int_equal(((const LV2_Atom_Int *)&event->body)->body, expected[i]);
        /* At the same frame the first sequence's comes first. */
        const uint8_t *at = (const uint8_t *)event, *from = i == 2 ? a.bytes : b.bytes;
        if (i == 2 || i == 3)
            assert_true(at > from && at < from + ROOM);
    }
    assert_null(events_take(&first, &second));
    Events none = events_of(NULL);
    assert_null(events_take(&none, &none));
}

/* A copy that ends where the sequence says it does: a sanitizer sees what reads beyond. */
static LV2_Atom_Sequence *exact(const Buffer *buffer, uint32_t size)
{
    LV2_Atom_Sequence *copy = malloc(sizeof(LV2_Atom) + size);
    assert_non_null(copy);
    memcpy(copy, buffer, sizeof(LV2_Atom) + size);
    copy->atom.size = size;
    return copy;
}

static size_t count_events(const LV2_Atom_Sequence *sequence)
{
    Events events = events_of(sequence), none = events_of(NULL);
    size_t count = 0;
    while (events_take(&events, &none))
        count++;
    return count;
}

static void test_sequence_that_is_cut_ends_before_the_cut(void **state)
{
    (void)state;
    Buffer buffer;
    fill(&buffer, (int[]){1, 2}, 2);
    const uint32_t whole = buffer.sequence.atom.size; /* 8, and 24 an event */
    assert_int_equal(whole, 56);
    for (uint32_t size = 0; size <= whole; size++) {
        LV2_Atom_Sequence *copy = exact(&buffer, size);
        /* An event needs its head and its body, not the padding after it. */
        assert_int_equal(count_events(copy), size >= 52 ? 2 : size >= 28 ? 1 : 0);
        free(copy);
    }
}

static void test_event_larger_than_its_sequence_is_none(void **state)
{
    (void)state;
    Buffer buffer;
    for (uint64_t size = 5; size <= UINT32_MAX; size = 2 * size + 1) {
        fill(&buffer, (int[]){1, 2}, 2);
        LV2_Atom_Event *last = (LV2_Atom_Event *)(buffer.bytes + 16 + 24);
        last->body.size = (uint32_t)size;
        LV2_Atom_Sequence *copy = exact(&buffer, buffer.sequence.atom.size);
        assert_int_equal(count_events(copy), size <= 8 ? 2 : 1);
        free(copy);
    }
}

static void test_value_of_an_object(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, ROOM); /* of no declared type */
    assert_non_null(bytes);
    LV2_Atom_Forge forge;
    LV2_Atom_Forge_Frame frame;
    lv2_atom_forge_init(&forge, &map);
    lv2_atom_forge_set_buffer(&forge, bytes, ROOM);
    lv2_atom_forge_object(&forge, &frame, 0, 1);
    lv2_atom_forge_key(&forge, KEY_A);
    lv2_atom_forge_int(&forge, 77);
    lv2_atom_forge_key(&forge, KEY_B);
    lv2_atom_forge_urid(&forge, 99);
    lv2_atom_forge_pop(&forge, &frame);
    LV2_Atom_Object *object = (LV2_Atom_Object *)bytes;
    const LV2_Atom *a = atoms_value(object, KEY_A), *b = atoms_value(object, KEY_B);
    assert_non_null(a);
    assert_int_equal(((const LV2_Atom_Int *)a)->body, 77);
    assert_int_equal(atoms_urid(b, forge.URID), 99);
    assert_int_equal(atoms_urid(a, forge.URID), 0);
    assert_int_equal(atoms_urid(NULL, forge.URID), 0);
    assert_null(atoms_value(object, KEY_A + KEY_B));
    /* Too short for a URID, and a value that runs out of the object. */
    ((LV2_Atom *)(uintptr_t)b)->size = 3;
    assert_int_equal(atoms_urid(b, forge.URID), 0);
    ((LV2_Atom *)(uintptr_t)a)->size = 4096;
    assert_null(atoms_value(object, KEY_A));
    assert_null(atoms_value(object, KEY_B));
    object->atom.size = sizeof object->body - 1;
    assert_null(atoms_value(object, KEY_A));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_sequences_are_taken_in_order),
        cmocka_unit_test(test_sequence_that_is_cut_ends_before_the_cut),
        cmocka_unit_test(test_event_larger_than_its_sequence_is_none),
        cmocka_unit_test(test_value_of_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
