#include "cli/train.h"

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "models/catalogue.h"
#include "models/denoiser.h"
#include "models/temporary.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

double train_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void train_print_time(char text[TRAIN_TIME_ROOM], double seconds)
{
    const long whole = seconds > 0.0 ? (long)seconds : 0;
    snprintf(text, TRAIN_TIME_ROOM, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

void train_warn(const char *format, ...)
{
    Error line;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line.message, sizeof line.message, format, arguments);
    va_end(arguments);
    report_clean(line.message);
    fprintf(stderr, "brume train: warning: %s\n", line.message);
}

void train_warn_unsaved(const Error *why)
{
    fprintf(stderr, "brume train: %s; training goes on and tries again later\n", why->message);
}

int train_set_unsaved(const TrainRequest *request, const Error *why, Error *err)
{
    return error_set(err,
                     "interrupted: the model so far is in %.300s, but training can only go on from "
                     "the checkpoint before, if there is one: %s",
                     request->output, why->message);
}

int train_check_files(const TrainRequest *request, const char *const *checkpoints, size_t count,
                      Error *err)
{
    const char *there = NULL;
    Output *output = output_create(request->output, err);
    if (!output)
        return -1;
    output_discard(output);
    for (size_t i = 0; i < count; i++) {
        temporary_sweep(checkpoints[i]);
        if (!there && !access(checkpoints[i], request->resume ? R_OK : F_OK))
            there = checkpoints[i];
    }
    if (!request->resume && there)
        return error_set(err,
                         "%s: is there from a training that was interrupted: give --resume to "
                         "go on, or remove it",
                         there);
    if (request->resume && !there)
        return error_set(err, "%s: there is no checkpoint to go on from: start without --resume",
                         checkpoints[0]);
    return 0;
}

int train_check_room(const char *path, double bytes, Error *err)
{
    struct statvfs status;
    char folder[TRAIN_PATH_ROOM];
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    if (length >= sizeof folder)
        return error_set(err, "%.60s...: the path is too long", path);
    memcpy(folder, path, length);
    strcpy(folder + length, ".");
    /* Where it can't be told, writing will. */
    if (statvfs(folder, &status))
        return 0;
    const double there = (double)status.f_bavail * (double)status.f_frsize;
    return there >= bytes ? 0
                          : error_set(err,
                                      "%s: model and checkpoint need %.0f MB, and %.0f MB are "
                                      "free there: make room, or write elsewhere",
                                      path, bytes / 1e6, there / 1e6);
}

int train_locate_from(const TrainRequest *request, char path[TRAIN_PATH_ROOM], Error *err)
{
    path[0] = '\0';
    if (!request->from || !catalogue_locate(request->from, NULL, path, TRAIN_PATH_ROOM, err))
        return 0;
    if (!request->from_default)
        return -1;
    fprintf(stderr,
            "brume train: warning: there is no model \"%s\" to start from: starts from nothing, "
            "which takes far longer\n",
            request->from);
    return 0;
}

/* What textures start from: the shipped model, unless another one, none or another network is asked
 * for. A model brings its own network. */
static int settle_from(TrainRequest *request)
{
    const bool network =
        request->channels || request->blocks || request->prediction || request->schedule;
    const bool given = request->from != NULL;
    if (given ? !strcmp(request->from, "none") : network) {
        request->from = NULL;
        return OPTIONS_GO_ON;
    }
    if (given && network)
        return report_usage("train", "--from brings its own network: leave out --channels, "
                                     "--blocks, --prediction and --schedule, or say --from none");
    request->from_default = !given;
    request->from = given ? request->from : "texture";
    return OPTIONS_GO_ON;
}

/* Fills in what is usual for textures where nothing was given. */
static int complete_texture(TrainRequest *request)
{
    const int code = settle_from(request);
    if (code != OPTIONS_GO_ON)
        return code;
    request->rate = request->rate > 0.0 ? request->rate : 1e-3;
    request->threads = request->threads ? request->threads : 1;
    request->batch = request->batch ? request->batch : 8;
    request->channels = request->channels ? request->channels : 256;
    request->blocks = request->blocks ? request->blocks : 8;
    request->prediction = request->prediction ? request->prediction : "v";
    request->schedule = request->schedule ? request->schedule : "cosine";
    if (request->threads > request->batch)
        return report_usage("train", "--threads %d is more than --batch %d", (int)request->threads,
                            (int)request->batch);
    return OPTIONS_GO_ON;
}

/* A melody model has networks of its own; it starts from the shipped one if nothing is asked for.
 */
static int complete_melody(TrainRequest *request)
{
    const char *given = request->rate > 0.0   ? "rate"
                        : request->threads    ? "threads"
                        : request->batch      ? "batch"
                        : request->channels   ? "channels"
                        : request->blocks     ? "blocks"
                        : request->prediction ? "prediction"
                        : request->schedule   ? "schedule"
                        : request->only.count ? "class"
                                              : NULL;
    if (given)
        return report_usage("train", "--%s is for textures: leave it out", given);
    request->from_default = !request->from;
    if (!request->from)
        request->from = "melody";
    else if (!strcmp(request->from, "none"))
        request->from = NULL;
    return OPTIONS_GO_ON;
}

static int read_request(int argc, char **argv, TrainRequest *request, bool *melody)
{
    const Option options[] = {
        OPTION_OUTPUT(&request->output, "MODEL", "the model to write (.safetensors)"),
        OPTION_NUMBER("hours", &request->hours, 0.001, 10000, "H",
                      "train this long; 1 if neither --hours nor --steps is given"),
        OPTION_INTEGER("steps", &request->steps, 1, 100000000, "N", "train this many steps"),
        OPTION_NUMBER("save-every", &request->save_every, 0, 1440, "MINUTES",
                      "write a checkpoint this often; 5 if not given"),
        OPTION_FLAG("resume", &request->resume, "go on from MODEL.checkpoint"),
        OPTION_FLAG("no-preview", &request->no_preview,
                    "write no pictures and sounds of its course, and do not measure the result"),
        OPTION_NUMBER("holdout", &request->holdout, 0, 0.9, "SHARE",
                      "sound or tunes set aside to test on; 0.1 if not given"),
        OPTION_INTEGER("seed", &request->seed, 0, INT64_MAX, "N", "of all that is drawn; 1"),
        OPTION_STRING("licence", &request->card.licence, "TEXT", "for the model card"),
        OPTION_STRING("sources", &request->card.sources, "TEXT", "for the model card"),
        OPTION_INTEGER("threads", &request->threads, 1, 64, "N", "(texture) 1 if not given"),
        OPTION_STRINGS("class", &request->only, "NAME",
                       "(texture) only this class; may be repeated"),
        OPTION_INTEGER("batch", &request->batch, 1, 256, "N", "(texture) windows in a step; 8"),
        OPTION_NUMBER("rate", &request->rate, 1e-7, 0.1, "R", "(texture) learning rate; 0.001"),
        OPTION_INTEGER("channels", &request->channels, 16, 1024, "N",
                       "(texture) width of a new network; 256"),
        OPTION_INTEGER("blocks", &request->blocks, 1, DENOISER_MAX_BLOCKS, "N",
                       "(texture) depth of a new network; 8"),
        OPTION_STRING("prediction", &request->prediction, "epsilon|v",
                      "(texture) what it learns; v"),
        OPTION_STRING("schedule", &request->schedule, "linear|cosine",
                      "(texture) of the noise; cosine"),
        OPTION_STRING("from", &request->from, "NAME|FILE|none",
                      "start from this model, of whatever classes; the shipped one, texture or "
                      "melody"),
    };
    const Usage usage = {
        .verb = "train",
        .synopsis = "texture|melody FOLDER -o MODEL [--hours H | --steps N] [--resume]",
        .summary = "Trains a texture model on a folder of sounds (a folder inside it is a class), "
                   "or a melody model on one of tunes (MIDI and sound).",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .operands_least = 2,
        .operands_most = 2};
    char **operands;
    size_t count;
    const int code = options_parse(&usage, argc, argv, &request->common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    *melody = !strcmp(operands[0], "melody");
    if (!*melody && strcmp(operands[0], "texture"))
        return report_usage("train", "\"%.60s\" cannot be trained: give texture or melody",
                            operands[0]);
    if (request->hours > 0 && request->steps)
        return report_usage("train", "--hours and --steps contradict each other: give one");
    if (request->hours <= 0)
        request->hours = 1.0;
    request->folder = operands[1];
    request->common.quiet = request->common.quiet || !team_is_first(ranks_team(request->ranks));
    return *melody ? complete_melody(request) : complete_texture(request);
}

static int train(int argc, char **argv, Ranks *ranks)
{
    TrainRequest request = {.holdout = 0.1, .seed = 1, .save_every = 5.0, .ranks = ranks};
    bool melody = false;
    const int code = read_request(argc, argv, &request, &melody);
    if (code != OPTIONS_GO_ON)
        return code;
    interrupt_install();
    Error err = {""};
    if (!(melody ? train_melody(&request, &err) : train_texture(&request, &err)))
        return EXIT_DONE;
    return ranks_speaks(ranks) ? report_failure("train", &err) : EXIT_FAILED;
}

int verb_train(int argc, char **argv)
{
    Error err = {""};
    Ranks *ranks = ranks_join(&err);
    if (!ranks)
        return err.message[0] ? report_failure("train", &err) : EXIT_FAILED;
    return ranks_leave(ranks, train(argc, argv, ranks));
}
