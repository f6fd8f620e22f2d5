/* Sound files, in and out, through libsndfile. */
#ifndef BRUME_CLI_SOUNDFILE_H
#define BRUME_CLI_SOUNDFILE_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/error.h"

enum { SOUND_RATE_LEAST = 1000, SOUND_RATE_MOST = 768000, SOUND_CHANNELS_MOST = 64 };

/* Samples of all channels that are read from one file, 400 MB of them: 17 minutes of stereo at 48
 * kHz. A file of a few kilobytes can hold hours of silence, and twice as much is needed to convert
 * its rate. */
#define SOUND_SAMPLES_MOST ((size_t)100000000)

/* A sound in memory. */
typedef struct Sound {
    float *samples; /* (frames, channels); full scale is -1..1, finite, may lie outside */
    size_t frames;
    unsigned channels;
    unsigned rate; /* Hz */
} Sound;

/* Reads all of `path`, of any format that libsndfile knows, into `*out` (free it with sound_free).
 * 0, or -1 with `*out` empty for: what is missing, no ordinary file (never waited for), no sound,
 * damaged, without a frame, of a rate or number of channels outside the limits above, with a sample
 * that is not finite, longer than `max_seconds` if that is > 0, or above SOUND_SAMPLES_MOST. Memory
 * grows with what is read, not with what the header promises. Main thread: while it decodes MPEG
 * audio, the process's standard error is silent. */
int soundfile_load(const char *path, double max_seconds, Sound *out, Error *err);

/* Frees the samples and empties `*sound`, which may be empty already. */
void sound_free(Sound *sound);

typedef struct SoundWriter SoundWriter;

/* Begins to write `path`, beside its place (cli/output.h): the file appears with
 * sound_writer_commit. The suffix chooses the format: .wav (32-bit float; RF64 if `most_frames`
 * need 4 GiB or more), .flac (24 bits) or .ogg (Vorbis, quality 0.7). The same sound in the same
 * calls makes the same file, to the bit. `most_frames` is the most that will be written; it matters
 * for .wav alone. NULL for another suffix, a rate or number of channels that the format cannot
 * hold, a place that cannot be written. One writer, one thread. */
SoundWriter *sound_writer_create(const char *path, unsigned rate, unsigned channels,
                                 uint64_t most_frames, Error *err);

/* Appends (frames, channels) samples; .flac and .ogg clip them to -1..1. -1 for a sample that is
 * not finite, a full disk, more than the format holds: then discard the writer. */
int sound_writer_write(SoundWriter *writer, const float *interleaved, size_t frames, Error *err);

/* Finishes the file, forces it to the disk and moves it to its place. 0, or -1 with nothing left
 * behind. Frees the writer either way. */
int sound_writer_commit(SoundWriter *writer, Error *err);

/* Removes what was written and frees the writer, which may be NULL. */
void sound_writer_discard(SoundWriter *writer);

#endif
