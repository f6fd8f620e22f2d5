#include "cli/train_melody_preview.h"

#include "cli/report.h"
#include "cli/soundfile.h"
#include "cli/train_folder.h"
#include "models/melody_condition.h"
#include "models/recital.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Seconds of what is heard first, and of what the model makes of it; and how many recordings are
 * tried: not each is a tune that can be carried on. */
enum { PROMPT_SECONDS = 8, SECONDS = 5, TRIES = 8 };

static const char *const csv_names[MELODY_CURVES] = {
    [MELODY_CURVE_NOTES] = "loss-notes.csv", [MELODY_CURVE_SAMPLES] = "loss-samples.csv"};

struct MelodyPreview {
    const TrainRequest *request;
    const MelodyFolder *found;
    char folder[TRAIN_PATH_ROOM];
    TrainCurve curves[MELODY_CURVES];
    size_t first; /* number of the recording that is tried first */
    bool mute;    /* none of them could be carried on: they would not be next time */
    bool told;    /* where it is */
};

static int take_up_curves(MelodyPreview *preview, const size_t *steps, Error *err)
{
    for (size_t t = 0; t < MELODY_CURVES; t++)
        if (train_curve_take_up(&preview->curves[t], preview->folder, csv_names[t], steps[t], err))
            return -1;
    return 0;
}

int melody_preview_create(const TrainRequest *request, const MelodyFolder *found,
                          const size_t steps[MELODY_CURVES], MelodyPreview **preview, Error *err)
{
    *preview = NULL;
    if (request->no_preview)
        return 0;
    MelodyPreview *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(err, "out of memory for previews");
    made->request = request;
    made->found = found;
    if (train_folder_name(request->output, made->folder, err) ||
        (request->resume && take_up_curves(made, steps, err))) {
        melody_preview_destroy(made);
        return -1;
    }
    *preview = made;
    return 0;
}

void melody_preview_destroy(MelodyPreview *preview)
{
    if (!preview)
        return;
    for (size_t t = 0; t < MELODY_CURVES; t++)
        train_curve_free(&preview->curves[t]);
    free(preview);
}

int melody_preview_add(MelodyPreview *preview, MelodyCurve tier, CurvePoint point, Error *err)
{
    return preview && isfinite(point.loss) ? train_curve_add(&preview->curves[tier], point, err)
                                           : 0;
}

static int write_curves(const MelodyPreview *preview, Error *err)
{
    static const char *const names[MELODY_CURVES] = {
        "Notes: bits a note", "Samples: bits a sample with and without a plan"};
    char path[TRAIN_PATH_ROOM], titles[MELODY_CURVES][128];
    CurvePanel panels[MELODY_CURVES];
    for (size_t t = 0; t < MELODY_CURVES; t++) {
        const TrainCurve *curve = &preview->curves[t];
        const CurvePoint *last = curve->count ? &curve->points[curve->count - 1] : NULL;
        char time[TRAIN_TIME_ROOM];
        if (train_folder_file(preview->folder, csv_names[t], path, err) ||
            train_curve_write(curve, path, err))
            return -1;
        train_print_time(time, last ? last->seconds : 0.0);
        snprintf(titles[t], sizeof titles[t], "%s, after %zu steps, %s of training", names[t],
                 last ? last->step : 0, time);
        panels[t] = (CurvePanel){curve, titles[t]};
    }
    return train_folder_file(preview->folder, "loss.png", path, err) ||
                   train_curve_draw(panels, MELODY_CURVES, path, err)
               ? -1
               : 0;
}

/* Recording number i, those for validation first; NULL beyond the last. */
static const PredictorClip *clip_at(const MelodyFolder *found, size_t i)
{
    if (i < found->counts[1])
        return &found->clips[1][i];
    i -= found->counts[1];
    return i < found->counts[0] ? &found->clips[0][i] : NULL;
}

/* The prompt, and after it room for what follows: sound (samples,); *n samples of it are the
 * prompt. */
static float *copy_prompt(const PredictorClip *clip, size_t *n, size_t *samples)
{
    const size_t most = PROMPT_SECONDS * MELODY_RATE;
    *n = clip->samples < most ? clip->samples : most;
    *samples = *n + SECONDS * MELODY_RATE;
    float *sound = malloc(*samples * sizeof *sound);
    for (size_t i = 0; sound && i < *n; i++)
        sound[i] = (float)clip->x[i] / 32768.0F;
    return sound;
}

static int write_wav(const MelodyPreview *preview, const float *sound, size_t samples, Error *err)
{
    char path[TRAIN_PATH_ROOM];
    if (train_folder_file(preview->folder, "preview.wav", path, err))
        return -1;
    SoundWriter *writer = sound_writer_create(path, MELODY_RATE, 1, samples, err);
    if (!writer)
        return -1;
    if (sound_writer_write(writer, sound, samples, err)) {
        sound_writer_discard(writer);
        return -1;
    }
    return sound_writer_commit(writer, err);
}

/* Carries one recording on and writes both. 1 when it is none that can be. */
static int carry_on(const MelodyPreview *preview, const MelodyModel *model,
                    const PredictorClip *clip, const atomic_bool *cancel, Error *err)
{
    size_t n, samples;
    const ContinuationSettings settings = continuation_defaults();
    float *sound = copy_prompt(clip, &n, &samples);
    if (!sound)
        return error_set(err, "out of memory for previews");
    Recital *recital = recital_create(model, sound, n, &settings, 1, MELODY_RATE, cancel, err);
    const int failed = !recital ? 1
                       : recital_read(recital, sound + n, samples - n, err) ||
                               write_wav(preview, sound, samples, err)
                           ? -1
                           : 0;
    recital_destroy(recital);
    free(sound);
    return failed;
}

static int write_sound(MelodyPreview *preview, const MelodyModel *model, const atomic_bool *cancel,
                       Error *err)
{
    Error refused = {""};
    for (size_t tries = 0; tries < TRIES; preview->first++) {
        const PredictorClip *clip = clip_at(preview->found, preview->first);
        if (!clip)
            break;
        /* Surely no melody. */
        if (!clip->planned)
            continue;
        const int failed = carry_on(preview, model, clip, cancel, &refused);
        if (failed <= 0)
            return failed ? error_set(err, "%s", refused.message) : 0;
        if (cancel && atomic_load(cancel))
            return error_set(err, "interrupted: no preview");
        tries++;
    }
    preview->mute = true;
    return error_set(err, "none of the recordings could be carried on for a preview%s%s",
                     refused.message[0] ? ": " : "", refused.message);
}

void melody_preview_write(MelodyPreview *preview, const MelodyModel *model,
                          const atomic_bool *cancel)
{
    Error why = {""};
    const double start = train_now();
    if (!preview)
        return;
    const int failed = train_folder_make(preview->folder, &why) || write_curves(preview, &why) ||
                       (model && !preview->mute && write_sound(preview, model, cancel, &why));
    if (failed && !(cancel && atomic_load(cancel)))
        train_warn("%s", why.message);
    if (failed || !model || preview->told)
        return;
    preview->told = true;
    train_folder_tell(preview->request, preview->folder, train_now() - start);
}

void melody_preview_print_json(FILE *out, const MelodyPreview *preview)
{
    if (!preview)
        return;
    fprintf(out, ", \"preview\": ");
    report_json_string(out, preview->folder);
}
