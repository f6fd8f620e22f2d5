/* The decoder, note by note with its ring of keys and values, says what the pass over whole
 * sequences says: within the reach, beyond it, and after a reset. */
#include "models/note_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOTES = 61, REACH = 16 };

static float draw(unsigned long *state)
{
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return (float)(*state >> 40) / 8388608.0f - 1.0f;
}

typedef struct Rig {
    NoteModel *model;
    float *weights;
    NoteDecoder *decoder;
    NoteToken tokens[NOTES + 1]; /* a mark, then notes */
} Rig;

static Rig rig_create(void)
{
    const NoteConfig config = {.width = 80, .heads = 2, .layers = 3, .hidden = 48, .reach = REACH};
    Rig rig = {.model = note_model_create(&config, NULL)};
    assert_non_null(rig.model);
    const size_t size = parameters_size(note_model_parameters(rig.model));
    unsigned long seed = 5;
    rig.weights = malloc(size * sizeof *rig.weights);
    assert_non_null(rig.weights);
    for (size_t i = 0; i < size; i++)
        rig.weights[i] = 0.2f * draw(&seed);
    rig.decoder = note_decoder_create(rig.model, rig.weights, NULL);
    assert_non_null(rig.decoder);
    rig.tokens[0] = (NoteToken){NOTE_OPEN, 0, 0};
    for (size_t i = 1; i <= NOTES; i++)
        rig.tokens[i] = (NoteToken){(uint8_t)(30.0f + 12.0f * draw(&seed)),
                                    (uint8_t)(18.0f + 18.0f * draw(&seed)),
                                    (uint8_t)(4.0f + 4.0f * draw(&seed))};
    return rig;
}

static void rig_destroy(Rig *rig)
{
    note_decoder_destroy(rig->decoder);
    note_model_destroy(rig->model);
    free(rig->weights);
}

/* -ln of the softmax's probability of `target`. */
static double surprise(const float *logits, size_t n, size_t target)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += exp((double)logits[i] - (double)logits[target]);
    return log(sum);
}

typedef struct Surprises {
    double pitch, step, length;
} Surprises;

/* Of note i, by the decoder, which has seen those before it; then the decoder sees it. */
static Surprises decode(Rig *rig, size_t i)
{
    const NoteToken note = rig->tokens[i];
    float logits[NOTE_PITCHES + 1];
    Surprises s;
    note_decoder_pitches(rig->decoder, logits);
    s.pitch = surprise(logits, NOTE_PITCHES + 1, note.pitch);
    note_decoder_steps(rig->decoder, note.pitch, logits);
    s.step = surprise(logits, NOTE_STEPS, note.step);
    note_decoder_lengths(rig->decoder, note.pitch, note.step, logits);
    s.length = surprise(logits, NOTE_LENGTHS, note.length);
    note_decoder_push(rig->decoder, note);
    return s;
}

/* The pass's sums over the first n notes, for each n, differ by what the decoder says of each. */
static void cached_and_full_forward_agree(void **state)
{
    (void)state;
    Rig rig = rig_create();
    for (int round = 0; round < 2; round++) {
        NoteLoss before = {0};
        note_decoder_reset(rig.decoder);
        note_decoder_push(rig.decoder, rig.tokens[0]);
        for (size_t n = 1; n <= NOTES; n++) {
            NotePass *pass = note_pass_create(rig.model, 1, n, n % 2, NULL);
            assert_non_null(pass);
            const NoteLoss loss = note_model_loss(pass, rig.weights, rig.tokens, NULL, NULL);
            note_pass_destroy(pass);
            const Surprises s = decode(&rig, n);
            assert_int_equal(loss.notes, n);
            assert_true(fabs(loss.pitch - before.pitch - s.pitch) < 1e-5);
            assert_true(fabs(loss.step - before.step - s.step) < 1e-5);
            assert_true(fabs(loss.length - before.length - s.length) < 1e-5);
            before = loss;
        }
    }
    rig_destroy(&rig);
}

/* With one layer, what lies beyond the reach is forgotten but for the grid and the note's number,
 * of which only differences (and the phase within 16 beats) count. */
static void the_window_slides(void **state)
{
    (void)state;
    const NoteConfig config = {.width = 80, .heads = 2, .layers = 1, .hidden = 48, .reach = 8};
    NoteModel *model = note_model_create(&config, NULL);
    Rig rig = rig_create();
    NoteDecoder *decoder = note_decoder_create(model, rig.weights, NULL);
    float first[NOTE_PITCHES + 1], again[NOTE_PITCHES + 1], other[NOTE_PITCHES + 1];
    float *const results[] = {first, again, other};
    for (int round = 0; round < 3; round++) {
        note_decoder_reset(decoder);
        note_decoder_push(decoder, rig.tokens[0]);
        /* A long past, in round 1 of other notes; 576 twelfths hold each period of the phases. */
        for (size_t i = 0; i < 600; i++)
            note_decoder_push(decoder, (NoteToken){(uint8_t)(round == 1 ? 20 + i % 9 : 40), 18, 7});
        for (size_t i = 1; i <= 9; i++)
            note_decoder_push(decoder, rig.tokens[i]);
        if (round == 2)
            note_decoder_push(decoder, rig.tokens[10]);
        note_decoder_pitches(decoder, results[round]);
    }
    for (size_t i = 0; i <= NOTE_PITCHES; i++)
        assert_true(fabsf(first[i] - again[i]) < 1e-5f);
    float most = 0.0f;
    for (size_t i = 0; i <= NOTE_PITCHES; i++)
        most = fmaxf(most, fabsf(first[i] - other[i]));
    assert_true(most > 0.01f);
    note_decoder_destroy(decoder);
    note_model_destroy(model);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_and_full_forward_agree),
        cmocka_unit_test(the_window_slides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
