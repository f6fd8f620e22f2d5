#include "cli/train_sounds.h"

#include "dsp/analysis.h"
#include "models/playback.h"

#include <math.h>
#include <string.h>

/* Frames that are rendered between two looks at whether to go on. */
enum { PIECE = 4096 };

TrainRecording train_recording(const TrainSounds *sounds, size_t file)
{
    const FolderFile *from = &sounds->found->files[file];
    const size_t size = sounds->config->frame, hop = size / 4, rate = sounds->config->rate;
    const size_t n = (size_t)(from->seconds * (double)rate + 0.5);
    const size_t frames = analysis_frames(n, size, hop);
    const size_t held =
        corpus_held_from(sounds->corpus, from->class_index, from->recording, frames);
    return (TrainRecording){from, n, rate, held < frames ? held * hop : n, NULL};
}

/* Whether the file is as long as it was. */
static bool is_same(const TrainRecording *recording, const SoundStream *stream)
{
    char told[SOUND_MARKS_ROOM];
    const size_t part = recording->file->part;
    if (part >= sound_stream_parts(stream, told))
        return false;
    const double seconds =
        (double)sound_stream_frames(stream, part) / (double)sound_stream_survey(stream)->rate;
    return fabs(seconds * (double)recording->rate - (double)recording->n) <= 1.0;
}

static int open_stream(TrainRecording *recording, Error *err)
{
    SoundStream *stream = sound_stream_open(recording->file->path, err);
    if (!stream)
        return -1;
    if (is_same(recording, stream)) {
        recording->stream = stream;
        return 0;
    }
    sound_stream_close(stream);
    return error_set(err, "is another sound than the one that was learnt from");
}

int train_recording_read(TrainRecording *recording, size_t first, size_t count, float *mono,
                         size_t *made, Error *err)
{
    const SoundWanted wanted = {SOUND_MEAN, recording->rate, 1.0, 1.0f};
    const char *path = recording->file->path;
    int failed = !recording->stream && open_stream(recording, err);
    if (!failed) {
        const double own = sound_stream_survey(recording->stream)->rate;
        const size_t at = (size_t)((double)first * own / (double)recording->rate);
        failed =
            sound_stream_begin_at(recording->stream, recording->file->part, at, &wanted, err) ||
            sound_stream_read(recording->stream, mono, count, made, err);
    }
    if (!failed)
        return 0;
    return err && !strstr(err->message, path) ? error_prefix(err, "%s", path) : -1;
}

void train_recording_close(TrainRecording *recording)
{
    sound_stream_close(recording->stream);
    recording->stream = NULL;
}

size_t train_classes_shown(const TrainSounds *sounds)
{
    const size_t classes = corpus_classes(sounds->corpus);
    return classes < TRAIN_CLASSES_SHOWN ? classes : TRAIN_CLASSES_SHOWN;
}

int train_render(const TextureModel *model, size_t class_index, uint64_t seed, unsigned channels,
                 const atomic_bool *cancel, float *out, size_t frames, Error *err)
{
    TextureSettings settings = texture_settings_default();
    settings.seed = seed;
    memset(settings.mix, 0, sizeof settings.mix);
    settings.mix[class_index] = 1.0F;
    Playback *playback = playback_create(model, &settings, channels,
                                         (double)texture_model_config(model)->rate, 0, cancel, err);
    int failed = playback ? 0 : -1;
    for (size_t done = 0; !failed && done < frames;) {
        const size_t n = frames - done < PIECE ? frames - done : PIECE;
        failed = playback_read(playback, out + done * channels, n, err);
        done += n;
    }
    playback_destroy(playback);
    return failed ? -1 : 0;
}
