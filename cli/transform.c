#include "cli/classes.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/soundfile.h"
#include "cli/verbs.h"
#include "dsp/downmix.h"
#include "dsp/resample.h"
#include "models/catalogue.h"
#include "models/transform_playback.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 4096, LONGEST_INPUT = 6 * 3600 };

typedef struct TransformRequest {
    const char *input, *model, *classes, *output;
    double strength, width, rate;
    int64_t seed, steps, channels;
    CommonOptions common;
} TransformRequest;

/* Converts the input to another number of channels, in place. */
static int convert_channels(Sound *sound, unsigned channels, Error *err)
{
    if (channels == sound->channels)
        return 0;
    float *samples = malloc(sound->frames * channels * sizeof *samples);
    if (!samples)
        return error_set(err, "out of memory for the input");
    if (channels == 1)
        downmix(sound->samples, sound->frames, sound->channels, samples);
    for (size_t i = 0; channels == 2 && i < sound->frames; i++)
        samples[2 * i] = samples[2 * i + 1] = sound->samples[i];
    const Sound converted = {samples, sound->frames, channels, sound->rate};
    sound_free(sound);
    *sound = converted;
    return 0;
}

static int convert_rate(Sound *sound, double rate, Error *err)
{
    float *samples;
    size_t frames;
    if (rate == (double)sound->rate)
        return 0;
    if (resampler_all(sound->samples, sound->frames, sound->channels, (double)sound->rate, rate,
                      &samples, &frames, err))
        return -1;
    const Sound converted = {samples, frames, sound->channels, (unsigned)rate};
    sound_free(sound);
    *sound = converted;
    return 0;
}

static int make_settings(const TransformRequest *request, const TextureModel *model,
                         TransformSettings *settings, Error *err)
{
    settings->texture = texture_settings_default();
    settings->texture.seed = (uint64_t)request->seed;
    settings->texture.steps = (int)request->steps;
    settings->texture.width = (float)request->width;
    settings->strength = (float)request->strength;
    if (request->classes && classes_parse(request->classes, model, settings->texture.mix, err))
        return -1;
    return transform_settings_check(settings, model, err);
}

/* Feeds the input, and silence after it until all that belongs to it has come out. */
static int copy_sound(const TransformRequest *request, const Sound *input,
                      TransformPlayback *playback, SoundWriter *writer, Progress *progress,
                      Error *err)
{
    static const float silence[2 * PIECE];
    float piece[2 * PIECE];
    for (size_t fed = 0, done = 0; done < input->frames;) {
        const size_t left = input->frames - fed, rest = input->frames - done;
        const float *in = left > 0 ? input->samples + fed * input->channels : silence;
        size_t used, made;
        const int failed =
            transform_playback_process(playback, in, left > 0 && left < PIECE ? left : PIECE, &used,
                                       piece, rest < PIECE ? rest : PIECE, &made, err);
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
        if (failed || (made > 0 && sound_writer_write(writer, piece, made, err)))
            return -1;
        fed += left > 0 ? used : 0;
        done += made;
        progress_update(progress, (double)done / (double)input->frames, "%.1f s of %.1f s",
                        (double)done / request->rate, (double)input->frames / request->rate);
    }
    return 0;
}

static int write_sound(const TransformRequest *request, const Sound *input,
                       TransformPlayback *playback, Error *err)
{
    SoundWriter *writer =
        sound_writer_create(request->output, input->rate, input->channels, input->frames, err);
    if (!writer)
        return -1;
    Progress progress;
    progress_begin(&progress, request->common.quiet);
    const int failed = copy_sound(request, input, playback, writer, &progress, err);
    progress_end(&progress);
    if (failed) {
        sound_writer_discard(writer);
        return -1;
    }
    return sound_writer_commit(writer, err);
}

static void print_json(const TransformRequest *request, const TextureModel *model,
                       const Sound *input)
{
    printf("{\"output\": ");
    report_json_string(stdout, request->output);
    printf(", \"frames\": %zu, \"rate\": %u, \"channels\": %u, \"seed\": %lld, \"strength\": %.9g, "
           "\"latency\": %.9g}\n",
           input->frames, input->rate, input->channels, (long long)request->seed, request->strength,
           (double)transform_playback_latency(model, request->rate) / request->rate);
}

static int transform(TransformRequest *request, const TextureModel *model, Sound *input, Error *err)
{
    TransformSettings settings;
    if (make_settings(request, model, &settings, err))
        return -1;
    if (input->channels > 2 && request->channels != 1)
        return error_set(err, "%s has %u channels: give a sound of one or two, or --channels 1",
                         request->input, input->channels);
    if (request->rate == 0)
        request->rate = (double)input->rate;
    if (request->channels == 0)
        request->channels = input->channels;
    if (convert_channels(input, (unsigned)request->channels, err) ||
        convert_rate(input, request->rate, err))
        return -1;
    TransformPlayback *playback = transform_playback_create(model, &settings, input->channels,
                                                            request->rate, interrupt_flag(), err);
    if (!playback)
        return -1;
    const int failed = write_sound(request, input, playback, err);
    transform_playback_destroy(playback);
    if (!failed && request->common.json)
        print_json(request, model, input);
    return failed;
}

static int read_request(int argc, char **argv, TransformRequest *request)
{
    const Option options[] = {
        OPTION_OUTPUT(&request->output, "OUT", "the sound to write: .wav, .flac or .ogg"),
        OPTION_NUMBER("strength", &request->strength, 0, 1, "X",
                      "0 gives INPUT back, 1 a texture; 0.5 if not given"),
        OPTION_STRING("model", &request->model, "NAME|FILE", "a texture model; \"texture\""),
        OPTION_STRING("class", &request->classes, "NAME[:WEIGHT],...",
                      "what to make, or a mixture; the model's first class if not given"),
        OPTION_INTEGER("seed", &request->seed, 0, INT64_MAX, "N", "another seed, another sound; 0"),
        OPTION_INTEGER("steps", &request->steps, 1, 1000, "N",
                       "denoising steps at strength 1, and fewer below; 8"),
        OPTION_NUMBER("width", &request->width, 0, 1, "W",
                      "of the texture's stereo image; 0 keeps a sound in the middle there; 0.5"),
        OPTION_NUMBER("rate", &request->rate, 8000, 192000, "HZ", "the input's if not given"),
        OPTION_INTEGER("channels", &request->channels, 1, 2, "N", "the input's if not given"),
    };
    const Usage usage = {.verb = "transform",
                         .synopsis = "INPUT [--strength X] [--class NAME] [--seed N] -o OUT",
                         .summary = "Makes a texture of a sound, as far as you like: its gestures "
                                    "stay, and what it is made of changes.",
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .operands_least = 1,
                         .operands_most = 1};
    char **operands;
    size_t count;
    const int code = options_parse(&usage, argc, argv, &request->common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    request->input = operands[0];
    if (request->rate != floor(request->rate))
        return report_usage("transform", "--rate %g: give a whole number", request->rate);
    return code;
}

static int run(TransformRequest *request, Error *err)
{
    char path[4096];
    Sound input;
    if (catalogue_locate(request->model, NULL, path, sizeof path, err))
        return -1;
    TextureModel *model = texture_model_open(path, err);
    if (!model)
        return -1;
    int failed = soundfile_load(request->input, LONGEST_INPUT, &input, err);
    if (!failed) {
        failed = transform(request, model, &input, err);
        sound_free(&input);
    }
    texture_model_destroy(model);
    return failed;
}

int verb_transform(int argc, char **argv)
{
    TransformRequest request = {.model = "texture", .strength = 0.5, .width = 0.5, .steps = 8};
    const int code = read_request(argc, argv, &request);
    if (code != OPTIONS_GO_ON)
        return code;
    interrupt_install();
    Error err = {""};
    return run(&request, &err) ? report_failure("transform", &err) : EXIT_DONE;
}
