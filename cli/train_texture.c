#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sound_folder.h"
#include "cli/train.h"
#include "cli/train_card.h"
#include "cli/train_guard.h"
#include "cli/train_outlook.h"
#include "models/texture_trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds of a class's sound under which little more than the recordings themselves can be learnt,
 * and under which more would be heard. */
static const double TOO_LITTLE = 10.0, LITTLE = 60.0;

/* What is at hand while training. */
typedef struct Training {
    const TrainRequest *request;
    char checkpoint[TRAIN_PATH_ROOM];
    char from_path[TRAIN_PATH_ROOM];
    Corpus *corpus;
    TextureModel *from; /* NULL: from nothing */
    TextureModel *model;
    TextureTrainer *trainer;
    FolderReport found;
    Progress progress;
    double saved_at;
    const Team *team; /* NULL: alone */
    TrainGuard *guard;
    bool stopped; /* somebody has asked for it */
} Training;

/* Opens the model to start from, if there is one. */
static int open_from(Training *training, Error *err)
{
    if (train_locate_from(training->request, training->from_path, err))
        return -1;
    if (!training->from_path[0])
        return 0;
    training->from = texture_model_open(training->from_path, err);
    return training->from ? 0 : -1;
}

/* The network that was asked for, its classes still unknown; or that of the model to start from. */
static int configure(Training *training, TextureConfig *config, Error *err)
{
    const TrainRequest *request = training->request;
    if (open_from(training, err))
        return -1;
    if (training->from) {
        *config = *texture_model_config(training->from);
        return 0;
    }
    *config = texture_config_default(1);
    if (prediction_parse(request->prediction, &config->prediction, err) ||
        schedule_kind_parse(request->schedule, &config->schedule, err))
        return -1;
    config->denoiser.channels = (size_t)request->channels;
    config->denoiser.condition = (size_t)request->channels;
    config->denoiser.blocks = (size_t)request->blocks;
    for (size_t b = 0; b < config->denoiser.blocks; b++)
        config->denoiser.dilations[b] = (size_t)1 << b % 6;
    return 0;
}

/* The folder's classes become the configuration's. */
static int name_classes(const Training *training, TextureConfig *config, Error *err)
{
    const size_t classes = corpus_classes(training->corpus);
    if (classes > TEXTURE_MAX_CLASSES)
        return error_set(err, "%s: %zu classes: %d are possible in one model",
                         training->request->folder, classes, TEXTURE_MAX_CLASSES);
    memset(config->classes, 0, sizeof config->classes);
    for (size_t c = 0; c < classes; c++) {
        const char *name = corpus_class_name(training->corpus, c);
        if (strlen(name) >= TEXTURE_CLASS_ROOM)
            return error_set(err,
                             "class \"%s\": its name is longer than %d bytes: rename its folder",
                             name, TEXTURE_CLASS_ROOM - 1);
        strcpy(config->classes[c], name);
    }
    config->denoiser.classes = classes;
    return 0;
}

/* Room for model and checkpoint, each beside its forerunner while it is written: two bytes a
 * weight, and five arrays of four. */
static int check_room(const Training *training, Error *err)
{
    const Denoiser *denoiser = texture_model_denoiser(training->model);
    const double weights = (double)parameters_size(denoiser_parameters(denoiser));
    if (!team_is_first(training->team))
        return 0;
    return train_check_room(training->request->output, 2.0 * (2.0 + 5.0 * 4.0) * weights, err);
}

/* Of one class: whether there is enough of it, and anything to test on. */
static void warn_of_little(const Training *training, const TextureConfig *config, size_t c)
{
    const Corpus *corpus = training->corpus;
    const double frame = (double)(config->frame / 4) / (double)config->rate;
    const double seconds = frame * (double)corpus_frames(corpus, c, 0);
    if (seconds < LITTLE)
        fprintf(stderr,
                "brume train: warning: class \"%s\": %.0f seconds to learn from are %s; a minute "
                "or more gives a better model\n",
                corpus_class_name(corpus, c), seconds,
                seconds < TOO_LITTLE ? "too little: expect copies of them" : "little");
    if (training->request->holdout > 0.0 && !corpus_frames(corpus, c, 1))
        fprintf(stderr,
                "brume train: warning: class \"%s\": too short to set anything aside, so that "
                "nobody can tell when it is learnt by heart\n",
                corpus_class_name(corpus, c));
}

/* Reads the folder, and makes the model that it will train. */
static int prepare(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    TextureConfig config;
    if (configure(training, &config, err))
        return -1;
    Bands *bands = bands_create_hybrid((double)config.rate, config.frame, config.linear,
                                       config.upper, config.top, err);
    training->corpus = bands ? corpus_create(config.denoiser.bands, err) : NULL;
    int failed = !training->corpus ||
                 sound_folder_read(request->folder, &request->only, &config, bands,
                                   training->corpus, request->common.quiet, &training->found, err);
    bands_destroy(bands);
    if (failed || corpus_split(training->corpus, request->holdout, (uint64_t)request->seed, err) ||
        name_classes(training, &config, err))
        return -1;
    training->model = texture_model_create(&config, err);
    if (!training->model || check_room(training, err))
        return -1;
    for (size_t c = 0; c < config.denoiser.classes; c++)
        warn_of_little(training, &config, c);
    return 0;
}

static int create_trainer(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    TextureTrainerSettings settings = texture_trainer_defaults();
    settings.seed = (uint64_t)request->seed;
    settings.batch = (size_t)request->batch;
    settings.threads = (unsigned)request->threads;
    settings.rate = request->rate;
    settings.team = training->team;
    settings.steps = request->steps ? (size_t)request->steps : 1; /* measured, or read, below */
    training->trainer = texture_trainer_create(training->model, training->corpus, &settings, err);
    if (!training->trainer)
        return -1;
    /* The first process tells the others what it starts from. */
    if (!team_is_first(training->team))
        return 0;
    if (training->from && !request->resume &&
        texture_trainer_start_from(training->trainer, training->from, err))
        return -1;
    if (request->resume && texture_trainer_resume(training->trainer, training->checkpoint, err))
        return -1;
    if (request->resume && request->steps)
        texture_trainer_set_steps(training->trainer, (size_t)request->steps);
    return 0;
}

/* A checkpoint that was saved as soon as somebody asked may be older than the evaluation that was
 * due at its step. Where it is not, the same one once more changes nothing. */
static int make_up_evaluation(Training *training, Error *err)
{
    const size_t step = texture_trainer_progress(training->trainer).step;
    if (!step || (step % texture_trainer_interval(training->trainer) &&
                  step != texture_trainer_steps(training->trainer)))
        return 0;
    return texture_trainer_evaluate(training->trainer, err);
}

static int rehearse(void *trainer, Error *err)
{
    return texture_trainer_rehearse(trainer, err);
}

/* Measures the machine, says what is to be expected, and turns hours into steps. */
static int look_ahead(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    TrainOutlook outlook;
    const TrainRehearsal rehearsal = {
        .rehearse = rehearse, .trainer = training->trainer, .team = training->team};
    if (train_outlook_measure(&rehearsal, &outlook, err))
        return -1;
    if (!request->steps && !request->resume)
        texture_trainer_set_steps(training->trainer, train_outlook_steps(&outlook, request->hours));
    const TrainPlan plan = {.steps = texture_trainer_steps(training->trainer) -
                                     texture_trainer_progress(training->trainer).step,
                            .batch = (size_t)request->batch,
                            .classes = corpus_classes(training->corpus),
                            .from_model = training->from != NULL};
    if (!request->common.quiet)
        train_outlook_print(request->common.json ? stderr : stdout, &outlook, &plan);
    return 0;
}

/* Writes the model as it is best so far. */
static int save_model(Training *training, Error *err)
{
    texture_trainer_finish(training->trainer);
    const TrainedOn trained = {.folder = training->request->folder,
                               .from = training->from ? training->from_path : NULL,
                               .found = training->found,
                               .holdout = training->request->holdout,
                               .seed = training->request->seed,
                               .corpus = training->corpus,
                               .progress = texture_trainer_progress(training->trainer),
                               .steps = texture_trainer_steps(training->trainer)};
    return train_card_save(training->model, &training->request->card, &trained,
                           training->request->output, err);
}

/* The model, and what is needed to go on, once it is time. */
static void save(Training *training)
{
    Error why = {""};
    if (!team_is_first(training->team) ||
        train_now() - training->saved_at <= 60.0 * training->request->save_every)
        return;
    training->saved_at = train_now();
    if (texture_trainer_save(training->trainer, training->checkpoint, &why) ||
        save_model(training, &why)) {
        progress_end(&training->progress);
        train_warn_unsaved(&why);
    }
}

/* One line on standard output for each evaluation: the curve, for people and for plots. */
static void print_line(Training *training, double seconds_per_step)
{
    const TextureProgress p = texture_trainer_progress(training->trainer);
    const size_t steps = texture_trainer_steps(training->trainer);
    if (training->request->common.quiet)
        return;
    char left[TRAIN_TIME_ROOM], held_out[64] = "none held out";
    if (!isnan(p.held_out))
        snprintf(held_out, sizeof held_out, "held-out %.4f (best %.4f at %zu)", p.held_out, p.best,
                 p.best_step);
    train_print_time(left, seconds_per_step * (double)(steps - p.step));
    progress_end(&training->progress);
    fprintf(training->request->common.json ? stderr : stdout,
            "step %zu/%zu  loss %.4f  %s  %.2f steps/s  %s left\n", p.step, steps, p.loss, held_out,
            1.0 / seconds_per_step, left);
    fflush(stdout);
}

static int evaluate(Training *training, double seconds_per_step, Error *err)
{
    if (texture_trainer_evaluate(training->trainer, err))
        return -1;
    print_line(training, seconds_per_step);
    save(training);
    return 0;
}

/* Whether somebody has asked any of the processes to stop; -1 when one of them is lost. */
static int ask(Training *training, Error *err)
{
    double asked = interrupt_requested() ? 1.0 : 0.0;
    const int failed = team_total(training->team, &asked, 1, err);
    training->stopped = asked > 0.0;
    return failed;
}

/* From the first step on, where there are others that may be lost. Training does without if it
 * can't be had. */
static void start_guard(Training *training)
{
    if (!training->guard && training->team && team_is_first(training->team))
        training->guard = train_guard_create(training->trainer, training->checkpoint, NULL);
}

/* Steps until all are done, somebody interrupts, or the held-out loss has long stopped falling. */
static int run(Training *training, Error *err)
{
    TextureTrainer *trainer = training->trainer;
    double seconds_per_step = 0.0;
    training->saved_at = train_now();
    for (size_t taken = 1;; taken++) {
        const TextureProgress before = texture_trainer_progress(trainer);
        if (ask(training, err))
            return -1;
        if (training->stopped || before.step >= texture_trainer_steps(trainer))
            break;
        const double start = train_now();
        if (texture_trainer_step(trainer, err))
            return -1;
        start_guard(training);
        const double took = train_now() - start;
        texture_trainer_add_seconds(trainer, took);
        /* The first step also touches all memory for the first time. */
        seconds_per_step = taken < 3 ? took : 0.95 * seconds_per_step + 0.05 * took;
        const size_t steps = texture_trainer_steps(trainer);
        progress_update(&training->progress, (double)(before.step + 1) / (double)steps,
                        "step %zu, loss %.4f, %.2f steps/s", before.step + 1,
                        texture_trainer_progress(trainer).loss, 1.0 / seconds_per_step);
        if ((before.step + 1) % texture_trainer_interval(trainer) == 0 || before.step + 1 == steps)
            if (evaluate(training, seconds_per_step, err))
                return -1;
        if (texture_trainer_stalled(trainer)) {
            progress_end(&training->progress);
            if (team_is_first(training->team))
                fprintf(stderr,
                        "brume train: stopped early: the held-out loss was best at step %zu\n",
                        texture_trainer_progress(trainer).best_step);
            break;
        }
    }
    return 0;
}

static void print_result(const Training *training)
{
    const TextureProgress p = texture_trainer_progress(training->trainer);
    if (training->request->common.json) {
        printf("{\"model\": ");
        report_json_string(stdout, training->request->output);
        printf(", \"steps\": %zu, \"loss\": %.6g, ", p.step, p.loss);
        if (!isnan(p.best))
            printf("\"held_out_loss\": %.6g, \"best_step\": %zu, ", p.best, p.best_step);
        printf("\"seconds\": %.6g}\n", p.seconds);
    } else if (!training->request->common.quiet) {
        printf("wrote %s after %zu steps\n", training->request->output, p.step);
    }
}

/* What is needed to go on. Where there is a guard that was faster, what it has saved will do: there
 * may be no time for more. */
static int save_checkpoint(Training *training, Error *err)
{
    const int saved = train_guard_end(training->guard, err);
    training->guard = NULL;
    return saved ? (saved > 0 ? 0 : -1)
                 : texture_trainer_save(training->trainer, training->checkpoint, err);
}

/* Says how to go on when other processes are lost. */
static int explain_loss(Training *training, Error *err)
{
    Error why = {""};
    if (!texture_trainer_progress(training->trainer).step)
        return -1;
    if (!team_is_first(training->team))
        return error_set(err,
                         "stopped: if the first process has died, go on from the last checkpoint, "
                         "%s, with --resume",
                         training->checkpoint);
    if (save_checkpoint(training, &why))
        return error_set(err,
                         "stopped: a process has died or was asked to stop, and training can only "
                         "go on from the checkpoint before, if there is one: %s",
                         why.message);
    return error_set(err,
                     "stopped: a process has died or was asked to stop, and the others could not "
                     "end their step: %s is whole, start again with --resume",
                     training->checkpoint);
}

/* At the end, or when somebody interrupts. */
static int finish(Training *training, Error *err)
{
    TextureTrainer *trainer = training->trainer;
    const TextureProgress p = texture_trainer_progress(trainer);
    const bool stopped = training->stopped, first = team_is_first(training->team);
    if (p.step == 0)
        return error_set(err, "interrupted before the first step: nothing was written");
    /* Before the evaluation: one that an unbroken run would not have made must not count later. */
    Error why = {""};
    const int unsaved = first && stopped && save_checkpoint(training, &why);
    /* The weights that count are the best that an evaluation saw; a short run may not have had
     * one. */
    if (isnan(p.held_out) && texture_trainer_evaluate(trainer, err))
        return -1;
    if (!first)
        return 0;
    if (save_model(training, err))
        return -1;
    if (unsaved)
        return train_set_unsaved(training->request, &why, err);
    if (stopped)
        return error_set(err,
                         "interrupted at step %zu: the model so far is in %s; --resume goes on",
                         p.step, training->request->output);
    train_guard_end(training->guard, NULL);
    training->guard = NULL;
    unlink(training->checkpoint);
    print_result(training);
    return 0;
}

/* Up to the first step, each on its own; all fail if one does. */
static int make_ready(Training *training, Error *err)
{
    const char *const checkpoint = training->checkpoint;
    const int unfit =
        team_is_first(training->team) && train_check_files(training->request, &checkpoint, 1, err);
    if (team_agree(training->team, unfit, err) ||
        team_agree(training->team, prepare(training, err), err) ||
        team_agree(training->team, create_trainer(training, err), err) ||
        texture_trainer_meet(training->trainer, err))
        return -1;
    return make_up_evaluation(training, err);
}

static int train(Training *training, Error *err)
{
    if (make_ready(training, err))
        return -1;
    const TextureProgress before = texture_trainer_progress(training->trainer);
    if (!training->request->common.quiet) {
        FILE *out = training->request->common.json ? stderr : stdout;
        fprintf(out, "%zu recordings, %.1f minutes, in %zu classes", training->found.used,
                training->found.seconds / 60.0, corpus_classes(training->corpus));
        if (training->team)
            fprintf(out, ", on %zu processes", team_size(training->team));
        fprintf(out, training->request->resume ? "; goes on at step %zu\n" : "\n", before.step);
        fflush(out);
    }
    if (look_ahead(training, err))
        return -1;
    fflush(stdout);
    progress_begin(&training->progress, training->request->common.quiet);
    training->progress.first =
        (double)before.step / (double)texture_trainer_steps(training->trainer);
    ranks_begin(training->request->ranks);
    int failed = run(training, err);
    progress_end(&training->progress);
    failed = failed || finish(training, err);
    return failed && ranks_lost(training->request->ranks) ? explain_loss(training, err) : failed;
}

int train_texture(const TrainRequest *request, Error *err)
{
    Training training = {.request = request, .team = ranks_team(request->ranks)};
    snprintf(training.checkpoint, sizeof training.checkpoint, "%s.checkpoint", request->output);
    const int failed = train(&training, err);
    train_guard_end(training.guard, NULL);
    texture_trainer_destroy(training.trainer);
    texture_model_destroy(training.model);
    texture_model_destroy(training.from);
    corpus_destroy(training.corpus);
    return failed;
}
