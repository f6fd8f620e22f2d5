#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sound_folder.h"
#include "cli/train.h"
#include "cli/train_card.h"
#include "cli/train_folder.h"
#include "cli/train_outlook.h"
#include "cli/train_preview.h"
#include "cli/train_report.h"
#include "models/texture_trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Seconds of a class's sound under which little more than the recordings themselves can be learnt.
 */
static const double TOO_LITTLE = 10.0;

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
    TrainSounds sounds;
    TrainPreview *preview; /* NULL: none is wanted */
    bool previewed;        /* the user has been told where */
    TrainReport report;    /* of the model as it is written */
    Progress progress;
    double saved_at;
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
    return train_check_room(training->request->output, 2.0 * (2.0 + 5.0 * 4.0) * weights, err);
}

/* Of one class: whether there is enough of it, and anything to test on. */
static void warn_of_little(const Training *training, const TextureConfig *config, size_t c)
{
    const Corpus *corpus = training->corpus;
    const double frame = (double)(config->frame / 4) / (double)config->rate;
    const double seconds = frame * (double)corpus_frames(corpus, c, 0);
    if (seconds < TRAIN_LITTLE)
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
    settings.steps = request->steps ? (size_t)request->steps : 1; /* measured, or read, below */
    training->trainer = texture_trainer_create(training->model, training->corpus, &settings, err);
    if (!training->trainer)
        return -1;
    if (training->from && !request->resume &&
        texture_trainer_start_from(training->trainer, training->from, err))
        return -1;
    if (request->resume && texture_trainer_resume(training->trainer, training->checkpoint, err))
        return -1;
    if (request->resume && request->steps)
        texture_trainer_set_steps(training->trainer, (size_t)request->steps);
    return 0;
}

static int create_preview(Training *training, Error *err)
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
static int look_ahead(Training *training, Error *err)
{
    const TrainRequest *request = training->request;
    TrainOutlook outlook;
    if (train_outlook_measure(rehearse, training->trainer, 0, &outlook, err))
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
static int preview(Training *training, const atomic_bool *cancel, Error *why)
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
static void save(Training *training)
{
    Error why = {""};
    if (train_now() - training->saved_at <= 60.0 * training->request->save_every)
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

/* Evaluates the weights, and takes down what comes of it. */
static int test(Training *training, Error *err)
{
    if (texture_trainer_evaluate(training->trainer, err))
        return -1;
    const TextureProgress p = texture_trainer_progress(training->trainer);
    return training->preview ? train_preview_add(training->preview, &p, err) : 0;
}

static int evaluate(Training *training, double seconds_per_step, Error *err)
{
    if (test(training, err))
        return -1;
    print_line(training, seconds_per_step);
    save(training);
    return 0;
}

/* Steps until all are done, somebody interrupts, or the held-out loss has long stopped falling. */
static int run(Training *training, Error *err)
{
    TextureTrainer *trainer = training->trainer;
    double seconds_per_step = 0.0;
    training->saved_at = train_now();
    for (size_t taken = 1; !interrupt_requested(); taken++) {
        const TextureProgress before = texture_trainer_progress(trainer);
        if (before.step >= texture_trainer_steps(trainer))
            break;
        const double start = train_now();
        if (texture_trainer_step(trainer, err))
            return -1;
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
            fprintf(stderr, "brume train: stopped early: the held-out loss was best at step %zu\n",
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

/* The last preview, and what the model that is written has come to; its card gets the figures. The
 * model is there: none of this is worth failing for. Who has interrupted training can interrupt
 * this once more. */
static void judge(Training *training, bool stopped)
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
static int finish(Training *training, Error *err)
{
    TextureTrainer *trainer = training->trainer;
    const TextureProgress p = texture_trainer_progress(trainer);
    const bool stopped = interrupt_requested();
    if (p.step == 0)
        return error_set(err, "interrupted before the first step: nothing was written");
    /* Before the evaluation: one that an unbroken run would not have made must not count later. */
    Error why = {""};
    const int unsaved = stopped && texture_trainer_save(trainer, training->checkpoint, &why);
    /* The weights that count are the best that an evaluation saw; a short run may not have had
     * one. */
    if (isnan(p.held_out) && test(training, err))
        return -1;
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
    unlink(training->checkpoint);
    print_result(training);
    return 0;
}

static int train(Training *training, Error *err)
{
    const char *const checkpoint = training->checkpoint;
    if (train_check_files(training->request, &checkpoint, 1, err) || prepare(training, err) ||
        create_trainer(training, err) || create_preview(training, err))
        return -1;
    const TextureProgress before = texture_trainer_progress(training->trainer);
    if (!training->request->common.quiet) {
        FILE *out = training->request->common.json ? stderr : stdout;
        fprintf(out, "%zu recordings, %.1f minutes, in %zu classes", training->found.used,
                training->found.seconds / 60.0, corpus_classes(training->corpus));
        fprintf(out, training->request->resume ? "; goes on at step %zu\n" : "\n", before.step);
        fflush(out);
    }
    if (look_ahead(training, err))
        return -1;
    fflush(stdout);
    progress_begin(&training->progress, training->request->common.quiet);
    training->progress.first =
        (double)before.step / (double)texture_trainer_steps(training->trainer);
    const int failed = run(training, err);
    progress_end(&training->progress);
    return failed ? -1 : finish(training, err);
}

int train_texture(const TrainRequest *request, Error *err)
{
    Training training = {.request = request};
    snprintf(training.checkpoint, sizeof training.checkpoint, "%s.checkpoint", request->output);
    const int failed = train(&training, err);
    train_preview_destroy(training.preview);
    folder_report_free(&training.found);
    texture_trainer_destroy(training.trainer);
    texture_model_destroy(training.model);
    texture_model_destroy(training.from);
    corpus_destroy(training.corpus);
    return failed;
}
