#include "cli/score.h"

#include "cli/interrupt.h"
#include "cli/melody_folder.h"
#include "cli/output.h"
#include "cli/report.h"
#include "models/melody_model.h"
#include "models/note_trainer.h"
#include "models/predictor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was measured of one file: bits in all, and samples or notes. */
typedef struct FileScore {
    bool midi;
    double bits, count;
} FileScore;

typedef struct Scorer {
    const ScoreRequest *request;
    MelodyModel *model;
    Predictor *predictor;
    PredictorState *state;
    FileScore *scores; /* (request->count,) */
} Scorer;

/* Without a plan, so from the past alone. The last frame is filled up with silence, whose bits
 * count but whose samples do not. */
static int score_sound(Scorer *scorer, size_t index, const char *path, Error *err)
{
    FileScore *score = &scorer->scores[index];
    float *samples, frame[PREDICTOR_FRAME];
    size_t n;
    if (melody_sound_load(path, &samples, &n, err))
        return -1;
    double nats = 0.0;
    predictor_state_reset(scorer->state);
    for (size_t at = 0; at < n && !interrupt_requested(); at += PREDICTOR_FRAME) {
        const size_t there = n - at < PREDICTOR_FRAME ? n - at : PREDICTOR_FRAME;
        memset(frame, 0, sizeof frame);
        memcpy(frame, samples + at, there * sizeof *frame);
        nats += predictor_hear(scorer->state, NULL, frame, NULL);
        if (at % (64 * PREDICTOR_FRAME) == 0)
            progress_update(scorer->request->progress,
                            ((double)index + (double)at / (double)n) /
                                (double)scorer->request->count,
                            "%s", path);
    }
    free(samples);
    *score = (FileScore){false, nats / log(2.0), (double)n};
    return interrupt_requested() ? error_set(err, "interrupted: nothing was measured") : 0;
}

static int score_midi(Scorer *scorer, size_t index, const char *path, Error *err)
{
    MidiMelody melody;
    NoteBits bits;
    if (midi_read(path, &melody, err))
        return -1;
    NoteCorpus *corpus = note_corpus_create(err);
    NoteToken *tokens = malloc(melody.count * sizeof *tokens);
    int failed = !corpus || !tokens ? error_set(err, "out of memory for notes") : 0;
    if (!failed) {
        note_tokens_from_midi(&melody, tokens);
        failed =
            note_corpus_add(corpus, path, NOTE_HELD_OUT, tokens, melody.count, err) ||
            note_bits(melody_model_notes(scorer->model), melody_model_note_weights(scorer->model),
                      corpus, NOTE_HELD_OUT, &bits, err);
        if (failed && err && !strstr(err->message, path))
            error_prefix(err, "%s", path);
    }
    if (!failed)
        scorer->scores[index] =
            (FileScore){true, (bits.pitch + bits.step + bits.length) * (double)melody.count,
                        (double)melody.count};
    free(tokens);
    note_corpus_destroy(corpus);
    midi_free(&melody);
    return failed ? -1 : 0;
}

static int score_all(Scorer *scorer, Error *err)
{
    const ScoreRequest *request = scorer->request;
    scorer->model = melody_model_open(request->model, err);
    if (!scorer->model)
        return -1;
    scorer->predictor = predictor_create(melody_model_samples(scorer->model),
                                         melody_model_sample_weights(scorer->model), err);
    if (!scorer->predictor)
        return -1;
    scorer->state = predictor_state_create(scorer->predictor, true, err);
    scorer->scores = calloc(request->count, sizeof *scorer->scores);
    if (!scorer->state)
        return -1;
    if (!scorer->scores)
        return error_set(err, "out of memory for %zu files", request->count);
    for (size_t i = 0; i < request->count; i++) {
        const char *path = request->files[i];
        const bool midi = output_has_suffix(path, ".mid") || output_has_suffix(path, ".midi");
        if (midi ? score_midi(scorer, i, path, err) : score_sound(scorer, i, path, err))
            return -1;
    }
    return 0;
}

/* Bits a sample, or a note, over all files of a kind; NaN without any. */
static double mean(const Scorer *scorer, bool midi)
{
    double bits = 0.0, count = 0.0;
    for (size_t i = 0; i < scorer->request->count; i++)
        if (scorer->scores[i].midi == midi) {
            bits += scorer->scores[i].bits;
            count += scorer->scores[i].count;
        }
    return count > 0.0 ? bits / count : NAN;
}

static void print_json(const Scorer *scorer)
{
    static const char *const names[] = {"bits_per_sample", "bits_per_note"};
    printf("{");
    for (int midi = 0; midi < 2; midi++)
        if (!isnan(mean(scorer, midi)))
            printf("\"%s\": %.6g, ", names[midi], mean(scorer, midi));
    printf("\"files\": [");
    for (size_t i = 0; i < scorer->request->count; i++) {
        const FileScore *score = &scorer->scores[i];
        printf("%s{\"file\": ", i ? ", " : "");
        report_json_string(stdout, scorer->request->files[i]);
        printf(", \"%s\": %.6g}", names[score->midi], score->bits / score->count);
    }
    printf("]}\n");
}

static void print_text(const Scorer *scorer)
{
    for (size_t i = 0; i < scorer->request->count; i++) {
        const FileScore *score = &scorer->scores[i];
        printf("%8.4f bits a %s  ", score->bits / score->count, score->midi ? "note  " : "sample");
        report_text(stdout, scorer->request->files[i], 0);
        printf("\n");
    }
    for (int midi = 0; midi < 2; midi++)
        if (!isnan(mean(scorer, midi)))
            printf("%8.4f bits a %s  all\n", mean(scorer, midi), midi ? "note  " : "sample");
}

int score_melody(const ScoreRequest *request, Error *err)
{
    Scorer scorer = {.request = request};
    const int failed = score_all(&scorer, err);
    progress_end(request->progress);
    if (!failed && request->common.json)
        print_json(&scorer);
    else if (!failed)
        print_text(&scorer);
    free(scorer.scores);
    predictor_state_destroy(scorer.state);
    predictor_destroy(scorer.predictor);
    melody_model_destroy(scorer.model);
    return failed;
}
