/* A sound file read in pieces, through libsndfile: however long it is, memory stays small. */
#ifndef BRUME_CLI_SOUND_READER_H
#define BRUME_CLI_SOUND_READER_H

#include <stddef.h>

#include "dsp/error.h"

typedef struct SoundReader SoundReader;

/* Opens an ordinary file (never waited for) of any format that libsndfile knows. NULL for what is
 * missing, no sound, or of a rate or number of channels outside the limits of cli/soundfile.h. The
 * file may be moved or deleted from then on. Main thread: while it decodes MPEG audio, the
 * process's standard error is silent. */
SoundReader *sound_reader_open(const char *path, Error *err);
void sound_reader_close(SoundReader *reader);

unsigned sound_reader_rate(const SoundReader *reader);
unsigned sound_reader_channels(const SoundReader *reader);

/* The next frames, at most `room` and at most 4096, into (room, channels); *made says how many, 0
 * at the end. Full scale is -1..1, values are finite and may lie outside. -1 where the file is
 * damaged or a sample is no number. */
int sound_reader_read(SoundReader *reader, float *out, size_t room, size_t *made, Error *err);

/* Goes to a frame, counted from the file's first. */
int sound_reader_seek(SoundReader *reader, size_t frame, Error *err);

/* What the file's maker marked in it. */
typedef struct SoundMarks {
    size_t loop_first, loop_end; /* frames of the first loop that plays; both 0 without one */
    size_t *cues;                /* (count,): frames of the cue points, rising */
    size_t count;
} SoundMarks;

/* Free cues with free(). Files without marks, and formats that can't have them, have none. */
int sound_reader_marks(SoundReader *reader, SoundMarks *marks, Error *err);

/* The first of `count` samples that is not finite, or `count`. */
size_t sound_find_non_finite(const float *samples, size_t count);

#endif
