/* Notes as categories: steps, lengths, octaves, and melodies of MIDI whose grid never drifts. */
#include "models/note_tokens.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void steps_rise_and_the_nearest_is_found(void **state)
{
    (void)state;
    for (unsigned s = 0; s < NOTE_STEPS; s++) {
        const int units = note_step_units(s);
        assert_true(units >= 1 && (s == 0 || units > note_step_units(s - 1)));
        assert_int_equal(note_step_nearest(units), s);
        assert_int_equal(note_step_nearest(units + 0.3), s);
    }
    assert_int_equal(note_step_units(note_step_nearest(12.5)), 12);
    assert_int_equal(note_step_units(note_step_nearest(13.1)), 14);
    assert_int_equal(note_step_units(note_step_nearest(-3.0)), 1);
    assert_int_equal(note_step_nearest(1e9), NOTE_STEPS - 1);
    /* What tunes are made of must be there. */
    const int musical[] = {2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 36, 48, 72, 96};
    for (size_t i = 0; i < sizeof musical / sizeof *musical; i++)
        assert_int_equal(note_step_units(note_step_nearest(musical[i])), musical[i]);
}

static void lengths_are_eighths_of_the_step(void **state)
{
    (void)state;
    assert_int_equal(note_length_category(1.0, 1.0), 7);
    assert_int_equal(note_length_category(0.5, 1.0), 3);
    assert_int_equal(note_length_category(0.01, 1.0), 0);
    assert_int_equal(note_length_category(3.0, 1.0), 7);
    for (unsigned l = 0; l < NOTE_LENGTHS; l++)
        assert_int_equal(note_length_category(0.4 * note_length_share(l), 0.4), l);
}

static void octaves_bring_the_median_into_range(void **state)
{
    (void)state;
    const double low[] = {40, 41, 90}, fits[] = {57, 57, 60, 80}, high[] = {100, 101, 102};
    assert_int_equal(note_octaves(low, 3), 24);
    assert_int_equal(note_octaves(fits, 4), 0);
    assert_int_equal(note_octaves(high, 3), -24);
    for (int pitch = 0; pitch < 128; pitch++) {
        const uint8_t category = note_pitch_category(pitch);
        assert_true(category < NOTE_PITCHES);
        assert_int_equal((category + NOTE_LOWEST) % 12, pitch % 12);
        if (pitch >= NOTE_LOWEST && pitch < NOTE_LOWEST + NOTE_PITCHES)
            assert_int_equal(category + NOTE_LOWEST, pitch);
    }
}

/* Ten notes 13/12 of a beat apart: 13 is no step, yet after ten the grid is where the notes are. */
static void rounding_is_given_back(void **state)
{
    (void)state;
    MidiNote notes[11] = {{0}};
    for (size_t i = 0; i < 11; i++)
        notes[i] = (MidiNote){.beat = 4.0 + (double)i * 13.0 / 12.0,
                              .beats = 13.0 / 24.0,
                              .pitch = (uint8_t)(30 + i)};
    const MidiMelody melody = {.notes = notes, .count = 11};
    NoteToken tokens[11];
    assert_int_equal(note_tokens_from_midi(&melody, tokens), 24);
    int place = 0;
    for (size_t i = 0; i < 11; i++) {
        assert_true(abs(place - (int)(13 * i)) <= 1);
        assert_int_equal(tokens[i].pitch, 30 + i + 24 - NOTE_LOWEST);
        assert_int_equal(tokens[i].length, i < 10 ? 3 : 7);
        place += note_step_units(tokens[i].step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_rise_and_the_nearest_is_found),
        cmocka_unit_test(lengths_are_eighths_of_the_step),
        cmocka_unit_test(octaves_bring_the_median_into_range),
        cmocka_unit_test(rounding_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
