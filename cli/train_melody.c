#include "cli/interrupt.h"
#include "cli/melody_plan.h"
#include "cli/melody_tier.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/train.h"
#include "cli/train_card.h"
#include "cli/train_melody_preview.h"
#include "cli/train_outlook.h"
#include "models/melody_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIERS = MELODY_CURVES };

typedef struct Training {
    const TrainRequest *request;
    char from_path[TRAIN_PATH_ROOM]; /* "": from nothing */
    MelodyFolder found;
    MelodyPlan plan;
    MelodyModel *model;
    NoteTrainer *notes;
    PredictorTrainer *samples;
    MelodyTier tiers[TIERS];
    MelodyPreview *preview; /* NULL: none is wanted */
    Progress progress;
} Training;

static int create_notes(Training *training, bool from, Error *err)
{
    NoteTrainerSettings settings = from ? note_trainer_tuning() : note_trainer_defaults();
    settings.seed = (uint64_t)training->request->seed;
    training->notes = note_trainer_create(melody_model_notes(training->model),
                                          training->found.tunes, &settings, err);
    if (training->notes && from)
        note_trainer_start_from(training->notes, melody_model_note_weights(training->model));
    return training->notes ? 0 : -1;
}

static int create_samples(Training *training, bool from, Error *err)
{
    const MelodyFolder *found = &training->found;
    PredictorTrainerSettings settings =
        from ? predictor_trainer_tuning() : predictor_trainer_defaults();
    settings.seed = (uint64_t)training->request->seed;
    training->samples = predictor_trainer_create(melody_model_samples(training->model),
                                                 found->clips[0], found->counts[0], found->clips[1],
                                                 found->counts[1], &settings, err);
    if (training->samples && from)
        predictor_trainer_start_from(training->samples,
                                     melody_model_sample_weights(training->model));
    return training->samples ? 0 : -1;
}

/* Takes up a checkpoint, or looks at what the model to start from can do: then it is the best until
 * training made it better. */
static int begin_tier(const TrainRequest *request, MelodyTier *tier, bool from, Error *err)
{
    if (request->resume && !access(tier->checkpoint, F_OK)) {
        if (tier->resume(tier->trainer, tier->checkpoint, err))
            return -1;
    } else if (from && tier->evaluate(tier->trainer, err)) {
        return -1;
    }
    if (tier->steps)
        tier->set_steps(tier->trainer, tier->steps);
    return 0;
}

static int create_trainers(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    const bool from = training->from_path[0];
    const MelodyPlan plan = training->plan;
    if ((plan.notes && create_notes(training, from, err)) ||
        (plan.samples && create_samples(training, from, err)))
        return -1;
    MelodyTier *tiers = training->tiers;
    tiers[0] = melody_tier_notes(request, from, training->notes);
    if (!plan.samples)
        tiers[0].hours = request->hours;
    tiers[1] = melody_tier_samples(request, from, training->samples,
                                   request->hours - (plan.notes ? tiers[0].hours : 0.0));
    for (size_t t = 0; t < TIERS; t++)
        if (tiers[t].trainer && begin_tier(request, &tiers[t], from, err))
            return -1;
    return 0;
}

static int create_preview(Training *training, Error *err)
{
    size_t steps[TIERS];
    for (size_t t = 0; t < TIERS; t++)
        steps[t] = melody_tier_stand(&training->tiers[t]).step;
    return melody_preview_create(training->request, &training->found, steps, &training->preview,
                                 err);
}

/* Measures what a tier's steps cost here, says what is to be expected, and turns the hours that are
 * left into steps. */
static int look_ahead(const Training *training, MelodyTier *tier, Error *err)
{
    const TrainRequest *request = training->request;
    const MelodyStanding standing = melody_tier_stand(tier);
    TrainOutlook outlook;
    if (melody_tier_done(tier))
        return 0;
    const TrainRehearsal rehearsal = {
        .rehearse = tier->rehearse, .trainer = tier->trainer, .steps = tier->steps};
    if (train_outlook_measure(&rehearsal, &outlook, err))
        return -1;
    if (!tier->steps) {
        const double left = tier->hours - standing.seconds / 3600.0;
        const size_t steps = standing.step + train_outlook_steps(&outlook, left);
        tier->steps = steps < tier->most ? steps : tier->most;
        tier->set_steps(tier->trainer, tier->steps);
    }
    if (!request->common.quiet) {
        FILE *out = request->common.json ? stderr : stdout;
        fprintf(out, "%s: ", tier->name);
        train_outlook_print_speed(out, &outlook, tier->steps - standing.step);
        fflush(out);
    }
    return 0;
}

/* One line on standard output for each evaluation: the curve, for people and for plots. */
static void print_line(Training *training, const MelodyTier *tier, double seconds_per_step)
{
    char left[TRAIN_TIME_ROOM];
    const MelodyStanding standing = melody_tier_stand(tier);
    if (training->request->common.quiet)
        return;
    train_print_time(left, seconds_per_step * (double)(tier->steps - standing.step));
    progress_end(&training->progress);
    fprintf(training->request->common.json ? stderr : stdout,
            "%s: step %zu/%zu  %s  %.2f steps/s  %s left\n", tier->name, standing.step, tier->steps,
            standing.line, 1.0 / seconds_per_step, left);
    fflush(stdout);
}

/* What is needed to go on. */
static void save(Training *training, MelodyTier *tier)
{
    tier->unsaved = (Error){""};
    if (tier->save(tier->trainer, tier->checkpoint, &tier->unsaved)) {
        progress_end(&training->progress);
        train_warn_unsaved(&tier->unsaved);
    }
}

/* Gives the model the weights that are the best so far. */
static void set_weights(Training *training)
{
    if (training->notes)
        melody_model_set_notes(training->model, note_trainer_best(training->notes));
    if (training->samples)
        melody_model_set_samples(training->model, predictor_trainer_weights(training->samples));
}

/* What can be seen of it so far; and heard, once the samples are being learnt. */
static void preview(Training *training, bool heard, const atomic_bool *cancel)
{
    progress_end(&training->progress);
    set_weights(training);
    melody_preview_write(training->preview, heard ? training->model : NULL, cancel);
}

/* Evaluates a tier, and takes down what comes of it. */
static int evaluate(Training *training, const MelodyTier *tier, Error *err)
{
    if (tier->evaluate(tier->trainer, err))
        return -1;
    const MelodyStanding s = melody_tier_stand(tier);
    return melody_preview_add(training->preview, (MelodyCurve)(tier - training->tiers),
                              (CurvePoint){s.step, s.bits, s.held_out, s.seconds}, err);
}

/* Steps until all are done, somebody interrupts, or the validation loss has long stopped falling.
 * A checkpoint stays at the end: the other tier is not done yet. */
static int run(Training *training, MelodyTier *tier, Error *err)
{
    double seconds_per_step = 0.0, saved_at = train_now();
    if (melody_tier_done(tier))
        return 0;
    for (size_t taken = 1; !interrupt_requested() && !melody_tier_overfits(tier); taken++) {
        const size_t step = melody_tier_stand(tier).step;
        if (step >= tier->steps)
            break;
        const double start = train_now();
        if (tier->step(tier->trainer, err))
            return -1;
        const double took = train_now() - start;
        tier->add_seconds(tier->trainer, took);
        /* The first step also touches all memory for the first time. */
        seconds_per_step = taken < 3 ? took : 0.95 * seconds_per_step + 0.05 * took;
        progress_update(&training->progress, (double)(step + 1) / (double)tier->steps,
                        "%s: step %zu, %.2f steps/s", tier->name, step + 1, 1.0 / seconds_per_step);
        if ((step + 1) % tier->evaluate_every == 0 || step + 1 == tier->steps) {
            if (evaluate(training, tier, err))
                return -1;
            print_line(training, tier, seconds_per_step);
        }
        if (train_now() - saved_at > 60.0 * training->request->save_every) {
            save(training, tier);
            preview(training, tier == &training->tiers[MELODY_CURVE_SAMPLES], interrupt_flag());
            saved_at = train_now();
        }
    }
    if (melody_tier_stand(tier).step)
        save(training, tier);
    return 0;
}

/* Bits a note on tunes that training never saw, in words. */
static int describe_notes(const Training *training, char *text, size_t room, Error *err)
{
    NoteBits bits;
    if (!training->notes) {
        snprintf(text, room, "those of the model that it started from");
        return 0;
    }
    const NoteShare share =
        note_corpus_tunes(training->found.tunes, NOTE_HELD_OUT) ? NOTE_HELD_OUT : NOTE_VALIDATE;
    if (note_bits(melody_model_notes(training->model), note_trainer_best(training->notes),
                  training->found.tunes, share, &bits, err))
        return -1;
    if (isnan(bits.pitch))
        snprintf(text, room, "none held out");
    else
        snprintf(text, room, "pitch %.3f, step %.3f, length %.3f on %zu tunes (%s)", bits.pitch,
                 bits.step, bits.length, note_corpus_tunes(training->found.tunes, share),
                 share == NOTE_HELD_OUT ? "held out" : "validation");
    return 0;
}

static void describe_samples(const Training *training, char *text, size_t room)
{
    if (!training->samples) {
        snprintf(text, room, "that of the model that it started from");
        return;
    }
    const PredictorProgress progress = predictor_trainer_progress(training->samples);
    if (isnan(progress.held_out[0]))
        snprintf(text, room, "none held out");
    else
        snprintf(text, room, "%.3f, with a plan %.3f (validation, at the last evaluation)",
                 progress.held_out[0], progress.held_out[1]);
}

/* Writes the model as it is best so far, with its card. */
static int save_model(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    const MelodyFolder *found = &training->found;
    const MelodyStanding notes = melody_tier_stand(&training->tiers[0]);
    const MelodyStanding samples = melody_tier_stand(&training->tiers[1]);
    char trained[512], note_figures[160], sample_figures[160];
    set_weights(training);
    if (describe_notes(training, note_figures, sizeof note_figures, err))
        return -1;
    describe_samples(training, sample_figures, sizeof sample_figures);
    snprintf(
        trained, sizeof trained,
        "notes: %zu steps, %.2f hours, %zu tunes; samples: %zu steps, %.2f hours, %.1f minutes "
        "of sound; seed %" PRId64 ", hold-out %g",
        notes.step, notes.seconds / 3600.0, note_corpus_tunes(found->tunes, NOTE_TRAIN),
        samples.step, samples.seconds / 3600.0, found->seconds / 60.0, request->seed,
        request->holdout);
    char *past = training->from_path[0] ? train_card_past(training->from_path) : NULL;
    if (training->from_path[0] && !past)
        return error_set(err, "out of memory for the model card");
    const MelodyCardLine card[] = {
        {"licence", request->card.licence ? request->card.licence : "not stated"},
        {"sources", request->card.sources ? request->card.sources : "not stated"},
        {"training", trained},
        {"bits_per_note", note_figures},
        {"bits_per_sample", sample_figures},
        {"made_with", "brume " BRUME_VERSION},
        {"from", past}, /* the last, for it may be left out */
    };
    const size_t lines = sizeof card / sizeof card[0] - (past == NULL);
    const int failed = melody_model_save(training->model, card, lines, true, request->output, err);
    free(past);
    return failed;
}

static void print_found(const Training *training)
{
    const MelodyFolder *found = &training->found;
    FILE *out = training->request->common.json ? stderr : stdout;
    if (training->request->common.quiet)
        return;
    fprintf(
        out,
        "%zu tunes (%zu for validation, %zu held out), %zu recordings, %.1f minutes to train "
        "on",
        note_corpus_tunes(found->tunes, NOTE_TRAIN), note_corpus_tunes(found->tunes, NOTE_VALIDATE),
        note_corpus_tunes(found->tunes, NOTE_HELD_OUT), found->recordings, found->seconds / 60.0);
    if (training->request->resume)
        fprintf(out, "; goes on at step %zu of the notes, %zu of the samples",
                melody_tier_stand(&training->tiers[0]).step,
                melody_tier_stand(&training->tiers[1]).step);
    fprintf(out, "\n");
    fflush(out);
}

static void print_result(const Training *training)
{
    const MelodyStanding notes = melody_tier_stand(&training->tiers[0]);
    const MelodyStanding samples = melody_tier_stand(&training->tiers[1]);
    if (training->request->common.json) {
        printf("{\"model\": ");
        report_json_string(stdout, training->request->output);
        printf(", \"note_steps\": %zu, \"sample_steps\": %zu, \"seconds\": %.6g", notes.step,
               samples.step, notes.seconds + samples.seconds);
        melody_preview_print_json(stdout, training->preview);
        printf("}\n");
    } else if (!training->request->common.quiet) {
        printf("wrote %s after %zu steps of the notes, %zu of the samples\n",
               training->request->output, notes.step, samples.step);
    }
}

/* At the end, or when somebody interrupts. */
static int finish(Training *training, Error *err)
{
    const bool stopped = interrupt_requested();
    if (stopped && !melody_tier_stand(&training->tiers[0]).step &&
        !melody_tier_stand(&training->tiers[1]).step)
        return error_set(err, "interrupted before the first step: nothing was written");
    /* The weights that count are the best that an evaluation saw; a short run may have had none. */
    for (size_t t = 0; t < TIERS; t++)
        if (training->tiers[t].trainer && !melody_tier_stand(&training->tiers[t]).best_step &&
            evaluate(training, &training->tiers[t], err))
            return -1;
    if (save_model(training, err))
        return -1;
    preview(training, true, stopped ? NULL : interrupt_flag());
    for (size_t t = 0; t < TIERS && stopped; t++)
        if (training->tiers[t].unsaved.message[0])
            return train_set_unsaved(training->request, &training->tiers[t].unsaved, err);
    if (stopped)
        return error_set(err, "interrupted: the model so far is in %s; --resume goes on",
                         training->request->output);
    for (size_t t = 0; t < TIERS; t++)
        unlink(training->tiers[t].checkpoint);
    print_result(training);
    return 0;
}

static int train(Training *training, Error *err)
{
    const MelodyConfig config = melody_config_default();
    const TrainRequest *request = training->request;
    const MelodyTier notes = melody_tier_notes(request, false, NULL);
    const MelodyTier samples = melody_tier_samples(request, false, NULL, 0.0);
    const char *const checkpoints[] = {notes.checkpoint, samples.checkpoint};
    if (ranks_team(request->ranks))
        return error_set(err, "a melody model is trained by one process: start it without mpirun");
    if (train_check_files(request, checkpoints, TIERS, err) ||
        train_locate_from(request, training->from_path, err))
        return -1;
    const bool from = training->from_path[0];
    training->model =
        from ? melody_model_open(training->from_path, err) : melody_model_create(&config, err);
    if (!training->model || melody_folder_read(request->folder, request->holdout, !from,
                                               request->common.quiet, &training->found, err))
        return -1;
    training->plan = melody_plan_make(&training->found, from);
    if (create_trainers(training, err) || create_preview(training, err))
        return -1;
    print_found(training);
    for (size_t t = 0; t < TIERS; t++)
        if (look_ahead(training, &training->tiers[t], err))
            return -1;
    progress_begin(&training->progress, request->common.quiet);
    int failed = 0;
    for (size_t t = 0; t < TIERS && !failed && !interrupt_requested(); t++)
        failed = run(training, &training->tiers[t], err);
    progress_end(&training->progress);
    return failed ? -1 : finish(training, err);
}

int train_melody(const TrainRequest *request, Error *err)
{
    Training training = {.request = request};
    const int failed = train(&training, err);
    melody_preview_destroy(training.preview);
    note_trainer_destroy(training.notes);
    predictor_trainer_destroy(training.samples);
    melody_model_destroy(training.model);
    melody_folder_free(&training.found);
    return failed;
}
