#include "cli/train_preview.h"

#include "cli/report.h"
#include "cli/sound_panel.h"
#include "cli/soundfile.h"
#include "cli/train_curve.h"
#include "cli/train_folder.h"
#include "dsp/downmix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds of a preview, and the least that a recording shows. */
enum { SECONDS = 5 };
static const double ENOUGH = 3.0, LEAST = 1.0;

enum { CHANNELS = 2, SEED = 0, WIDTH = 960, HEIGHT = 200, TITLE_ROOM = 512 };

/* What a class's preview is held against. */
typedef struct Sample {
    float *mono; /* (n,); NULL: no recording could be read */
    size_t n;
    bool held_out;
    char recording[256];
} Sample;

struct TrainPreview {
    const TrainRequest *request;
    const TrainSounds *sounds;
    char folder[TRAIN_PATH_ROOM];
    TrainCurve curve;
    bool has_samples;
    Sample samples[TRAIN_CLASSES_SHOWN];
};

/* What writing needs at hand. */
typedef struct Writer {
    TrainPreview *preview;
    const TextureModel *model;
    Picture *picture;
    float *sound, *mono; /* (frames, CHANNELS), (frames,) */
    size_t frames;
    unsigned rate;
    const atomic_bool *cancel;
    Progress *progress;
} Writer;

TrainPreview *train_preview_create(const TrainRequest *request, const TrainSounds *sounds,
                                   size_t step, Error *err)
{
    TrainPreview *preview = calloc(1, sizeof *preview);
    if (!preview) {
        error_set(err, "out of memory for previews");
        return NULL;
    }
    preview->request = request;
    preview->sounds = sounds;
    if (train_folder_name(request->output, preview->folder, err) ||
        (request->resume &&
         train_curve_take_up(&preview->curve, preview->folder, "loss.csv", step, err))) {
        train_preview_destroy(preview);
        return NULL;
    }
    return preview;
}

void train_preview_destroy(TrainPreview *preview)
{
    if (!preview)
        return;
    for (size_t c = 0; c < TRAIN_CLASSES_SHOWN; c++)
        free(preview->samples[c].mono);
    train_curve_free(&preview->curve);
    free(preview);
}

const char *train_preview_folder(const TrainPreview *preview)
{
    return preview->folder;
}

int train_preview_add(TrainPreview *preview, const TextureProgress *progress, Error *err)
{
    const CurvePoint point = {progress->step, progress->loss, progress->held_out,
                              progress->seconds};
    return train_curve_add(&preview->curve, point, err);
}

/* Puts what is to be shown of a recording into *sample, if it is more than there is: frames from
 * `first` on, of which there are n, held out or not. One that is gone is passed over. */
static void offer(Sample *sample, TrainRecording *recording, size_t first, size_t n, bool held_out)
{
    const size_t most = SECONDS * recording->rate, kept = n < most ? n : most;
    size_t made = 0;
    float *mono = kept > sample->n ? malloc(kept * sizeof *mono) : NULL;
    if (!mono || train_recording_read(recording, first, kept, mono, &made, NULL)) {
        free(mono);
        return;
    }
    free(sample->mono);
    *sample = (Sample){.mono = mono, .n = made, .held_out = held_out};
    snprintf(sample->recording, sizeof sample->recording, "%s", recording->file->recording);
}

/* Finds a class's recording: held out and long enough if there is one, else the longest that is
 * held out, else, where that is very short, the first. Those that are gone are passed over: the
 * report at the end names them. */
static void find_sample(const TrainSounds *sounds, size_t class_index, Sample *sample)
{
    const double rate = (double)sounds->config->rate;
    Sample learnt = {.n = 0};
    for (size_t i = 0; i < sounds->found->file_count && (double)sample->n < ENOUGH * rate; i++) {
        TrainRecording recording = train_recording(sounds, i);
        if (recording.file->class_index != class_index)
            continue;
        offer(sample, &recording, recording.held_from, recording.n - recording.held_from, true);
        if (!learnt.mono)
            offer(&learnt, &recording, 0, recording.held_from, false);
        train_recording_close(&recording);
    }
    if ((double)sample->n < LEAST * rate && learnt.n > sample->n) {
        free(sample->mono);
        *sample = learnt;
    } else {
        free(learnt.mono);
    }
}

static void find_samples(TrainPreview *preview, const Writer *writer)
{
    const size_t classes = train_classes_shown(preview->sounds);
    for (size_t c = 0; c < classes && !preview->has_samples; c++) {
        progress_update(writer->progress, 0.0, "preview: recordings");
        find_sample(preview->sounds, c, &preview->samples[c]);
    }
    preview->has_samples = true;
}

static int write_curve(const TrainPreview *preview, size_t steps, Error *err)
{
    char path[TRAIN_PATH_ROOM], title[TITLE_ROOM], time[TRAIN_TIME_ROOM];
    const TrainCurve *curve = &preview->curve;
    const CurvePoint *last = curve->count ? &curve->points[curve->count - 1] : NULL;
    train_print_time(time, last ? last->seconds : 0.0);
    snprintf(title, sizeof title, "Loss after %zu steps of %zu, %s of training",
             last ? last->step : 0, steps, time);
    const CurvePanel panel = {curve, title};
    return train_folder_file(preview->folder, "loss.csv", path, err) ||
                   train_curve_write(curve, path, err) ||
                   train_folder_file(preview->folder, "loss.png", path, err) ||
                   train_curve_draw(&panel, 1, path, err)
               ? -1
               : 0;
}

static int draw(const Writer *writer, size_t index, const char *title, const float *mono, size_t n,
                Error *err)
{
    const SoundPanel panel = {.mono = mono,
                              .frames = n,
                              .rate = writer->rate,
                              .labels = {.title = title, .seconds = SECONDS}};
    const double part = 0.5 / (double)train_classes_shown(writer->preview->sounds);
    const PanelWatch watch = {writer->cancel, writer->progress, part * (double)index, part};
    return sound_panel_draw(writer->picture, index, &panel, &watch, err);
}

static int write_wav(const Writer *writer, const char *class_name, Error *err)
{
    char path[TRAIN_PATH_ROOM], name[TEXTURE_CLASS_ROOM + sizeof "preview-.wav"];
    snprintf(name, sizeof name, "preview-%s.wav", class_name);
    if (train_folder_file(writer->preview->folder, name, path, err))
        return -1;
    SoundWriter *out = sound_writer_create(path, writer->rate, CHANNELS, writer->frames, err);
    if (!out)
        return -1;
    if (sound_writer_write(out, writer->sound, writer->frames, err)) {
        sound_writer_discard(out);
        return -1;
    }
    return sound_writer_commit(out, err);
}

/* Renders, writes and draws one class. */
static int write_class(const Writer *writer, size_t c, size_t step, Error *err)
{
    const Sample *sample = &writer->preview->samples[c];
    const char *name = writer->preview->sounds->config->classes[c];
    char title[TITLE_ROOM];
    if (train_render(writer->model, c, SEED, CHANNELS, writer->cancel, writer->sound,
                     writer->frames, err) ||
        write_wav(writer, name, err))
        return -1;
    if (sample->mono) {
        snprintf(title, sizeof title, "%s: a recording %s (%s)", name,
                 sample->held_out ? "that was held out" : "that it learns from", sample->recording);
        report_clean(title);
        if (draw(writer, 2 * c, title, sample->mono, sample->n, err))
            return -1;
    }
    downmix(writer->sound, writer->frames, CHANNELS, writer->mono);
    snprintf(title, sizeof title, "%s: what the model makes after %zu steps", name, step);
    report_clean(title);
    return draw(writer, 2 * c + 1, title, writer->mono, writer->frames, err);
}

static int write_picture(const Writer *writer, Error *err)
{
    char path[TRAIN_PATH_ROOM];
    if (train_folder_file(writer->preview->folder, "preview.png", path, err))
        return -1;
    Output *output = output_create(path, err);
    if (!output)
        return -1;
    if (picture_write(writer->picture, output, err)) {
        output_discard(output);
        return -1;
    }
    return output_commit(output, err);
}

static int write_sounds(Writer *writer, Error *err)
{
    const TrainPreview *preview = writer->preview;
    const TrainCurve *curve = &preview->curve;
    const size_t step = curve->count ? curve->points[curve->count - 1].step : 0;
    const size_t classes = train_classes_shown(preview->sounds);
    writer->rate = (unsigned)preview->sounds->config->rate;
    writer->frames = SECONDS * (size_t)writer->rate;
    writer->sound = malloc(writer->frames * CHANNELS * sizeof(float));
    writer->mono = malloc(writer->frames * sizeof(float));
    if (!writer->sound || !writer->mono)
        return error_set(err, "out of memory for previews");
    writer->picture = picture_create(WIDTH, HEIGHT, 2 * classes, NULL, err);
    if (!writer->picture)
        return -1;
    find_samples(writer->preview, writer);
    for (size_t c = 0; c < classes; c++)
        if (write_class(writer, c, step, err))
            return -1;
    return write_picture(writer, err);
}

int train_preview_write(TrainPreview *preview, size_t steps, const atomic_bool *cancel,
                        Progress *progress, Error *err)
{
    if (train_folder_make(preview->folder, err) || write_curve(preview, steps, err))
        return -1;
    /* From the file, which is what a listener would get: the trainer's own stays as it is. */
    TextureModel *model = texture_model_open(preview->request->output, err);
    if (!model)
        return -1;
    Writer writer = {.preview = preview, .model = model, .cancel = cancel, .progress = progress};
    const int failed = write_sounds(&writer, err);
    picture_destroy(writer.picture);
    free(writer.sound);
    free(writer.mono);
    texture_model_destroy(model);
    return failed;
}
