/* A recording as training hears it, piece by piece, so that an hour takes no more memory than a
 * second: at most two channels, without an offset, at another rate; cut where its maker marked it.
 */
#ifndef BRUME_CLI_SOUND_STREAM_H
#define BRUME_CLI_SOUND_STREAM_H

#include "cli/sound_check.h"
#include "dsp/error.h"

#include <stddef.h>

typedef struct SoundStream SoundStream;

/* Opens a file and goes through it once. NULL as sound_reader_open and sound_reader_read, and for a
 * file without a frame. Main thread. */
SoundStream *sound_stream_open(const char *path, Error *err);
void sound_stream_close(SoundStream *stream);

/* Of the file, before anything was changed. Frames are those of all parts. */
const SoundSurvey *sound_stream_survey(const SoundStream *stream);

/* The parts that it falls into. A loop of two seconds or more (a sampler's: the instrument chunk)
 * is all that counts of a file; without one, it is cut at its cue points, but where a part would be
 * shorter than two seconds. `told` becomes a line on this for the user, or "". */
enum { SOUND_MARKS_ROOM = 160 };
size_t sound_stream_parts(const SoundStream *stream, char told[SOUND_MARKS_ROOM]);

/* What is to be heard of each frame. */
typedef enum {
    SOUND_ALL,   /* its channels, one or two */
    SOUND_LEFT,  /* the first alone */
    SOUND_RIGHT, /* the second alone */
    SOUND_MEAN   /* their mean */
} SoundChannels;

typedef struct SoundWanted {
    SoundChannels channels;
    size_t rate;  /* Hz that come out */
    double speed; /* 1; faster and higher above */
    float gain;   /* 1 */
} SoundWanted;

/* Begins a part, at its first frame; as often as is wished. */
int sound_stream_begin(SoundStream *stream, size_t part, const SoundWanted *wanted, Error *err);

/* A part's length in frames of the file's own rate. */
size_t sound_stream_frames(const SoundStream *stream, size_t part);

/* Begins a part at a later one of these frames, as if it had no others before. */
int sound_stream_begin_at(SoundStream *stream, size_t part, size_t first, const SoundWanted *wanted,
                          Error *err);

/* The next frames, up to `room`, into (room, 2), or (room,) unless they are SOUND_ALL of two
 * channels; *made is less than room only at the part's end. -1 when the file is damaged, or no
 * longer what it was when it was opened. */
int sound_stream_read(SoundStream *stream, float *out, size_t room, size_t *made, Error *err);

#endif
