/* The beat of played notes: rhythms of known steps, with the slips of players, at many tempi. */
#include "models/note_beat.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { NOTES = 40 };

/* Jigs and reels in twelfths: quavers, crotchets, a dotted figure. */
static const int RHYTHMS[2][10] = {{6, 6, 6, 12, 6, 6, 6, 6, 18, 18},
                                   {9, 3, 6, 6, 12, 6, 6, 12, 3, 9}};

static float draw(unsigned long *state)
{
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return (float)(*state >> 40) / 8388608.0f - 1.0f;
}

/* Plays a rhythm at `beat` seconds; onsets off by up to `slip` seconds; `drift` is what a beat
 * grows by over all of it. */
static void play(const int *rhythm, double beat, double drift, double slip, NoteHeard *heard)
{
    unsigned long seed = 3;
    double at = 1.0;
    for (size_t i = 0; i < NOTES; i++) {
        const double now = beat * (1.0 + drift * (double)i / NOTES);
        heard[i] = (NoteHeard){at + slip * (double)draw(&seed), 0.1, 60.0};
        at += rhythm[i % 10] * now / NOTE_GRID;
    }
}

static bool is_multiple(double found, double beat)
{
    const double ratios[] = {0.5, 1.0, 1.5, 2.0, 2.0 / 3.0};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
        if (fabs(found / beat / ratios[i] - 1.0) < 0.01)
            return true;
    return false;
}

/* The beat itself is among the ideas; the first of them is it, or a simple multiple; no two ideas
 * are alike; and on the true beat the steps are those that were played. */
static void beats_are_found_at_all_tempi(void **state)
{
    (void)state;
    for (int r = 0; r < 2; r++)
        for (double tempo = 60.0; tempo < 200.0; tempo *= 1.17) {
            NoteHeard heard[NOTES];
            NoteBeat beats[NOTE_BEATS];
            const double beat = 60.0 / tempo;
            play(RHYTHMS[r], beat, 0.0, 0.01, heard);
            const size_t ideas = note_beats_find(heard, NOTES, beats);
            bool there = false;
            for (size_t i = 0; i < ideas; i++) {
                there = there || fabs(beats[i].seconds / beat - 1.0) < 0.01;
                for (size_t j = 0; j < i; j++)
                    assert_true(fabs(log(beats[i].seconds / beats[j].seconds)) >= 0.02);
                if (i)
                    assert_true(beats[i].misfit + beats[i].rarity >=
                                beats[i - 1].misfit + beats[i - 1].rarity);
            }
            if (!there || !is_multiple(beats[0].seconds, beat))
                fail_msg("rhythm %d at %g s: first %g s, there: %d", r, beat, beats[0].seconds,
                         there);
            uint8_t steps[NOTES];
            double late;
            note_steps_fit(heard, NOTES, beat, steps, &late);
            for (size_t i = 0; i + 1 < NOTES; i++)
                assert_int_equal(note_step_units(steps[i]), RHYTHMS[r][i % 10]);
            assert_true(fabs(late) < 0.025);
        }
}

static void the_grid_follows_a_change_of_tempo(void **state)
{
    (void)state;
    NoteHeard heard[NOTES];
    uint8_t steps[NOTES];
    play(RHYTHMS[0], 0.5, 0.06, 0.005, heard);
    const NoteBeat last = note_steps_fit(heard, NOTES, 0.5, steps, NULL);
    assert_true(fabs(last.seconds - 0.53) < 0.006);
    for (size_t i = 0; i + 1 < NOTES; i++)
        assert_int_equal(note_step_units(steps[i]), RHYTHMS[0][i % 10]);
}

static void few_notes_have_no_beat(void **state)
{
    (void)state;
    NoteHeard heard[3] = {{0.0, 0.1, 60}, {0.5, 0.1, 60}, {1.0, 0.1, 60}};
    NoteBeat beats[NOTE_BEATS];
    assert_int_equal(note_beats_find(heard, 0, beats), 0);
    assert_int_equal(note_beats_find(heard, 2, beats), 0);
    assert_true(note_beats_find(heard, 3, beats) > 0);
    uint8_t steps[1];
    double late = 1.0;
    note_steps_fit(heard, 1, 0.5, steps, &late);
    assert_true(late == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beats_are_found_at_all_tempi),
        cmocka_unit_test(the_grid_follows_a_change_of_tempo),
        cmocka_unit_test(few_notes_have_no_beat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
