#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/picture.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sound_panel.h"
#include "cli/soundfile.h"
#include "cli/verbs.h"

enum { FILES_MOST = 16 };

/* What the command line asks for. */
typedef struct PlotRequest {
    char **files;
    size_t file_count;
    const char *output;
    const char *title;
    int64_t width, height;
    double from, seconds; /* seconds < 0: to the end */
    NumberList marks;
    CommonOptions common;
} PlotRequest;

/* One file's sound, as far as it is shown. */
typedef struct Panel {
    char *title;
    float *mono; /* (frames), its peak at 1 */
    size_t frames;
    unsigned rate, channels;
} Panel;

/* Mixes `panel->frames` of `sound` from `first` on into panel->mono. */
static int mix(const Sound *sound, size_t first, Panel *panel, Error *err)
{
    panel->mono = malloc(panel->frames * sizeof *panel->mono);
    if (panel->mono == NULL)
        return error_set(err, "%s: does not fit into memory: give fewer --seconds", panel->title);
    float peak = 0;
    for (size_t i = 0; i < panel->frames; i++) {
        double sum = 0;
        for (size_t channel = 0; channel < sound->channels; channel++)
            sum += (double)sound->samples[(first + i) * sound->channels + channel];
        panel->mono[i] = (float)(sum / sound->channels);
        peak = fmaxf(peak, fabsf(panel->mono[i]));
    }
    for (size_t i = 0; i < panel->frames && peak > 0; i++)
        panel->mono[i] /= peak;
    return 0;
}

static int load_panel(const PlotRequest *request, const char *path, Panel *panel, Error *err)
{
    const char *slash = strrchr(path, '/');
    panel->title = strdup(slash != NULL ? slash + 1 : path);
    if (panel->title == NULL)
        return error_set(err, "%s: out of memory", path);
    report_clean(panel->title);
    Sound sound;
    if (soundfile_load(path, 0, &sound, err) != 0)
        return -1;
    double first = floor(request->from * sound.rate), left = (double)sound.frames - first;
    int result = 0;
    if (left < 1) {
        result = error_set(err,
                           "%s: lasts %.6g s, so nothing is left from %.15g s on: give a "
                           "smaller --from",
                           path, (double)sound.frames / sound.rate, request->from);
    } else {
        double wanted = request->seconds < 0 ? left : ceil(request->seconds * sound.rate);
        panel->frames = (size_t)fmax(1, fmin(left, wanted));
        panel->rate = sound.rate;
        panel->channels = sound.channels;
        result = mix(&sound, (size_t)first, panel, err);
    }
    sound_free(&sound);
    return result;
}

static double panel_seconds(const Panel *panel)
{
    return (double)panel->frames / panel->rate;
}

/* Draws panel `index`; every panel's width stands for `span` seconds. */
static int draw_panel(const PlotRequest *request, Picture *picture, size_t index,
                      const Panel *panel, double span, Progress *progress, Error *err)
{
    const SoundPanel shown = {.mono = panel->mono,
                              .frames = panel->frames,
                              .rate = panel->rate,
                              .labels = {.title = panel->title,
                                         .from = request->from,
                                         .seconds = span,
                                         .marks = request->marks.values,
                                         .mark_count = request->marks.count}};
    const PanelWatch watch = {.cancel = interrupt_flag(),
                              .progress = progress,
                              .first = (double)index / (double)request->file_count,
                              .part = 1.0 / (double)request->file_count};
    return sound_panel_draw(picture, index, &shown, &watch, err);
}

static int check_marks(const PlotRequest *request, double span, Error *err)
{
    for (size_t i = 0; i < request->marks.count; i++) {
        double mark = request->marks.values[i];
        if (mark < request->from || mark > request->from + span)
            return error_set(err, "--mark %.15g lies outside the picture: give %.15g to %.6g", mark,
                             request->from, request->from + span);
    }
    return 0;
}

/* All panels, into `output`. */
static int draw_all(const PlotRequest *request, const Panel *panels, Output *output,
                    Progress *progress, Error *err)
{
    double span = 0;
    for (size_t i = 0; i < request->file_count; i++)
        span = fmax(span, panel_seconds(&panels[i]));
    if (check_marks(request, span, err) != 0)
        return -1;
    Picture *picture = picture_create((size_t)request->width, (size_t)request->height,
                                      request->file_count, request->title, err);
    if (picture == NULL)
        return -1;
    int result = 0;
    for (size_t i = 0; i < request->file_count && result == 0; i++)
        result = draw_panel(request, picture, i, &panels[i], span, progress, err);
    if (result == 0)
        result = picture_write(picture, output, err);
    picture_destroy(picture);
    return result;
}

static void print_json(const PlotRequest *request, const Panel *panels)
{
    printf("{\"output\": ");
    report_json_string(stdout, request->output);
    printf(", \"panels\": [");
    for (size_t i = 0; i < request->file_count; i++) {
        printf("%s{\"file\": ", i > 0 ? ", " : "");
        report_json_string(stdout, request->files[i]);
        printf(", \"from\": %.15g, \"seconds\": %.9g, \"rate\": %u, \"channels\": %u}",
               request->from, panel_seconds(&panels[i]), panels[i].rate, panels[i].channels);
    }
    printf("]}\n");
}

/* Loads, draws and writes what `request` asks for; `panels` are filled on the way. */
static int plot(const PlotRequest *request, Panel *panels, Progress *progress, Error *err)
{
    Output *output = output_create(request->output, err);
    if (output == NULL)
        return -1;
    int result = 0;
    for (size_t i = 0; i < request->file_count && result == 0; i++) {
        result = interrupt_requested() ? error_set(err, "interrupted: nothing was written")
                                       : load_panel(request, request->files[i], &panels[i], err);
    }
    if (result == 0)
        result = draw_all(request, panels, output, progress, err);
    if (result != 0) {
        output_discard(output);
        return -1;
    }
    return output_commit(output, err);
}

/* Fills `request`. OPTIONS_GO_ON or an exit code. */
static int read_request(int argc, char **argv, PlotRequest *request)
{
    const Option options[] = {
        OPTION_OUTPUT(&request->output, "OUT.png", "the picture to write"),
        OPTION_INTEGER("width", &request->width, 320, 8192, "PX",
                       "of the picture; 1200 if not given"),
        OPTION_INTEGER("height", &request->height, 120, 2000, "PX", "of a panel; 300 if not given"),
        OPTION_NUMBER("from", &request->from, 0, 1e6, "S", "show each file from this second on"),
        OPTION_NUMBER("seconds", &request->seconds, 0.001, 1e6, "S", "show this many seconds"),
        OPTION_NUMBERS("mark", &request->marks, 0, 1e6, "S",
                       "an upright line at this second; may be repeated"),
        OPTION_STRING("title", &request->title, "TEXT", "a heading above all panels"),
    };
    const Usage usage = {
        .verb = "plot",
        .synopsis = "FILE... -o OUT.png [options]",
        .summary =
            "Draws spectrograms of up to 16 sound files, one under another, as a PNG. The panels "
            "share\n"
            "one scale of time; each file's channels are mixed to one, its colours span 80 dB.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .operands_least = 1,
        .operands_most = FILES_MOST,
    };
    int code =
        options_parse(&usage, argc, argv, &request->common, &request->files, &request->file_count);
    if (code == OPTIONS_GO_ON && !output_has_suffix(request->output, ".png"))
        return report_usage("plot", "%s: the suffix names no format: give .png", request->output);
    return code;
}

int verb_plot(int argc, char **argv)
{
    PlotRequest request = {.width = 1200, .height = 300, .seconds = -1};
    int code = read_request(argc, argv, &request);
    if (code != OPTIONS_GO_ON)
        return code;
    char *title = NULL;
    if (request.title != NULL && (title = strdup(request.title)) != NULL)
        report_clean(title);
    request.title = title;
    Panel panels[FILES_MOST] = {0};
    Progress progress;
    progress_begin(&progress, request.common.quiet);
    Error err = {0};
    int result = plot(&request, panels, &progress, &err);
    progress_end(&progress);
    code = result == 0 ? EXIT_DONE : report_failure("plot", &err);
    if (result == 0 && request.common.json)
        print_json(&request, panels);
    for (size_t i = 0; i < FILES_MOST; i++) {
        free(panels[i].title);
        free(panels[i].mono);
    }
    free(title);
    return code;
}
