#include "cli/train_sounds.h"

#include "dsp/analysis.h"
#include "dsp/downmix.h"
#include "dsp/resample.h"
#include "models/playback.h"

#include <stdlib.h>
#include <string.h>

/* Frames that are rendered between two looks at whether to go on. */
enum { PIECE = 4096 };

/* sound, already of one channel -> recording, at the model's rate. */
static int take_over(Sound *sound, double rate, TrainRecording *recording, Error *err)
{
    if ((double)sound->rate != rate)
        return resampler_all(sound->samples, sound->frames, 1, (double)sound->rate, rate,
                             &recording->mono, &recording->n, err);
    recording->mono = sound->samples;
    recording->n = sound->frames;
    sound->samples = NULL;
    return 0;
}

/* Finds where the part that is held out begins. */
static int find_held(const TrainSounds *sounds, const FolderFile *file, TrainRecording *recording,
                     Error *err)
{
    const size_t size = sounds->config->frame, hop = size / 4;
    const size_t frames = analysis_frames(recording->n, size, hop);
    const size_t held =
        corpus_held_from(sounds->corpus, file->class_index, file->recording, frames);
    if (held == SIZE_MAX)
        return error_set(err, "%s: is another sound than the one that was learnt from", file->path);
    recording->held_from = held < frames ? held * hop : recording->n;
    return 0;
}

int train_recording_read(const TrainSounds *sounds, size_t file, TrainRecording *recording,
                         Error *err)
{
    const FolderFile *from = &sounds->found->files[file];
    Sound sound;
    SoundFindings findings;
    *recording = (TrainRecording){NULL, 0, 0};
    if (sound_folder_load(from->path, &sound, &findings, err))
        return -1;
    downmix(sound.samples, sound.frames, sound.channels, sound.samples);
    const int failed = take_over(&sound, (double)sounds->config->rate, recording, err) ||
                       find_held(sounds, from, recording, err);
    sound_free(&sound);
    if (!failed)
        return 0;
    free(recording->mono);
    *recording = (TrainRecording){NULL, 0, 0};
    return -1;
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
