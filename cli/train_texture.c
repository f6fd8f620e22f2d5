#include "cli/interrupt.h"
#include "cli/report.h"
#include "cli/train_card.h"
#include "cli/train_folder.h"
#include "cli/train_outlook.h"
#include "cli/train_texture_parts.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static int create_preview(TextureTraining *training, Error *err)
{
    training->sounds =
        (TrainSounds){texture_model_config(training->model), training->corpus, &training->found};
    if (training->request->no_preview)
        return 0;
    training->preview = train_preview_create(training->request, &training->sounds,
                                             texture_trainer_progress(training->trainer).step, err);
    return training->preview ? 0 : -1;
}

static int rehearse(void *trainer, Error *err)
{
    return texture_trainer_rehearse(trainer, err);
}

/* Measures the machine, says what is to be expected, and turns hours into steps. */
static int look_ahead(TextureTraining *training, Error *err)
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
static int save_model(TextureTraining *training, Error *err)
{
    char measured[TRAIN_REPORT_ROOM];
    texture_trainer_finish(training->trainer);
    train_report_card(&training->report, measured);
    const TrainedOn trained = {.folder = training->request->folder,
                               .from = training->from ? training->from_path : NULL,
                               .found = training->found,
                               .holdout = training->request->holdout,
                               .seed = training->request->seed,
                               .corpus = training->corpus,
                               .progress = texture_trainer_progress(training->trainer),
                               .steps = texture_trainer_steps(training->trainer),
                               .measured = training->report.count ? measured : NULL};
    return train_card_save(training->model, &training->request->card, &trained,
                           training->request->output, err);
}

/* What can be seen and heard of the model as it has just been written. */
static int preview(TextureTraining *training, const atomic_bool *cancel, Error *why)
{
    const TrainRequest *request = training->request;
    const double start = train_now();
    Progress progress;
    progress_end(&training->progress);
    progress_begin(&progress, request->common.quiet);
    const int failed = train_preview_write(
        training->preview, texture_trainer_steps(training->trainer), cancel, &progress, why);
    progress_end(&progress);
    if (!failed && !training->previewed)
        train_folder_tell(request, train_preview_folder(training->preview), train_now() - start);
    training->previewed = training->previewed || !failed;
    return failed;
}

/* The model, and what is needed to go on, once it is time. */
static void save(TextureTraining *training)
{
    Error why = {""};
    if (!team_is_first(training->team) ||
        train_now() - training->saved_at <= 60.0 * training->request->save_every)
        return;
    training->saved_at = train_now();
    if (texture_trainer_save(training->trainer, training->checkpoint, &why) ||
        save_model(training, &why) ||
        (training->preview && preview(training, interrupt_flag(), &why) &&
         !interrupt_requested())) {
        progress_end(&training->progress);
        train_warn_unsaved(&why);
    }
}

/* One line on standard output for each evaluation: the curve, for people and for plots. */
static void print_line(TextureTraining *training, double seconds_per_step)
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

/* Evaluates the weights, and takes down what comes of it. */
static int test(TextureTraining *training, Error *err)
{
    if (texture_trainer_evaluate(training->trainer, err))
        return -1;
    const TextureProgress p = texture_trainer_progress(training->trainer);
    return training->preview ? train_preview_add(training->preview, &p, err) : 0;
}

static int evaluate(TextureTraining *training, double seconds_per_step, Error *err)
{
    if (test(training, err))
        return -1;
    print_line(training, seconds_per_step);
    save(training);
    return 0;
}

/* Whether somebody has asked any of the processes to stop; -1 when one of them is lost. */
static int ask(TextureTraining *training, Error *err)
{
    double asked = interrupt_requested() ? 1.0 : 0.0;
    const int failed = team_total(training->team, &asked, 1, err);
    training->stopped = asked > 0.0;
    return failed;
}

/* From the first step on, where there are others that may be lost. Training does without if it
 * can't be had. */
static void start_guard(TextureTraining *training)
{
    if (!training->guard && training->team && team_is_first(training->team))
        training->guard = train_guard_create(training->trainer, training->checkpoint, NULL);
}

/* Steps until all are done, somebody interrupts, or the held-out loss has long stopped falling. */
static int run(TextureTraining *training, Error *err)
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

static void print_result(const TextureTraining *training)
{
    const TextureProgress p = texture_trainer_progress(training->trainer);
    if (training->request->common.json) {
        printf("{\"model\": ");
        report_json_string(stdout, training->request->output);
        printf(", \"steps\": %zu, \"loss\": %.6g, ", p.step, p.loss);
        if (!isnan(p.best))
            printf("\"held_out_loss\": %.6g, \"best_step\": %zu, ", p.best, p.best_step);
        printf("\"seconds\": %.6g", p.seconds);
        if (training->preview) {
            printf(", \"preview\": ");
            report_json_string(stdout, train_preview_folder(training->preview));
            printf(", \"report\": ");
            train_report_print_json(stdout, &training->report);
        }
        printf("}\n");
    } else if (!training->request->common.quiet) {
        printf("wrote %s after %zu steps\n", training->request->output, p.step);
    }
}

/* What is needed to go on. Where there is a guard that was faster, what it has saved will do: there
 * may be no time for more. */
static int save_checkpoint(TextureTraining *training, Error *err)
{
    const int saved = train_guard_end(training->guard, err);
    training->guard = NULL;
    return saved ? (saved > 0 ? 0 : -1)
                 : texture_trainer_save(training->trainer, training->checkpoint, err);
}

/* Says how to go on when other processes are lost. */
static int explain_loss(TextureTraining *training, Error *err)
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

/* The last preview, and what the model that is written has come to; its card gets the figures. The
 * model is there: none of this is worth failing for. Who has interrupted training can interrupt
 * this once more. */
static void judge(TextureTraining *training, bool stopped)
{
    const CommonOptions *common = &training->request->common;
    const atomic_bool *cancel = stopped ? NULL : interrupt_flag();
    FILE *out = common->json ? stderr : stdout;
    Error why = {""};
    Progress progress;
    if (stopped && !common->quiet)
        fprintf(out, "the model is written; a last preview and a report follow\n");
    fflush(out);
    if (preview(training, cancel, &why))
        train_warn("%s", why.message);
    progress_begin(&progress, common->quiet);
    const int failed = train_report_make(&training->sounds, training->request->output, cancel,
                                         &progress, &training->report, &why);
    progress_end(&progress);
    if (failed || save_model(training, &why))
        train_warn("%s", why.message);
    if (!common->quiet)
        train_report_print(out, &training->report);
    fflush(out);
}

/* At the end, or when somebody interrupts. */
static int finish(TextureTraining *training, Error *err)
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
    if (isnan(p.held_out) && test(training, err))
        return -1;
    if (!first)
        return 0;
    if (save_model(training, err))
        return -1;
    if (training->preview)
        judge(training, stopped);
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

/* A checkpoint that was saved as soon as somebody asked may be older than the evaluation that was
 * due at its step. Where it is not, the same one once more changes nothing. */
static int make_up_evaluation(TextureTraining *training, Error *err)
{
    const size_t step = texture_trainer_progress(training->trainer).step;
    if (!step || (step % texture_trainer_interval(training->trainer) &&
                  step != texture_trainer_steps(training->trainer)))
        return 0;
    return test(training, err);
}

/* Up to the first step, each on its own; all fail if one does. */
static int make_ready(TextureTraining *training, Error *err)
{
    const char *const checkpoint = training->checkpoint;
    const int unfit =
        team_is_first(training->team) && train_check_files(training->request, &checkpoint, 1, err);
    if (team_agree(training->team, unfit, err) ||
        team_agree(training->team, train_texture_prepare(training, err), err) ||
        team_agree(training->team, train_texture_create_trainer(training, err), err) ||
        texture_trainer_meet(training->trainer, err) ||
        team_agree(training->team, team_is_first(training->team) && create_preview(training, err),
                   err))
        return -1;
    return make_up_evaluation(training, err);
}

static int train(TextureTraining *training, Error *err)
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
    TextureTraining training = {.request = request, .team = ranks_team(request->ranks)};
    snprintf(training.checkpoint, sizeof training.checkpoint, "%s.checkpoint", request->output);
    const int failed = train(&training, err);
    train_guard_end(training.guard, NULL);
    train_preview_destroy(training.preview);
    folder_report_free(&training.found);
    texture_trainer_destroy(training.trainer);
    texture_model_destroy(training.model);
    texture_model_destroy(training.from);
    corpus_destroy(training.corpus);
    return failed;
}
