/* What is no music any more is noticed, and what is music is not. */
#include "models/note_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Adds `count` notes of a pattern of `period` notes; other patterns for other `kind`s. */
static void add(NoteHistory *history, size_t count, size_t period, size_t kind)
{
    for (size_t i = 0; i < count; i++) {
        const size_t at = i % period;
        note_history_add(
            history, (NoteToken){(uint8_t)(20 + (at * at + kind) % 23), (uint8_t)(5 + at % 3), 7});
    }
}

static void the_newest_notes_are_kept(void **state)
{
    (void)state;
    NoteHistory history = {0};
    for (size_t i = 0; i < 600; i++)
        note_history_add(&history, (NoteToken){(uint8_t)(i % 61), 0, 0});
    assert_int_equal(history.count, 600);
    for (size_t back = 1; back <= NOTE_RECENT; back++)
        assert_int_equal(note_history_before(&history, back)->pitch, (600 - back) % 61);
}

static void seven_alike_are_stuck(void **state)
{
    (void)state;
    NoteHistory history = {0};
    for (size_t i = 0; i < 6; i++) {
        assert_false(note_history_is_stuck(&history, 30));
        note_history_add(&history, (NoteToken){30, (uint8_t)i, 0});
    }
    assert_true(note_history_is_stuck(&history, 30));
    assert_false(note_history_is_stuck(&history, 31));
}

/* Three times over, or four times where it is long, and going on; but not a change of a step. */
static void loops_are_found(void **state)
{
    (void)state;
    const size_t periods[] = {2, 5, 16, 17, 48};
    for (size_t p = 0; p < 5; p++) {
        const size_t period = periods[p], times = period <= 16 ? 3 : 4;
        NoteHistory history = {0};
        add(&history, 60, 59, 5);
        add(&history, period * times - 1, period, 9);
        const size_t last = period - 1;
        const uint8_t pitch = (uint8_t)(20 + (last * last + 9) % 23);
        assert_false(note_history_is_loop(&history, pitch));
        note_history_add(&history, (NoteToken){pitch, (uint8_t)(5 + last % 3), 7});
        const uint8_t first = 20 + 9;
        assert_true(note_history_is_loop(&history, first));
        assert_false(note_history_is_loop(&history, 60));
        history.recent[(history.count - 1) % NOTE_RECENT].step++;
        assert_false(note_history_is_loop(&history, first));
    }
    NoteHistory tune = {0};
    add(&tune, 200, 53, 1);
    for (size_t pitch = 0; pitch < NOTE_PITCHES; pitch++)
        assert_false(note_history_is_loop(&tune, pitch));
}

static void four_pitches_are_narrow(void **state)
{
    (void)state;
    NoteHistory history = {0};
    for (size_t i = 0; i < 48; i++) {
        assert_false(note_history_is_narrow(&history));
        note_history_add(&history, (NoteToken){(uint8_t)(i % 4 * 20), 0, 0});
    }
    assert_true(note_history_is_narrow(&history));
    note_history_add(&history, (NoteToken){33, 0, 0});
    assert_false(note_history_is_narrow(&history));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_notes_are_kept),
        cmocka_unit_test(seven_alike_are_stuck),
        cmocka_unit_test(loops_are_found),
        cmocka_unit_test(four_pitches_are_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
