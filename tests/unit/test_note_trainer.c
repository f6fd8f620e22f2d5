/* Tunes and training: the split by name; windows; a small model that learns a rule; the same to the
 * bit from a checkpoint; and what is refused. */
#include "models/note_trainer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 24, TUNES = 12, NOTES = 50 };

/* Names with their SHA-256's first two bytes, by sha256sum. */
static void shares_go_by_name(void **state)
{
    (void)state;
    assert_int_equal(note_share("jigs10.mid", 0.1), NOTE_TRAIN);       /* 40 29 */
    assert_int_equal(note_share("ashover22.mid", 0.1), NOTE_HELD_OUT); /* 07 2c */
    assert_int_equal(note_share("ashover14.mid", 0.1), NOTE_VALIDATE); /* 80 0c */
    assert_int_equal(note_share("ashover22.mid", 0.0), NOTE_TRAIN);
    assert_int_equal(note_share("jigs10.mid", 0.9), NOTE_HELD_OUT);
    size_t counts[NOTE_SHARES] = {0};
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.mid", i);
        counts[note_share(name, 0.1)]++;
    }
    assert_in_range(counts[NOTE_HELD_OUT], 150, 260);
    assert_in_range(counts[NOTE_VALIDATE], 130, 240);
}

/* Tune t: thirds up and down from a pitch of its own; every fifth note is twice as long. */
static NoteCorpus *corpus_create(NoteShare share)
{
    NoteCorpus *corpus = note_corpus_create(NULL);
    assert_non_null(corpus);
    for (size_t t = 0; t < TUNES; t++) {
        NoteToken tune[NOTES];
        for (size_t i = 0; i < NOTES; i++)
            tune[i] = (NoteToken){(uint8_t)(20 + t + 3 * (i % 8 < 4 ? i % 8 : 8 - i % 8)),
                                  (uint8_t)note_step_nearest(i % 5 == 4 ? 12.0 : 6.0), 7};
        char name[32];
        snprintf(name, sizeof name, "%zu", t);
        assert_int_equal(
            note_corpus_add(corpus, name, t % 4 == 3 ? share : NOTE_TRAIN, tune, NOTES, NULL), 0);
    }
    return corpus;
}

static void windows_are_tunes_transposed(void **state)
{
    (void)state;
    NoteCorpus *corpus = corpus_create(NOTE_VALIDATE);
    size_t starts = 0, ends = 0, transpositions[64] = {0};
    for (uint64_t d = 0; d < 2000; d++) {
        NoteToken tokens[NOTES + 11], again[NOTES + 11];
        note_corpus_draw(corpus, 1, d, NOTES + 10, tokens);
        note_corpus_draw(corpus, 1, d, NOTES + 10, again);
        assert_memory_equal(tokens, again, sizeof tokens);
        assert_true(tokens[0].pitch == NOTE_START || tokens[0].pitch == NOTE_OPEN);
        starts += tokens[0].pitch == NOTE_START;
        if (tokens[0].pitch == NOTE_START)
            transpositions[tokens[1].pitch]++;
        bool over = false;
        for (size_t i = 1; i <= NOTES + 10; i++) {
            if (over) {
                assert_int_equal(tokens[i].pitch, NOTE_NONE);
            } else if (tokens[i].pitch == NOTE_END) {
                over = true;
                ends++;
                if (tokens[0].pitch == NOTE_START)
                    assert_int_equal(i, NOTES + 1);
            } else {
                assert_true(tokens[i].pitch < NOTE_PITCHES && tokens[i].length < NOTE_LENGTHS);
                const int jump = abs(tokens[i].pitch - tokens[i - 1].pitch);
                if (i > 1) /* from the end to the beginning, too */
                    assert_int_equal(jump, 3);
            }
        }
    }
    assert_in_range(starts, 600, 850);
    assert_in_range(ends, 800, 1500);
    for (size_t p = 20 - 6; p <= 20 + TUNES - 2 + 5; p++)
        assert_true(transpositions[p] > 0);
    assert_int_equal(transpositions[13] + transpositions[36], 0);
    note_corpus_destroy(corpus);
}

/* Each note is the target of one window, and the end of the last. */
static void measuring_windows_hold_every_note_once(void **state)
{
    (void)state;
    NoteCorpus *corpus = corpus_create(NOTE_VALIDATE);
    assert_int_equal(note_corpus_tunes(corpus, NOTE_VALIDATE), 3);
    assert_int_equal(note_corpus_notes(corpus, NOTE_VALIDATE), 3 * NOTES);
    assert_int_equal(note_corpus_windows(corpus, NOTE_VALIDATE, FRAMES), 9);
    for (size_t w = 0; w < 9; w++) {
        NoteToken tokens[FRAMES + 1];
        size_t count;
        const NoteToken *tune = note_corpus_tune(corpus, NOTE_VALIDATE, w / 3, &count);
        note_corpus_window(corpus, NOTE_VALIDATE, FRAMES, w, tokens);
        assert_int_equal(tokens[0].pitch, w % 3 ? NOTE_OPEN : NOTE_START);
        for (size_t f = 0; f < FRAMES; f++) {
            const size_t i = w % 3 * FRAMES + f;
            if (i < NOTES)
                assert_memory_equal(&tokens[f + 1], &tune[i], sizeof *tune);
            else
                assert_int_equal(tokens[f + 1].pitch, i == NOTES ? NOTE_END : NOTE_NONE);
        }
    }
    Error err = {""};
    const NoteToken few[3] = {{0}};
    assert_int_equal(note_corpus_add(corpus, "few", NOTE_TRAIN, few, 3, &err), -1);
    assert_non_null(strstr(err.message, "3 notes"));
    note_corpus_destroy(corpus);
}

static NoteModel *model_create(void)
{
    const NoteConfig config = {.width = 32, .heads = 1, .layers = 2, .hidden = 48, .reach = FRAMES};
    NoteModel *model = note_model_create(&config, NULL);
    assert_non_null(model);
    return model;
}

static NoteTrainer *trainer_create(const NoteModel *model, const NoteCorpus *corpus, uint64_t seed)
{
    NoteTrainerSettings settings = {
        .seed = seed, .steps = 300, .batch = 4, .frames = FRAMES, .rate = 6e-3, .dropout = 0.05};
    Error err = {""};
    NoteTrainer *trainer = note_trainer_create(model, corpus, &settings, &err);
    if (!trainer)
        fail_msg("%s", err.message);
    return trainer;
}

static void train(NoteTrainer *trainer, size_t until)
{
    while (note_trainer_progress(trainer).step < until) {
        assert_int_equal(note_trainer_step(trainer, NULL), 0);
        if (note_trainer_progress(trainer).step % 25 == 0)
            assert_int_equal(note_trainer_evaluate(trainer, NULL), 0);
    }
}

/* The rule is all but certain: far below the entropy of single notes (pitches: over 2 bits). */
static void a_rule_is_learnt(void **state)
{
    (void)state;
    NoteModel *model = model_create();
    NoteCorpus *corpus = corpus_create(NOTE_VALIDATE);
    NoteTrainer *trainer = trainer_create(model, corpus, 1);
    NoteBits before, after, none;
    assert_int_equal(
        note_bits(model, note_trainer_best(trainer), corpus, NOTE_VALIDATE, &before, NULL), 0);
    assert_true(fabs(before.pitch - log2(NOTE_PITCHES + 1)) < 0.01); /* uniform at the start */
    assert_true(fabs(before.step - log2(NOTE_STEPS)) < 0.01);
    train(trainer, 300);
    const NoteProgress progress = note_trainer_progress(trainer);
    assert_int_equal(
        note_bits(model, note_trainer_best(trainer), corpus, NOTE_VALIDATE, &after, NULL), 0);
    assert_true(after.pitch < 0.8 && after.step < 0.6);
    assert_true(progress.best < 1.2 && progress.best_step > 50);
    note_bits(model, note_trainer_best(trainer), corpus, NOTE_HELD_OUT, &none, NULL);
    assert_true(isnan(none.pitch));
    note_trainer_destroy(trainer);
    note_corpus_destroy(corpus);
    note_model_destroy(model);
}

static void checkpoints_change_nothing(void **state)
{
    (void)state;
    char path[] = "/tmp/brume-notes-XXXXXX";
    assert_true(close(mkstemp(path)) == 0);
    NoteModel *model = model_create();
    NoteCorpus *corpus = corpus_create(NOTE_VALIDATE), *other = corpus_create(NOTE_HELD_OUT);
    const size_t size = parameters_size(note_model_parameters(model)) * sizeof(real);
    NoteTrainer *whole = trainer_create(model, corpus, 1),
                *first = trainer_create(model, corpus, 1);
    NoteTrainer *second = trainer_create(model, corpus, 1);
    train(whole, 60);
    train(first, 30);
    assert_int_equal(note_trainer_save(first, path, NULL), 0);
    assert_int_equal(note_trainer_resume(second, path, NULL), 0);
    train(second, 60);
    assert_memory_equal(note_trainer_best(whole), note_trainer_best(second), size);
    assert_true(note_trainer_progress(whole).loss == note_trainer_progress(second).loss);

    /* Another seed, other tunes, half a file: refused, and the trainer is as it was. */
    Error err = {""};
    NoteTrainer *stranger = trainer_create(model, corpus, 2);
    assert_int_equal(note_trainer_resume(stranger, path, &err), -1);
    assert_non_null(strstr(err.message, "--seed 1"));
    NoteTrainer *elsewhere = trainer_create(model, other, 1);
    assert_int_equal(note_trainer_resume(elsewhere, path, &err), -1);
    assert_non_null(strstr(err.message, "other tunes"));
    assert_int_equal(truncate(path, 10000), 0);
    real *kept = malloc(size);
    memcpy(kept, note_trainer_best(first), size);
    assert_int_equal(note_trainer_resume(first, path, &err), -1);
    assert_non_null(strstr(err.message, path));
    assert_memory_equal(kept, note_trainer_best(first), size);
    assert_int_equal(note_trainer_progress(first).step, 30);
    free(kept);
    unlink(path);
    NoteTrainer *all[] = {whole, first, second, stranger, elsewhere};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        note_trainer_destroy(all[i]);
    note_corpus_destroy(corpus);
    note_corpus_destroy(other);
    note_model_destroy(model);
}

/* Another corpus's weights: they are the best until an evaluation found better ones; a rehearsal
 * changes nothing; and a checkpoint is not gone on with at another rate. */
static void training_starts_from_weights(void **state)
{
    (void)state;
    char path[] = "/tmp/notesXXXXXX";
    close(mkstemp(path));
    NoteModel *model = model_create();
    NoteCorpus *corpus = corpus_create(NOTE_VALIDATE);
    const size_t size = parameters_size(note_model_parameters(model)) * sizeof(real);
    NoteTrainer *old = trainer_create(model, corpus, 1), *tuned = trainer_create(model, corpus, 2);
    NoteTrainer *other = trainer_create(model, corpus, 2);
    train(old, 25);
    note_trainer_start_from(tuned, note_trainer_best(old));
    note_trainer_start_from(other, note_trainer_best(old));
    assert_memory_equal(note_trainer_best(tuned), note_trainer_best(old), size);
    assert_int_equal(note_trainer_evaluate(tuned, NULL), 0);
    assert_true(fabs(note_trainer_progress(tuned).best - note_trainer_progress(old).best) < 1e-9);
    assert_int_equal(note_trainer_progress(tuned).best_step, 0);
    note_trainer_rehearse(tuned);
    assert_int_equal(note_trainer_progress(tuned).step, 0);
    train(tuned, 50);
    train(other, 50);
    assert_true(note_trainer_progress(tuned).best < note_trainer_progress(old).best);
    assert_memory_equal(note_trainer_best(tuned), note_trainer_best(other), size);

    Error err = {""};
    NoteTrainerSettings settings = {
        .seed = 2, .steps = 300, .batch = 4, .frames = FRAMES, .rate = 1e-3, .dropout = 0.05};
    NoteTrainer *gentle = note_trainer_create(model, corpus, &settings, NULL);
    assert_non_null(gentle);
    assert_int_equal(note_trainer_save(tuned, path, NULL), 0);
    assert_int_equal(note_trainer_resume(gentle, path, &err), -1);
    assert_non_null(strstr(err.message, "another --from"));
    assert_true(note_trainer_tuning().rate < note_trainer_defaults().rate);
    unlink(path);
    NoteTrainer *all[] = {old, tuned, other, gentle};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        note_trainer_destroy(all[i]);
    note_corpus_destroy(corpus);
    note_model_destroy(model);
}

static void what_cannot_be_trained_is_refused(void **state)
{
    (void)state;
    NoteModel *model = model_create();
    NoteCorpus *empty = note_corpus_create(NULL), *corpus = corpus_create(NOTE_VALIDATE);
    NoteTrainerSettings settings = note_trainer_defaults();
    Error err = {""};
    assert_null(note_trainer_create(model, empty, &settings, &err));
    assert_non_null(strstr(err.message, "no tune"));
    settings.steps = 0;
    assert_null(note_trainer_create(model, corpus, &settings, &err));
    settings = note_trainer_defaults();
    settings.batch = 0;
    assert_null(note_trainer_create(model, corpus, &settings, &err));
    assert_non_null(strstr(err.message, "batch"));
    settings = note_trainer_defaults();
    settings.frames = 8;
    assert_null(note_trainer_create(model, corpus, &settings, &err));
    settings = note_trainer_defaults();
    settings.dropout = NAN;
    assert_null(note_trainer_create(model, corpus, &settings, &err));
    assert_non_null(strstr(err.message, "dropout"));
    note_corpus_destroy(empty);
    note_corpus_destroy(corpus);
    note_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_go_by_name),
        cmocka_unit_test(windows_are_tunes_transposed),
        cmocka_unit_test(measuring_windows_hold_every_note_once),
        cmocka_unit_test(a_rule_is_learnt),
        cmocka_unit_test(checkpoints_change_nothing),
        cmocka_unit_test(training_starts_from_weights),
        cmocka_unit_test(what_cannot_be_trained_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
