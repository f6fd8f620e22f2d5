#include "cli/interrupt.h"
#include "cli/melody_folder.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/train.h"
#include "cli/train_melody_preview.h"
#include "models/melody_model.h"
#include "models/note_trainer.h"
#include "models/predictor_trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Steps that tell the machine's speed. */
enum { MEASURE_STEPS = 20, TIERS = MELODY_CURVES, LINE_ROOM = 160 };

/* Training stops when this share of all steps has passed without a better validation loss. */
static const double PATIENCE = 0.25;

/* The notes get this share of the hours, and no more than is of use to them. */
static const double NOTES_SHARE = 0.2, NOTES_HOURS = 0.25;
enum { NOTES_STEPS = 3000, UNSETTLED_STEPS = 1000000000 };

/* Where a tier stands. */
typedef struct Standing {
    size_t step, best_step;
    double best, seconds;  /* validation loss, NaN where not known; seconds in steps */
    double bits, held_out; /* in training, in validation; NaN where not known */
    char line[LINE_ROOM];  /* its losses in words */
} Standing;

/* One of the two networks in training, as both trainers can be treated. */
typedef struct Tier {
    const char *name;
    void *trainer;
    size_t steps, evaluate_every;
    size_t most; /* steps that are of use */
    double hours;
    char checkpoint[TRAIN_PATH_ROOM];
    Error unsaved; /* why the last checkpoint could not be written; empty if it could */
    int (*step)(void *trainer, Error *err);
    int (*evaluate)(void *trainer, Error *err);
    void (*set_steps)(void *trainer, size_t steps);
    void (*add_seconds)(void *trainer, double seconds);
    int (*save)(const void *trainer, const char *path, Error *err);
    int (*resume)(void *trainer, const char *path, Error *err);
    Standing (*stand)(const void *trainer);
} Tier;

typedef struct Training {
    const TrainRequest *request;
    MelodyFolder found;
    MelodyModel *model;
    NoteTrainer *notes;
    PredictorTrainer *samples;
    Tier tiers[TIERS];
    MelodyPreview *preview; /* NULL: none is wanted */
    Progress progress;
} Training;

static int notes_step(void *trainer, Error *err)
{
    return note_trainer_step(trainer, err);
}

static int notes_evaluate(void *trainer, Error *err)
{
    return note_trainer_evaluate(trainer, err);
}

static void notes_set_steps(void *trainer, size_t steps)
{
    note_trainer_set_steps(trainer, steps);
}

static void notes_add_seconds(void *trainer, double seconds)
{
    note_trainer_add_seconds(trainer, seconds);
}

static int notes_save(const void *trainer, const char *path, Error *err)
{
    return note_trainer_save(trainer, path, err);
}

static int notes_resume(void *trainer, const char *path, Error *err)
{
    return note_trainer_resume(trainer, path, err);
}

static Standing notes_stand(const void *trainer)
{
    const NoteProgress p = note_trainer_progress(trainer);
    const double bits = 1.0 / log(2.0);
    Standing standing = {p.step,        p.best_step,       p.best, p.seconds,
                         bits * p.loss, bits * p.held_out, ""};
    int used = snprintf(standing.line, LINE_ROOM, "%.3f bits a note", bits * p.loss);
    if (!isnan(p.held_out))
        snprintf(standing.line + used, LINE_ROOM - (size_t)used,
                 "  validation %.3f (best %.3f at %zu)", bits * p.held_out, bits * p.best,
                 p.best_step);
    return standing;
}

static int samples_step(void *trainer, Error *err)
{
    return predictor_trainer_step(trainer, err);
}

static int samples_evaluate(void *trainer, Error *err)
{
    return predictor_trainer_evaluate(trainer, err);
}

static void samples_set_steps(void *trainer, size_t steps)
{
    predictor_trainer_set_steps(trainer, steps);
}

static void samples_add_seconds(void *trainer, double seconds)
{
    predictor_trainer_add_seconds(trainer, seconds);
}

static int samples_save(const void *trainer, const char *path, Error *err)
{
    return predictor_trainer_save(trainer, path, err);
}

static int samples_resume(void *trainer, const char *path, Error *err)
{
    return predictor_trainer_resume(trainer, path, err);
}

/* Of both kinds of window; of those without a plan alone, where there are no others. */
static double mean_bits(const double bits[2])
{
    return isnan(bits[1]) ? bits[0] : 0.5 * (bits[0] + bits[1]);
}

static Standing samples_stand(const void *trainer)
{
    const PredictorProgress p = predictor_trainer_progress(trainer);
    Standing standing = {
        p.step, p.best_step, p.best, p.seconds, mean_bits(p.bits), mean_bits(p.held_out), ""};
    int used = snprintf(standing.line, LINE_ROOM, "%.3f bits a sample, %.3f planned", p.bits[0],
                        p.bits[1]);
    if (!isnan(p.held_out[0]))
        snprintf(standing.line + used, LINE_ROOM - (size_t)used,
                 "  validation %.3f, %.3f (best at %zu)", p.held_out[0], p.held_out[1],
                 p.best_step);
    return standing;
}

static Tier notes_tier(const TrainRequest *request, NoteTrainer *trainer)
{
    const size_t asked = (size_t)request->steps;
    Tier tier = {.name = "notes",
                 .trainer = trainer,
                 .steps = !asked                ? UNSETTLED_STEPS
                          : asked < NOTES_STEPS ? asked
                                                : NOTES_STEPS,
                 .evaluate_every = 100,
                 .most = NOTES_STEPS,
                 .hours = fmin(NOTES_SHARE * request->hours, NOTES_HOURS),
                 .step = notes_step,
                 .evaluate = notes_evaluate,
                 .set_steps = notes_set_steps,
                 .add_seconds = notes_add_seconds,
                 .save = notes_save,
                 .resume = notes_resume,
                 .stand = notes_stand};
    snprintf(tier.checkpoint, sizeof tier.checkpoint, "%s.notes.checkpoint", request->output);
    return tier;
}

static Tier samples_tier(const TrainRequest *request, PredictorTrainer *trainer, double hours)
{
    Tier tier = {.name = "samples",
                 .trainer = trainer,
                 .steps = request->steps ? (size_t)request->steps : UNSETTLED_STEPS,
                 .evaluate_every = 250,
                 .most = 100000000,
                 .hours = hours,
                 .step = samples_step,
                 .evaluate = samples_evaluate,
                 .set_steps = samples_set_steps,
                 .add_seconds = samples_add_seconds,
                 .save = samples_save,
                 .resume = samples_resume,
                 .stand = samples_stand};
    snprintf(tier.checkpoint, sizeof tier.checkpoint, "%s.checkpoint", request->output);
    return tier;
}

static int create_trainers(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    const MelodyFolder *found = &training->found;
    NoteTrainerSettings notes = note_trainer_defaults();
    PredictorTrainerSettings samples = predictor_trainer_defaults();
    notes.seed = samples.seed = (uint64_t)request->seed;
    training->notes =
        note_trainer_create(melody_model_notes(training->model), found->tunes, &notes, err);
    if (!training->notes)
        return -1;
    training->samples = predictor_trainer_create(melody_model_samples(training->model),
                                                 found->clips[0], found->counts[0], found->clips[1],
                                                 found->counts[1], &samples, err);
    if (!training->samples)
        return -1;
    training->tiers[0] = notes_tier(request, training->notes);
    training->tiers[1] =
        samples_tier(request, training->samples, request->hours - training->tiers[0].hours);
    for (size_t t = 0; t < TIERS; t++) {
        Tier *tier = &training->tiers[t];
        if (request->resume && !access(tier->checkpoint, F_OK) &&
            tier->resume(tier->trainer, tier->checkpoint, err))
            return -1;
        tier->set_steps(tier->trainer, tier->steps);
    }
    return 0;
}

/* After the first steps the hours that are left become a number of steps. */
static void settle_steps(Tier *tier, size_t taken, double seconds_per_step)
{
    if (tier->steps != UNSETTLED_STEPS || taken != MEASURE_STEPS)
        return;
    const Standing standing = tier->stand(tier->trainer);
    const double left = tier->hours * 3600.0 - standing.seconds;
    const double steps = fmax(left, 0.0) / (1.02 * seconds_per_step);
    tier->steps = standing.step + 1 + (size_t)fmin(steps, 1e8);
    if (tier->steps > tier->most)
        tier->steps = tier->most;
    tier->set_steps(tier->trainer, tier->steps);
}

/* One line on standard output for each evaluation: the curve, for people and for plots. */
static void print_line(Training *training, const Tier *tier, double seconds_per_step)
{
    char left[TRAIN_TIME_ROOM];
    const Standing standing = tier->stand(tier->trainer);
    if (training->request->common.quiet)
        return;
    train_print_time(left, seconds_per_step * (double)(tier->steps - standing.step));
    progress_end(&training->progress);
    fprintf(training->request->common.json ? stderr : stdout,
            "%s: step %zu/%zu  %s  %.2f steps/s  %s left\n", tier->name, standing.step, tier->steps,
            standing.line, 1.0 / seconds_per_step, left);
    fflush(stdout);
}

/* The hours were spent, or all steps taken, before this run began. */
static bool is_done(const Tier *tier)
{
    const Standing standing = tier->stand(tier->trainer);
    return standing.step >= tier->most || standing.step >= tier->steps ||
           (tier->steps == UNSETTLED_STEPS && standing.seconds >= tier->hours * 3600.0);
}

static bool is_overfitting(const Tier *tier)
{
    const Standing standing = tier->stand(tier->trainer);
    const double waited = (double)(standing.step - standing.best_step);
    return !isnan(standing.best) &&
           waited > fmax(4.0 * (double)tier->evaluate_every, PATIENCE * (double)tier->steps);
}

/* What is needed to go on. */
static void save(Training *training, Tier *tier)
{
    tier->unsaved = (Error){""};
    if (tier->save(tier->trainer, tier->checkpoint, &tier->unsaved)) {
        progress_end(&training->progress);
        train_warn_unsaved(&tier->unsaved);
    }
}

/* What can be seen of it so far; and heard, once the samples are being learnt. */
static void preview(Training *training, bool heard, const atomic_bool *cancel)
{
    progress_end(&training->progress);
    melody_model_set_notes(training->model, note_trainer_best(training->notes));
    melody_model_set_samples(training->model, predictor_trainer_weights(training->samples));
    melody_preview_write(training->preview, heard ? training->model : NULL, cancel);
}

/* Evaluates a tier, and takes down what comes of it. */
static int evaluate(Training *training, const Tier *tier, Error *err)
{
    if (tier->evaluate(tier->trainer, err))
        return -1;
    const Standing s = tier->stand(tier->trainer);
    return melody_preview_add(training->preview, (MelodyCurve)(tier - training->tiers),
                              (CurvePoint){s.step, s.bits, s.held_out, s.seconds}, err);
}

/* Steps until all are done, somebody interrupts, or the validation loss has long stopped falling.
 * A checkpoint stays at the end: the other tier is not done yet. */
static int run(Training *training, Tier *tier, Error *err)
{
    double seconds_per_step = 0.0, saved_at = train_now();
    if (is_done(tier))
        return 0;
    for (size_t taken = 1; !interrupt_requested() && !is_overfitting(tier); taken++) {
        const size_t step = tier->stand(tier->trainer).step;
        if (step >= tier->steps)
            break;
        const double start = train_now();
        if (tier->step(tier->trainer, err))
            return -1;
        const double took = train_now() - start;
        tier->add_seconds(tier->trainer, took);
        /* The first step also touches all memory for the first time. */
        seconds_per_step = taken < 3 ? took : 0.95 * seconds_per_step + 0.05 * took;
        settle_steps(tier, taken, seconds_per_step);
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
    if (tier->stand(tier->trainer).step)
        save(training, tier);
    return 0;
}

/* Bits a note on tunes that training never saw, in words. */
static int describe_notes(const Training *training, char *text, size_t room, Error *err)
{
    NoteBits bits;
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

/* Writes the model as it is best so far, with its card. */
static int save_model(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    const MelodyFolder *found = &training->found;
    const Standing notes = training->tiers[0].stand(training->notes);
    const Standing samples = training->tiers[1].stand(training->samples);
    const PredictorProgress progress = predictor_trainer_progress(training->samples);
    char trained[512], note_figures[160], sample_figures[160] = "none held out";
    melody_model_set_notes(training->model, note_trainer_best(training->notes));
    melody_model_set_samples(training->model, predictor_trainer_weights(training->samples));
    if (describe_notes(training, note_figures, sizeof note_figures, err))
        return -1;
    if (!isnan(progress.held_out[0]))
        snprintf(sample_figures, sizeof sample_figures, "%.3f, with a plan %.3f (validation)",
                 progress.held_out[0], progress.held_out[1]);
    snprintf(
        trained, sizeof trained,
        "notes: %zu steps, %.2f hours, %zu tunes; samples: %zu steps, %.2f hours, %.1f minutes "
        "of sound; seed %" PRId64 ", hold-out %g",
        notes.step, notes.seconds / 3600.0, note_corpus_tunes(found->tunes, NOTE_TRAIN),
        samples.step, samples.seconds / 3600.0, found->seconds / 60.0, request->seed,
        request->holdout);
    const MelodyCardLine card[] = {
        {"licence", request->card.licence ? request->card.licence : "not stated"},
        {"sources", request->card.sources ? request->card.sources : "not stated"},
        {"training", trained},
        {"bits_per_note", note_figures},
        {"bits_per_sample", sample_figures},
        {"made_with", "brume " BRUME_VERSION},
    };
    return melody_model_save(training->model, card, sizeof card / sizeof card[0], true,
                             request->output, err);
}

static int create_preview(Training *training, Error *err)
{
    size_t steps[TIERS];
    for (size_t t = 0; t < TIERS; t++)
        steps[t] = training->tiers[t].stand(training->tiers[t].trainer).step;
    return melody_preview_create(training->request, &training->found, steps, &training->preview,
                                 err);
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
                training->tiers[0].stand(training->notes).step,
                training->tiers[1].stand(training->samples).step);
    fprintf(out, "\n");
    fflush(out);
}

static void print_result(const Training *training)
{
    const Standing notes = training->tiers[0].stand(training->notes);
    const Standing samples = training->tiers[1].stand(training->samples);
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
    if (stopped && !training->tiers[0].stand(training->notes).step)
        return error_set(err, "interrupted before the first step: nothing was written");
    /* The weights that count are the best that an evaluation saw; a short run may have had none. */
    for (size_t t = 0; t < TIERS; t++)
        if (!training->tiers[t].stand(training->tiers[t].trainer).best_step &&
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
    const Tier notes = notes_tier(request, NULL), samples = samples_tier(request, NULL, 0.0);
    const char *const checkpoints[] = {notes.checkpoint, samples.checkpoint};
    if (train_check_files(request, checkpoints, TIERS, err) ||
        melody_folder_read(request->folder, request->holdout, request->common.quiet,
                           &training->found, err))
        return -1;
    training->model = melody_model_create(&config, err);
    if (!training->model || create_trainers(training, err) || create_preview(training, err))
        return -1;
    print_found(training);
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
