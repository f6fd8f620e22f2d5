/* What a texture training begins with: recordings, a model, a trainer. */
#include "cli/train_texture_parts.h"

#include <stdio.h>
#include <string.h>

/* Seconds of a class's sound under which little more than the recordings themselves can be learnt.
 */
static const double TOO_LITTLE = 10.0;

/* Opens the model to start from, if there is one. */
static int open_from(TextureTraining *training, Error *err)
{
    if (train_locate_from(training->request, training->from_path, err))
        return -1;
    if (!training->from_path[0])
        return 0;
    training->from = texture_model_open(training->from_path, err);
    return training->from ? 0 : -1;
}

/* The network that was asked for, its classes still unknown; or that of the model to start from. */
static int configure(TextureTraining *training, TextureConfig *config, Error *err)
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
static int name_classes(const TextureTraining *training, TextureConfig *config, Error *err)
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
static int check_room(const TextureTraining *training, Error *err)
{
    const Denoiser *denoiser = texture_model_denoiser(training->model);
    const double weights = (double)parameters_size(denoiser_parameters(denoiser));
    if (!team_is_first(training->team))
        return 0;
    return train_check_room(training->request->output, 2.0 * (2.0 + 5.0 * 4.0) * weights, err);
}

/* Of one class: whether there is enough of it, and anything to test on. */
static void warn_of_little(const TextureTraining *training, const TextureConfig *config, size_t c)
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

int train_texture_prepare(TextureTraining *training, Error *err)
{
    const TrainRequest *request = training->request;
    TextureConfig config;
    if (configure(training, &config, err))
        return -1;
    Bands *bands = bands_create_hybrid((double)config.rate, config.frame, config.linear,
                                       config.upper, config.top, err);
    training->corpus = bands ? corpus_create(config.denoiser.bands, err) : NULL;
    const FolderVoice voice = !team_is_first(training->team) ? FOLDER_SILENT
                              : request->common.quiet        ? FOLDER_WARNS
                                                             : FOLDER_TELLS;
    int failed =
        !training->corpus || sound_folder_read(request->folder, &request->only, &config, bands,
                                               training->corpus, voice, &training->found, err);
    bands_destroy(bands);
    if (failed || corpus_split(training->corpus, request->holdout, (uint64_t)request->seed, err) ||
        name_classes(training, &config, err))
        return -1;
    training->model = texture_model_create(&config, err);
    if (!training->model || check_room(training, err))
        return -1;
    for (size_t c = 0; c < config.denoiser.classes && team_is_first(training->team); c++)
        warn_of_little(training, &config, c);
    return 0;
}

int train_texture_create_trainer(TextureTraining *training, Error *err)
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
