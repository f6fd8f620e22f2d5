#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/soundfile.h"
#include "cli/verbs.h"
#include "dsp/downmix.h"
#include "dsp/resample.h"
#include "models/catalogue.h"
#include "models/melody_condition.h"
#include "models/recital.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024, LONGEST_PROMPT = 600 };

typedef struct ContinueRequest {
    const char *prompt, *model, *output;
    double seconds, temperature, top_p, rate;
    int64_t seed;
    bool with_prompt;
    CommonOptions common;
} ContinueRequest;

/* Converts the prompt to another rate, in place. */
static int convert(Sound *prompt, double rate, Error *err)
{
    float *samples;
    size_t frames;
    if (rate == (double)prompt->rate)
        return 0;
    if (resampler_all(prompt->samples, prompt->frames, prompt->channels, (double)prompt->rate, rate,
                      &samples, &frames, err))
        return -1;
    const Sound converted = {samples, frames, prompt->channels, (unsigned)rate};
    sound_free(prompt);
    *prompt = converted;
    return 0;
}

/* What the model hears of a prompt. */
static int hear(const Sound *prompt, float **mono, size_t *n, Error *err)
{
    float *mixed = malloc(prompt->frames * sizeof *mixed);
    if (!mixed)
        return error_set(err, "out of memory for the prompt");
    downmix(prompt->samples, prompt->frames, prompt->channels, mixed);
    const int failed =
        resampler_all(mixed, prompt->frames, 1, (double)prompt->rate, MELODY_RATE, mono, n, err);
    free(mixed);
    return failed;
}

static int copy_sound(const ContinueRequest *request, Recital *recital, uint64_t frames,
                      SoundWriter *writer, Progress *progress, Error *err)
{
    float piece[2 * PIECE];
    for (uint64_t done = 0; done < frames;) {
        const size_t n = frames - done < PIECE ? (size_t)(frames - done) : PIECE;
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
        if (recital_read(recital, piece, n, err) || sound_writer_write(writer, piece, n, err))
            return -1;
        done += n;
        progress_update(progress, (double)done / (double)frames, "%.1f s of %.1f s",
                        (double)done / request->rate, request->seconds);
    }
    return 0;
}

static int write_sound(const ContinueRequest *request, const Sound *prompt, Recital *recital,
                       uint64_t frames, Error *err)
{
    const uint64_t all = frames + (request->with_prompt ? prompt->frames : 0);
    SoundWriter *writer =
        sound_writer_create(request->output, prompt->rate, prompt->channels, all, err);
    if (!writer)
        return -1;
    Progress progress;
    progress_begin(&progress, request->common.quiet);
    int failed =
        request->with_prompt && sound_writer_write(writer, prompt->samples, prompt->frames, err);
    failed = failed || copy_sound(request, recital, frames, writer, &progress, err);
    progress_end(&progress);
    if (failed) {
        sound_writer_discard(writer);
        return -1;
    }
    return sound_writer_commit(writer, err);
}

static void print_json(const ContinueRequest *request, const Sound *prompt, const Recital *recital,
                       uint64_t frames)
{
    const ContinuationReport report = recital_report(recital);
    const double join = request->with_prompt ? (double)prompt->frames / (double)prompt->rate : 0;
    printf("{\"output\": ");
    report_json_string(stdout, request->output);
    printf(", \"frames\": %llu, \"rate\": %u, \"channels\": %u, \"seed\": %lld, \"join\": %.9g, "
           "\"sure\": %.3f, \"notes_heard\": %zu, \"beat\": %.4f, \"notes_planned\": %llu, "
           "\"mended\": %u, \"recoveries\": %llu}\n",
           (unsigned long long)frames, prompt->rate, prompt->channels, (long long)request->seed,
           join, (double)report.sure, report.notes, report.beat, (unsigned long long)report.played,
           report.mended, (unsigned long long)report.recoveries);
}

static int carry_on(ContinueRequest *request, const MelodyModel *model, Sound *prompt, Error *err)
{
    float *mono;
    size_t n;
    const ContinuationSettings settings = {.seed = (uint64_t)request->seed,
                                           .temperature = (float)request->temperature,
                                           .top_p = (float)request->top_p};
    if (request->rate == 0)
        request->rate = (double)prompt->rate;
    if (hear(prompt, &mono, &n, err) || convert(prompt, request->rate, err))
        return -1;
    const uint64_t frames = (uint64_t)fmax(1.0, round(request->seconds * request->rate));
    Recital *recital = recital_create(model, mono, n, &settings, prompt->channels, request->rate,
                                      interrupt_flag(), err);
    free(mono);
    if (!recital) {
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
        return error_prefix(err, "%s", request->prompt);
    }
    const int failed = write_sound(request, prompt, recital, frames, err);
    if (!failed && request->common.json)
        print_json(request, prompt, recital, frames);
    recital_destroy(recital);
    return failed;
}

static int read_request(int argc, char **argv, ContinueRequest *request)
{
    const Option options[] = {
        OPTION_OUTPUT(&request->output, "OUT", "the sound to write: .wav, .flac or .ogg"),
        OPTION_NUMBER("seconds", &request->seconds, 0.001, 1e6, "S", "how long; 10 if not given"),
        OPTION_STRING("model", &request->model, "NAME|FILE", "a melody model; \"melody\""),
        OPTION_INTEGER("seed", &request->seed, 0, INT64_MAX, "N", "another seed, another tune; 0"),
        OPTION_NUMBER("temperature", &request->temperature, 0, 2, "T",
                      "of the notes: 0 takes the likeliest; 0.85 if not given"),
        OPTION_NUMBER("top-p", &request->top_p, 0, 1, "P",
                      "draws from the likeliest notes that hold this share; 0.92"),
        OPTION_FLAG("with-prompt", &request->with_prompt, "the prompt first, in the same file"),
        OPTION_NUMBER("rate", &request->rate, 8000, 192000, "HZ", "the prompt's if not given"),
    };
    const Usage usage = {.verb = "continue",
                         .synopsis = "PROMPT --seconds S [--seed N] [--with-prompt] -o OUT",
                         .summary = "Carries a melody on: one note at a time, ten seconds or so.",
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .operands_least = 1,
                         .operands_most = 1};
    char **operands;
    size_t count;
    const int code = options_parse(&usage, argc, argv, &request->common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    request->prompt = operands[0];
    if (request->rate != floor(request->rate))
        return report_usage("continue", "--rate %g: give a whole number", request->rate);
    return code;
}

static int run(ContinueRequest *request, Error *err)
{
    char path[4096];
    Sound prompt;
    if (catalogue_locate(request->model, NULL, path, sizeof path, err))
        return -1;
    MelodyModel *model = melody_model_open(path, err);
    if (!model)
        return -1;
    int failed = soundfile_load(request->prompt, LONGEST_PROMPT, &prompt, err);
    if (!failed) {
        if (prompt.channels > 2)
            failed = error_set(err, "%s has %u channels: give a prompt of one or two",
                               request->prompt, prompt.channels);
        else
            failed = carry_on(request, model, &prompt, err);
        sound_free(&prompt);
    }
    melody_model_destroy(model);
    return failed;
}

int verb_continue(int argc, char **argv)
{
    const ContinuationSettings usual = continuation_defaults();
    ContinueRequest request = {.model = "melody",
                               .seconds = 10,
                               .temperature = (double)usual.temperature,
                               .top_p = (double)usual.top_p};
    const int code = read_request(argc, argv, &request);
    if (code != OPTIONS_GO_ON)
        return code;
    interrupt_install();
    Error err = {""};
    return run(&request, &err) ? report_failure("continue", &err) : EXIT_DONE;
}
