/* The key that was heard: scales lean on their own notes, in every transposition. */
#include "models/note_key.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int MAJOR[7] = {0, 2, 4, 5, 7, 9, 11};

/* From five notes of a major scale (the fourth and the seventh were not heard) all seven are
 * likelier than the other five; and transposing what is heard transposes the leaning. */
static void unheard_notes_of_the_key_are_likelier(void **state)
{
    (void)state;
    double first[NOTE_CLASSES];
    for (int tonic = 0; tonic < 12; tonic++) {
        double heard[NOTE_CLASSES] = {0.0}, leaning[NOTE_CLASSES];
        const int notes[] = {0, 4, 7, 2, 0, 4, 7, 9, 4, 2, 0, 7, 7, 4, 0};
        for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
            heard[(notes[i] + tonic) % 12]++;
        note_key_leaning(heard, leaning);
        double least = 0.0, most_outside = -10.0;
        for (int c = 0; c < 12; c++) {
            int inside = 0;
            for (int i = 0; i < 7; i++)
                inside = inside || (MAJOR[i] + tonic) % 12 == c;
            if (inside)
                least = fmin(least, leaning[c]);
            else
                most_outside = fmax(most_outside, leaning[c]);
            if (tonic == 0)
                first[c] = leaning[c];
            assert_true(fabs(leaning[(c + tonic) % 12] - first[c]) < 1e-12 || tonic == 0);
            assert_true(leaning[c] <= 0.0);
        }
        assert_true(least > most_outside + 0.7);
    }
}

/* A note outside of the key that is heard again and again is welcome. */
static void what_is_heard_counts(void **state)
{
    (void)state;
    double heard[NOTE_CLASSES] = {6, 0, 5, 0, 6, 3, 0, 7, 0, 4, 4, 0}, leaning[NOTE_CLASSES];
    note_key_leaning(heard, leaning);
    assert_true(leaning[10] > leaning[11] && leaning[10] > leaning[3] + 1.0);
}

static void nothing_heard_leans_nowhere(void **state)
{
    (void)state;
    const double heard[NOTE_CLASSES] = {0.0};
    double leaning[NOTE_CLASSES];
    note_key_leaning(heard, leaning);
    for (int c = 0; c < NOTE_CLASSES; c++)
        assert_true(leaning[c] == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unheard_notes_of_the_key_are_likelier),
        cmocka_unit_test(what_is_heard_counts),
        cmocka_unit_test(nothing_heard_leans_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
