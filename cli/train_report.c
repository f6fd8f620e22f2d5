#include "cli/train_report.h"

#include "cli/compare_sounds.h"
#include "cli/grade.h"
#include "cli/report.h"
#include "cli/train.h"
#include "dsp/texture_copies.h"
#include "dsp/texture_distance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is measured of the model: so many beginnings, other each time, of so many seconds. */
enum { RENDERS = 4, RENDER_SECONDS = 6 };

/* Recordings that were learnt from are analysed in pieces of so many seconds, and so many of them
 * tell how far recordings are from each other. */
enum { PIECE_SECONDS = 60, AMONG_MOST = 12 };

/* Of recordings about so many seconds of each side are read, and no more at once, however long they
 * are. */
enum { SIDE_SECONDS = 240 };

/* What measuring needs at hand. */
typedef struct Measurer {
    const TrainSounds *sounds;
    const TextureModel *model;
    TextureEar *ear;
    const atomic_bool *cancel;
    Progress *progress;
} Measurer;

/* What a class learnt, or what was held out of it. */
typedef struct Side {
    CompareSounds sounds;
    double seconds, read; /* there are, and were measured; with what is too short for that */
    double share;         /* to be read */
} Side;

/* The sounds of one class. */
typedef struct ClassSounds {
    CompareSounds made;
    Side held, learnt;
} ClassSounds;

/* What is too short or silent says nothing, and is left out. */
static void add(const Measurer *measurer, CompareSounds *to, const float *mono, size_t n)
{
    if (n)
        compare_sounds_add(to, measurer->ear, mono, n, (double)measurer->sounds->config->rate,
                           NULL);
}

static int read_piece(const Measurer *measurer, TrainRecording *recording, size_t first, size_t n,
                      CompareSounds *to, Error *err)
{
    size_t made = 0;
    float *mono = malloc(n * sizeof *mono);
    int failed = mono ? 0 : error_set(err, "out of memory for the report");
    failed = failed || train_recording_read(recording, first, n, mono, &made, err);
    if (!failed)
        add(measurer, to, mono, made);
    free(mono);
    return failed ? -1 : 0;
}

/* Reads frames first..end-1 of a recording in pieces of so many seconds: its share of them, spread
 * evenly over all recordings of the class. */
static int read_side(const Measurer *measurer, TrainRecording *recording, size_t first, size_t end,
                     size_t piece_seconds, Side *to, Error *err)
{
    const size_t piece = piece_seconds * recording->rate;
    for (size_t at = first; at < end; at += piece) {
        const size_t n = end - at < piece ? end - at : piece;
        const double seconds = (double)n / (double)recording->rate;
        if (to->read <= to->share * to->seconds) {
            if (read_piece(measurer, recording, at, n, &to->sounds, err))
                return -1;
            to->read += seconds;
        }
        to->seconds += seconds;
    }
    return 0;
}

static int read_recording(const Measurer *measurer, size_t file, ClassSounds *of, Error *err)
{
    TrainRecording recording = train_recording(measurer->sounds, file);
    const int failed =
        read_side(measurer, &recording, 0, recording.held_from, PIECE_SECONDS, &of->learnt, err) ||
        read_side(measurer, &recording, recording.held_from, recording.n, SIDE_SECONDS, &of->held,
                  err);
    train_recording_close(&recording);
    return failed ? -1 : 0;
}

/* The share of a class's recordings that is read of one side. */
static double share_of(const TrainSounds *sounds, size_t class_index, int held_out)
{
    const double hop = (double)(sounds->config->frame / 4);
    const double frames = (double)corpus_frames(sounds->corpus, class_index, held_out);
    return fmin(1.0, SIDE_SECONDS * (double)sounds->config->rate / fmax(1.0, frames * hop));
}

static int read_class(const Measurer *measurer, size_t class_index, ClassSounds *of, Error *err)
{
    const FolderReport *found = measurer->sounds->found;
    of->learnt.share = share_of(measurer->sounds, class_index, 0);
    of->held.share = share_of(measurer->sounds, class_index, 1);
    for (size_t i = 0; i < found->file_count; i++) {
        Error fault = {""};
        if (found->files[i].class_index != class_index)
            continue;
        if (measurer->cancel && atomic_load(measurer->cancel))
            return error_set(err, "interrupted: nothing was measured");
        progress_update(measurer->progress, (double)i / (double)found->file_count, "measuring %s",
                        found->files[i].recording);
        if (read_recording(measurer, i, of, &fault)) {
            progress_end(measurer->progress);
            train_warn("left out of the report: %s", fault.message);
        }
    }
    return 0;
}

static int render_class(const Measurer *measurer, size_t class_index, CompareSounds *made,
                        Error *err)
{
    const size_t n = RENDER_SECONDS * measurer->sounds->config->rate;
    float *mono = malloc(n * sizeof *mono);
    int failed = mono ? 0 : error_set(err, "out of memory for the report");
    for (uint64_t seed = 1; !failed && seed <= RENDERS; seed++) {
        failed =
            train_render(measurer->model, class_index, seed, 1, measurer->cancel, mono, n, err);
        if (!failed)
            add(measurer, made, mono, n);
    }
    free(mono);
    return failed;
}

/* How far recordings that were learnt from are from those that were not: what the model's TOTAL is
 * to be held against. Of the pieces as long as a window at least, some that are spread evenly. */
static double measure_among(const ClassSounds *of, double window)
{
    const TextureSound *const *learnt = compare_sounds_view(&of->learnt.sounds);
    const TextureSound *picked[AMONG_MOST];
    const TextureSound **fit = malloc((of->learnt.sounds.count + 1) * sizeof *fit);
    TextureDistance distance;
    size_t n = 0, count = 0;
    for (size_t i = 0; fit && i < of->learnt.sounds.count; i++)
        if (texture_sound_seconds(learnt[i]) >= window)
            fit[n++] = learnt[i];
    for (size_t i = 0; i < AMONG_MOST && i < n; i++)
        picked[count++] = fit[i * n / (n < AMONG_MOST ? n : AMONG_MOST)];
    free(fit);
    if (!count || texture_distance(compare_sounds_view(&of->held.sounds), of->held.sounds.count,
                                   picked, count, &distance, NULL))
        return NAN;
    return distance.ratio[TEXTURE_TOTAL];
}

static void measure(const ClassSounds *of, ClassReport *report)
{
    const CompareSounds *made = &of->made;
    const CompareSounds *held = &of->held.sounds, *learnt = &of->learnt.sounds;
    TextureDistance distance;
    TextureCopies copies;
    report->learnt_seconds = of->learnt.seconds;
    report->held_seconds = of->held.seconds;
    report->learnt_read = of->learnt.read;
    report->held_read = of->held.read;
    report->total = report->among = report->spread = report->memorisation = NAN;
    if (!texture_copies(compare_sounds_view(made), made->count, compare_sounds_view(learnt),
                        learnt->count, compare_sounds_view(held), held->count, &copies, NULL))
        report->memorisation = copies.ratio;
    if (of->held.seconds <= 0.0) {
        error_set(&report->unknown, "nothing was set aside");
    } else if (texture_distance(compare_sounds_view(held), held->count, compare_sounds_view(made),
                                made->count, &distance, NULL)) {
        error_set(&report->unknown,
                  "only %.1f s were set aside: longer recordings or a larger --holdout would do",
                  of->held.seconds);
    } else {
        report->total = distance.ratio[TEXTURE_TOTAL];
        report->spread = distance.spread[TEXTURE_TOTAL];
        report->among = measure_among(of, distance.window);
    }
}

static int report_class(const Measurer *measurer, size_t c, ClassReport *report, Error *err)
{
    ClassSounds of = {.held = {.seconds = 0.0}};
    snprintf(report->name, sizeof report->name, "%s", measurer->sounds->config->classes[c]);
    const int failed =
        read_class(measurer, c, &of, err) || render_class(measurer, c, &of.made, err);
    if (!failed)
        measure(&of, report);
    compare_sounds_free(&of.made);
    compare_sounds_free(&of.held.sounds);
    compare_sounds_free(&of.learnt.sounds);
    return failed ? -1 : 0;
}

int train_report_make(const TrainSounds *sounds, const char *path, const atomic_bool *cancel,
                      Progress *progress, TrainReport *report, Error *err)
{
    *report = (TrainReport){.of = corpus_classes(sounds->corpus)};
    TextureModel *model = texture_model_open(path, err);
    TextureEar *ear = model ? texture_ear_create(err) : NULL;
    const Measurer measurer = {sounds, model, ear, cancel, progress};
    int failed = ear ? 0 : -1;
    for (size_t c = 0; !failed && c < train_classes_shown(sounds); c++) {
        failed = report_class(&measurer, c, &report->classes[c], err);
        report->count += !failed;
    }
    progress_end(progress);
    texture_ear_destroy(ear);
    texture_model_destroy(model);
    if (failed)
        report->count = 0;
    return failed;
}

static bool is_copied(const ClassReport *class)
{
    return class->memorisation < GRADE_LEAST_MEMORISATION;
}

/* Real recordings that differ among themselves are all that a model can come near to. */
static const char *verdict(const ClassReport *class)
{
    static const char *const words[] = {[GRADE_AS_REAL] = "as good as real",
                                        [GRADE_NEAR] = "near",
                                        [GRADE_LIKENESS] = "a likeness",
                                        [GRADE_FAR] = "far"};
    if (is_copied(class))
        return "learnt by heart: parts are copies";
    if (isnan(class->total))
        return "cannot tell";
    return words[grade_of(class->total / fmax(1.0, class->among))];
}

static void print_class(FILE *out, const ClassReport *class)
{
    const bool told = !isnan(class->total);
    fprintf(out, "  ");
    report_text(out, class->name, 0);
    fprintf(out, ": ");
    if (told)
        fprintf(out, "TOTAL %.2f", class->total);
    if (told && !isnan(class->among))
        fprintf(out, " (recordings among themselves %.2f)", class->among);
    if (!isnan(class->memorisation))
        fprintf(out, "%smemorisation %.2f", told ? ", " : "", class->memorisation);
    fprintf(out, "%s%s", told || !isnan(class->memorisation) ? ": " : "", verdict(class));
    if (!told)
        fprintf(out, "%s how near it is: %s", is_copied(class) ? "; cannot tell" : "",
                class->unknown.message);
    if (class->spread < GRADE_LEAST_SPREAD)
        fprintf(out, "; more uniform than the recordings");
    if (told && class->held_seconds < GRADE_SHORT_REFERENCE)
        fprintf(out, "; rough, for only %.0f s were set aside", class->held_seconds);
    if (class->learnt_seconds < TRAIN_LITTLE)
        fprintf(out, "; %.0f s to learn from are little", class->learnt_seconds);
    if (class->learnt_read + class->held_read < class->learnt_seconds + class->held_seconds - 1.0)
        fprintf(out, "; measured on %.0f of %.0f s learnt from, %.0f of %.0f s set aside",
                class->learnt_read, class->learnt_seconds, class->held_read, class->held_seconds);
    fprintf(out, "\n");
}

void train_report_print(FILE *out, const TrainReport *report)
{
    if (!report->count)
        return;
    fprintf(out, "against recordings that it never heard (TOTAL 1: as near as they are to each "
                 "other; brume compare tells more)");
    if (report->count < report->of)
        fprintf(out, ", the first %zu of %zu classes", report->count, report->of);
    fprintf(out, ":\n");
    for (size_t i = 0; i < report->count; i++)
        print_class(out, &report->classes[i]);
}

void train_report_print_json(FILE *out, const TrainReport *report)
{
    fprintf(out, "[");
    for (size_t i = 0; i < report->count; i++) {
        const ClassReport *class = &report->classes[i];
        fprintf(out, "%s{\"class\": ", i ? ", " : "");
        report_json_string(out, class->name);
        fprintf(out, ", ");
        report_json_number(out, "total", class->total, ", ");
        report_json_number(out, "recordings", class->among, ", ");
        report_json_number(out, "memorisation", class->memorisation, ", ");
        report_json_number(out, "spread", class->spread, ", ");
        report_json_number(out, "learnt_s", class->learnt_seconds, ", ");
        report_json_number(out, "held_out_s", class->held_seconds, ", ");
        report_json_number(out, "learnt_measured_s", class->learnt_read, ", ");
        report_json_number(out, "held_out_measured_s", class->held_read, ", ");
        fprintf(out, "\"verdict\": ");
        report_json_string(out, verdict(class));
        if (class->unknown.message[0]) {
            fprintf(out, ", \"unknown\": ");
            report_json_string(out, class->unknown.message);
        }
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

/* ", NAME 1.23" onto the end of `text`, where there is such a figure. */
static void append_figure(char text[TRAIN_REPORT_ROOM], const char *name, double value)
{
    const size_t used = strlen(text);
    if (!isnan(value))
        snprintf(text + used, TRAIN_REPORT_ROOM - used, ", %s %.2f", name, value);
}

void train_report_card(const TrainReport *report, char text[TRAIN_REPORT_ROOM])
{
    text[0] = '\0';
    for (size_t i = 0; i < report->count; i++) {
        const ClassReport *class = &report->classes[i];
        const size_t used = strlen(text);
        snprintf(text + used, TRAIN_REPORT_ROOM - used, "%s%s: %s", i ? "; " : "", class->name,
                 verdict(class));
        append_figure(text, "TOTAL", class->total);
        append_figure(text, "recordings", class->among);
        append_figure(text, "memorisation", class->memorisation);
    }
}
