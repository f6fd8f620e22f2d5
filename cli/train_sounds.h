/* What a training is heard and measured by: its recordings, read again, for the corpus keeps
 * features alone; and what its model makes. All mono or stereo at the model's rate. */
#ifndef BRUME_CLI_TRAIN_SOUNDS_H
#define BRUME_CLI_TRAIN_SOUNDS_H

#include "cli/sound_folder.h"
#include "cli/sound_stream.h"
#include "models/texture_model.h"

#include <stdatomic.h>

/* Previews and report are of the first classes alone, so that they cost little. */
enum { TRAIN_CLASSES_SHOWN = 4 };

/* A class of less than this to learn from has little: more would be heard. */
#define TRAIN_LITTLE 60.0 /* seconds */

/* Where recordings came from; all of it outlives those who use it. */
typedef struct TrainSounds {
    const TextureConfig *config;
    const Corpus *corpus; /* after corpus_split */
    const FolderReport *found;
} TrainSounds;

/* A recording as a listener hears it. */
typedef struct TrainRecording {
    const FolderFile *file;
    size_t n, rate;      /* frames of the model's rate, and that */
    size_t held_from;    /* what is held out begins at this frame; n: nothing is */
    SoundStream *stream; /* NULL before the first read */
} TrainRecording;

/* File number `file` of sounds->found. Nothing is opened. */
TrainRecording train_recording(const TrainSounds *sounds, size_t file);

/* Reads up to `count` frames from `first` on, which must be below n: mono (count,). *made is less
 * than count only at its end. -1 when the file can no longer be read or is another one than
 * training read. Main thread. */
int train_recording_read(TrainRecording *recording, size_t first, size_t count, float *mono,
                         size_t *made, Error *err);
void train_recording_close(TrainRecording *recording);

/* How many classes are shown. */
size_t train_classes_shown(const TrainSounds *sounds);

/* The first `frames` frames, interleaved, that `brume render` would make of one class: out (frames,
 * channels). -1 when cancelled (`cancel` may be NULL) or out of memory. */
int train_render(const TextureModel *model, size_t class_index, uint64_t seed, unsigned channels,
                 const atomic_bool *cancel, float *out, size_t frames, Error *err);

#endif
