/* dsp/notes (with onsets, note_runs, note_pitch, pulse): a tune whose notes are known; what is no
 * melody; bad input. */
#include "dsp/notes.h"

#include "dsp/random.h"
#include "tests/unit/melody_tones.h"

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

#define LENGTH (6 * PITCH_RATE)

static float *new_sound(size_t n)
{
    float *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

static void check_tune(const float *x, size_t count, const double *pitch)
{
    Notes notes;
    assert_int_equal(notes_analyse(x, LENGTH, &notes, NULL), 0);
    assert_int_equal(notes.count, count);
    for (size_t i = 0; i < count; i++) {
        check_near((double)notes.note[i].onset, 1600.0 + 4000.0 * (double)i, 80.0);
        check_near((double)notes.note[i].pitch, pitch[i], 0.06);
        check_near((double)notes.note[i].off, fmin(LENGTH, 1600.0 + 4000.0 * (double)i + 3500.0),
                   600.0);
    }
    assert_true(notes.sure > 0.85F);
    check_near((double)notes.tuning, 0.0, 4.0);
    check_near((double)notes.pulse[0].seconds, 0.25, 0.002);
    check_near(fmod((double)notes.pulse[0].phase, 0.25), 0.1, 0.01);
    assert_true(notes.pulse[0].strength > 0.9F);
    notes_clear(&notes);
}

static void test_tune(void **state)
{
    (void)state;
    float *x = new_sound(LENGTH);
    double pitch[24];
    for (double fall = 0.0; fall < 7.0; fall += 3.0) {
        const size_t count = tone_tune(x, LENGTH, fall, pitch);
        check_tune(x, count, pitch);
    }
    free(x);
}

/* Notes let go half way to the next one. */
static void test_staccato(void **state)
{
    (void)state;
    float *x = new_sound(LENGTH);
    for (size_t i = 0; i < 10; i++)
        tone_add(x, LENGTH, 1600 + 8000 * i, 4000, 60.0 + (double)(i * 5 % 7), 0.2, 1.0);
    Notes notes;
    assert_int_equal(notes_analyse(x, LENGTH, &notes, NULL), 0);
    assert_int_equal(notes.count, 10);
    for (size_t i = 0; i < 10; i++)
        check_near((double)notes.note[i].off, 5600.0 + 8000.0 * (double)i, 400.0);
    notes_clear(&notes);
    free(x);
}

/* DC, a NaN, clipping and another level change nothing that matters. */
static void test_spoilt_tune(void **state)
{
    (void)state;
    float *x = new_sound(LENGTH);
    double pitch[24];
    const size_t count = tone_tune(x, LENGTH, 3.0, pitch);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] = 0.3F + fmaxf(-0.25F, fminf(0.25F, x[i]));
    x[777] = NAN;
    x[778] = INFINITY;
    check_tune(x, count, pitch);
    tone_tune(x, LENGTH, 3.0, pitch);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] *= 0.01F;
    check_tune(x, count, pitch);
    free(x);
}

/* Each note rings on for a second under the next ones, as in a room. */
static void test_overlap(void **state)
{
    (void)state;
    float *x = new_sound(LENGTH);
    static const int steps[20] = {60, 64, 67, 72, 67, 64, 62, 65, 69, 74,
                                  69, 65, 67, 71, 74, 79, 74, 71, 67, 60};
    for (size_t i = 0; i < 20; i++)
        tone_add(x, LENGTH, 1600 + 4000 * i, 16000, steps[i], 0.1, 5.0);
    Notes notes;
    assert_int_equal(notes_analyse(x, LENGTH, &notes, NULL), 0);
    assert_int_equal(notes.count, 20);
    for (size_t i = 0; i < 20; i++)
        check_near((double)notes.note[i].pitch, steps[i], 0.1);
    notes_clear(&notes);
    free(x);
}

static float sureness(const float *x, size_t n)
{
    Notes notes;
    assert_int_equal(notes_analyse(x, n, &notes, NULL), 0);
    const float sure = notes.sure;
    notes_clear(&notes);
    return sure;
}

/* Buzz through two moving resonances, gliding, with pauses and hisses: what speech does to a pitch
 * tracker. */
static void speak(float *x)
{
    double phase = 0.0, a[4] = {0.0};
    float hiss[LENGTH / 8];
    random_gaussian(3, 4, 0, hiss, LENGTH / 8);
    for (size_t i = 0; i < LENGTH; i++) {
        const double t = (double)i / PITCH_RATE, part = fmod(t * 4.1, 1.0);
        phase += 120.0 * exp2(0.4 * sin(9.0 * t) + 0.25 * sin(23.0 * t)) / PITCH_RATE;
        double source = part < 0.55   ? (phase >= 1.0)
                        : part < 0.75 ? 0.05 * (double)hiss[i % (LENGTH / 8)]
                                      : 0.0;
        phase -= floor(phase);
        for (int r = 0; r < 2; r++) {
            const double turn =
                6.283 * (r ? 1700.0 + 500.0 * sin(7.0 * t) : 500.0 + 200.0 * sin(11.0 * t)) /
                PITCH_RATE;
            const double y =
                source + 2.0 * 0.97 * cos(turn) * a[2 * r] - 0.97 * 0.97 * a[2 * r + 1];
            a[2 * r + 1] = a[2 * r];
            a[2 * r] = y;
            source = 0.1 * y;
        }
        x[i] = (float)source;
    }
}

static void test_no_melody(void **state)
{
    (void)state;
    float *x = new_sound(LENGTH);
    assert_true(sureness(x, LENGTH) == 0.0F);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] = 0.4F;
    assert_true(sureness(x, LENGTH) < 0.1F);
    random_gaussian(1, 2, 0, x, LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] *= 0.1F;
    assert_true(sureness(x, LENGTH) < 0.2F);
    speak(x);
    check_near((double)sureness(x, LENGTH), 0.0, 0.5);
    assert_true(sureness(x, LENGTH) < NOTES_UNSURE);
    static const int chord[4][3] = {{60, 64, 67}, {57, 60, 64}, {53, 57, 60}, {55, 59, 62}};
    memset(x, 0, LENGTH * sizeof *x);
    for (size_t i = 0; i < 12; i++)
        for (size_t j = 0; j < 3; j++)
            tone_add(x, LENGTH, 1600 + 8000 * i, 7800, chord[i % 4][j], 0.1, 2.0);
    assert_true(sureness(x, LENGTH) < NOTES_UNSURE);
    free(x);
}

static void test_lengths(void **state)
{
    (void)state;
    float *x = new_sound(NOTES_LONGEST + 1);
    double pitch[24];
    tone_tune(x, LENGTH, 3.0, pitch);
    for (size_t n = 0; n < 3000; n += 211)
        assert_true(sureness(x, n) <= 1.0F);
    Notes notes;
    assert_int_equal(notes_analyse(x, NOTES_LONGEST, &notes, NULL), 0);
    notes_clear(&notes);
    Error err = {""};
    assert_int_equal(notes_analyse(x, NOTES_LONGEST + 1, &notes, &err), -1);
    assert_non_null(strstr(err.message, "too long"));
    assert_null(notes.note);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tune),        cmocka_unit_test(test_staccato),
        cmocka_unit_test(test_spoilt_tune), cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_no_melody),   cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
