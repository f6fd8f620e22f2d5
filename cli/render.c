#include "cli/classes.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/soundfile.h"
#include "cli/verbs.h"
#include "models/catalogue.h"
#include "models/playback.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 4096 };

typedef struct RenderRequest {
    const char *model, *classes, *sampler, *output;
    double seconds, width, rate;
    int64_t seed, steps, channels;
    CommonOptions common;
} RenderRequest;

static int make_settings(const RenderRequest *request, const TextureModel *model,
                         TextureSettings *settings, Error *err)
{
    *settings = texture_settings_default();
    settings->seed = (uint64_t)request->seed;
    settings->steps = (int)request->steps;
    settings->width = (float)request->width;
    if (sampler_kind_parse(request->sampler, &settings->sampler, err))
        return -1;
    if (request->classes && classes_parse(request->classes, model, settings->mix, err))
        return -1;
    return texture_settings_check(settings, model, err);
}

static int copy_sound(const RenderRequest *request, Playback *playback, SoundWriter *writer,
                      uint64_t frames, Progress *progress, Error *err)
{
    float piece[2 * PIECE];
    for (uint64_t done = 0; done < frames;) {
        const size_t n = frames - done < PIECE ? (size_t)(frames - done) : PIECE;
        const int failed = playback_read(playback, piece, n, err);
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
        if (failed || sound_writer_write(writer, piece, n, err))
            return -1;
        done += n;
        progress_update(progress, (double)done / (double)frames, "%.1f s of %.1f s",
                        (double)done / request->rate, request->seconds);
    }
    return 0;
}

static int write_sound(const RenderRequest *request, Playback *playback, uint64_t frames,
                       Error *err)
{
    SoundWriter *writer = sound_writer_create(request->output, (unsigned)request->rate,
                                              (unsigned)request->channels, frames, err);
    if (!writer)
        return -1;
    Progress progress;
    progress_begin(&progress, request->common.quiet);
    const int failed = copy_sound(request, playback, writer, frames, &progress, err);
    progress_end(&progress);
    if (failed) {
        sound_writer_discard(writer);
        return -1;
    }
    return sound_writer_commit(writer, err);
}

static void print_json(const RenderRequest *request, const TextureModel *model, uint64_t frames)
{
    printf("{\"output\": ");
    report_json_string(stdout, request->output);
    printf(", \"frames\": %llu, \"rate\": %.0f, \"channels\": %d, \"seed\": %lld, "
           "\"first_join\": %.9g, \"join_interval\": %.9g}\n",
           (unsigned long long)frames, request->rate, (int)request->channels,
           (long long)request->seed, texture_stream_first_join(model),
           texture_stream_join_interval(model));
}

static int render(RenderRequest *request, const TextureModel *model, Error *err)
{
    TextureSettings settings;
    if (make_settings(request, model, &settings, err))
        return -1;
    if (request->rate == 0)
        request->rate = (double)texture_model_config(model)->rate;
    const uint64_t frames = (uint64_t)fmax(1.0, round(request->seconds * request->rate));
    Playback *playback = playback_create(model, &settings, (unsigned)request->channels,
                                         request->rate, 0, interrupt_flag(), err);
    if (!playback)
        return -1;
    const int failed = write_sound(request, playback, frames, err);
    playback_destroy(playback);
    if (!failed && request->common.json)
        print_json(request, model, frames);
    return failed;
}

static int read_request(int argc, char **argv, RenderRequest *request)
{
    const Option options[] = {
        OPTION_OUTPUT(&request->output, "OUT", "the sound to write: .wav, .flac or .ogg"),
        OPTION_NUMBER("seconds", &request->seconds, 0.001, 1e6, "S", "how long; 10 if not given"),
        OPTION_STRING("model", &request->model, "NAME|FILE", "a texture model; \"texture\""),
        OPTION_STRING("class", &request->classes, "NAME[:WEIGHT],...",
                      "what to make, or a mixture; the model's first class if not given"),
        OPTION_INTEGER("seed", &request->seed, 0, INT64_MAX, "N", "another seed, another sound; 0"),
        OPTION_INTEGER("steps", &request->steps, 1, 1000, "N", "denoising steps; 8"),
        OPTION_STRING("sampler", &request->sampler, "ddpm|ddim|dpm", "dpm if not given"),
        OPTION_NUMBER("width", &request->width, 0, 1, "W", "of the stereo image; 0.5"),
        OPTION_NUMBER("rate", &request->rate, 8000, 192000, "HZ", "the model's if not given"),
        OPTION_INTEGER("channels", &request->channels, 1, 2, "N", "2 if not given"),
    };
    const Usage usage = {.verb = "render",
                         .synopsis = "--seconds S [--class NAME] [--seed N] -o OUT",
                         .summary = "Makes a texture from noise.",
                         .options = options,
                         .option_count = sizeof options / sizeof options[0]};
    char **operands;
    size_t count;
    const int code = options_parse(&usage, argc, argv, &request->common, &operands, &count);
    if (code == OPTIONS_GO_ON && request->rate != floor(request->rate))
        return report_usage("render", "--rate %g: give a whole number", request->rate);
    return code;
}

int verb_render(int argc, char **argv)
{
    RenderRequest request = {.model = "texture",
                             .sampler = "dpm",
                             .seconds = 10,
                             .width = 0.5,
                             .steps = 8,
                             .channels = 2};
    const int code = read_request(argc, argv, &request);
    if (code != OPTIONS_GO_ON)
        return code;
    Error err = {""};
    char path[4096];
    if (catalogue_locate(request.model, NULL, path, sizeof path, &err))
        return report_failure("render", &err);
    TextureModel *model = texture_model_open(path, &err);
    if (!model)
        return report_failure("render", &err);
    const int failed = render(&request, model, &err);
    texture_model_destroy(model);
    return failed ? report_failure("render", &err) : EXIT_DONE;
}
