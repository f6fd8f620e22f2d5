#include "cli/sound_stream.h"

#include "cli/soundfile.h"
#include "cli/sound_reader.h"
#include "dsp/resample.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 4096 };

/* Seconds of the shortest loop and of the shortest part. */
static const double SHORTEST = 2.0;

struct SoundStream {
    SoundReader *reader;
    SoundSurvey survey;
    unsigned channels; /* in the file */
    bool looped;
    size_t *borders; /* (parts + 1,): frames where parts begin, and the last one ends */
    size_t parts;
    SoundWanted wanted;
    Resampler *resampler;
    unsigned heard;  /* channels that come out */
    size_t left;     /* frames of the part that are not yet read */
    size_t at, held; /* frames in `ready`: the first, and how many */
    float *raw;      /* (PIECE, channels) */
    float ready[2 * PIECE];
};

/* The first one or two channels of raw frames -> (frames, 1 or 2), where they lie. */
static void keep_two_channels(const SoundStream *stream, size_t frames)
{
    if (stream->channels <= 2)
        return;
    for (size_t i = 0; i < frames; i++)
        for (unsigned c = 0; c < 2; c++)
            stream->raw[2 * i + c] = stream->raw[i * stream->channels + c];
}

/* Up to `most` frames into `raw`; none at the file's end. */
static int read_raw(SoundStream *stream, size_t most, size_t *made, Error *err)
{
    if (sound_reader_read(stream->reader, stream->raw, most < PIECE ? most : PIECE, made, err))
        return -1;
    keep_two_channels(stream, *made);
    return 0;
}

/* Goes through frames first..end-1, or to the file's end; says where that was. */
static int survey(SoundStream *stream, size_t first, size_t *end, Error *err)
{
    size_t at = first, made = 1;
    sound_survey_begin(&stream->survey, stream->channels < 2 ? 1 : 2,
                       sound_reader_rate(stream->reader));
    if (first && sound_reader_seek(stream->reader, first, err))
        return -1;
    while (at < *end && made) {
        if (read_raw(stream, *end - at, &made, err))
            return -1;
        sound_survey_add(&stream->survey, stream->raw, made);
        at += made;
    }
    *end = at;
    return stream->survey.frames ? 0 : error_set(err, "it holds no sound: give a longer file");
}

/* Parts of frames first..end-1: a cue is passed over where it is too near to the one before or to
 * the end. */
static int divide(SoundStream *stream, const SoundMarks *marks, size_t first, size_t end,
                  Error *err)
{
    const size_t cues = stream->looped ? 0 : marks->count;
    const size_t least = (size_t)(SHORTEST * sound_reader_rate(stream->reader));
    stream->borders = malloc((cues + 2) * sizeof *stream->borders);
    if (!stream->borders)
        return error_set(err, "out of memory for marks");
    stream->borders[0] = first;
    for (size_t i = 0; i < cues; i++)
        if (marks->cues[i] >= stream->borders[stream->parts] + least &&
            marks->cues[i] + least <= end)
            stream->borders[++stream->parts] = marks->cues[i];
    stream->borders[++stream->parts] = end;
    return 0;
}

static int look_through(SoundStream *stream, Error *err)
{
    SoundMarks marks;
    size_t first = 0, end = SIZE_MAX;
    if (sound_reader_marks(stream->reader, &marks, err))
        return -1;
    const double rate = sound_reader_rate(stream->reader);
    stream->looped = (double)(marks.loop_end - marks.loop_first) >= SHORTEST * rate;
    if (stream->looped) {
        first = marks.loop_first;
        end = marks.loop_end;
    }
    const int failed = survey(stream, first, &end, err) || divide(stream, &marks, first, end, err);
    free(marks.cues);
    return failed ? -1 : 0;
}

SoundStream *sound_stream_open(const char *path, Error *err)
{
    SoundStream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        error_set(err, "%s: out of memory", path);
        return NULL;
    }
    stream->reader = sound_reader_open(path, err);
    if (stream->reader) {
        stream->channels = sound_reader_channels(stream->reader);
        stream->raw = malloc(PIECE * stream->channels * sizeof *stream->raw);
        if (!stream->raw)
            error_set(err, "%s: out of memory", path);
    }
    if (!stream->raw || look_through(stream, err)) {
        sound_stream_close(stream);
        return NULL;
    }
    return stream;
}

void sound_stream_close(SoundStream *stream)
{
    if (!stream)
        return;
    sound_reader_close(stream->reader);
    resampler_destroy(stream->resampler);
    free(stream->borders);
    free(stream->raw);
    free(stream);
}

const SoundSurvey *sound_stream_survey(const SoundStream *stream)
{
    return &stream->survey;
}

size_t sound_stream_parts(const SoundStream *stream, char told[SOUND_MARKS_ROOM])
{
    const double rate = sound_reader_rate(stream->reader);
    told[0] = '\0';
    if (stream->looped)
        snprintf(told, SOUND_MARKS_ROOM, "its loop alone is used, from %.3f to %.3f s",
                 (double)stream->borders[0] / rate, (double)stream->borders[1] / rate);
    else if (stream->parts > 1)
        snprintf(told, SOUND_MARKS_ROOM, "taken as %zu recordings, parted at its cue points",
                 stream->parts);
    return stream->parts;
}

int sound_stream_begin(SoundStream *stream, size_t part, const SoundWanted *wanted, Error *err)
{
    return sound_stream_begin_at(stream, part, 0, wanted, err);
}

size_t sound_stream_frames(const SoundStream *stream, size_t part)
{
    return stream->borders[part + 1] - stream->borders[part];
}

int sound_stream_begin_at(SoundStream *stream, size_t part, size_t first, const SoundWanted *wanted,
                          Error *err)
{
    stream->wanted = *wanted;
    stream->heard = wanted->channels == SOUND_ALL ? stream->survey.channels : 1;
    stream->at = stream->held = 0;
    stream->left = sound_stream_frames(stream, part) - first;
    resampler_destroy(stream->resampler);
    stream->resampler = resampler_create(wanted->speed * sound_reader_rate(stream->reader),
                                         (double)wanted->rate, stream->heard, err);
    return !stream->resampler ||
                   sound_reader_seek(stream->reader, stream->borders[part] + first, err)
               ? -1
               : 0;
}

/* Raw frames -> `ready`, as they are wanted. */
static void prepare(SoundStream *stream, size_t frames)
{
    const unsigned channels = stream->survey.channels;
    const float gain = stream->wanted.gain;
    const float offsets[2] = {sound_survey_offset(&stream->survey, 0),
                              channels > 1 ? sound_survey_offset(&stream->survey, 1) : 0.0f};
    for (size_t i = 0; i < frames * channels; i++)
        stream->raw[i] -= offsets[channels > 1 && i % 2];
    for (size_t i = 0; i < frames; i++) {
        const float *x = stream->raw + i * channels;
        float *y = stream->ready + i * stream->heard;
        if (stream->wanted.channels == SOUND_MEAN)
            y[0] = gain * (channels > 1 ? 0.5f * (x[0] + x[1]) : x[0]);
        else if (stream->heard > 1)
            y[0] = gain * x[0], y[1] = gain * x[1];
        else
            y[0] = gain * x[stream->wanted.channels == SOUND_RIGHT && channels > 1];
    }
    stream->at = 0;
    stream->held = frames;
}

int sound_stream_read(SoundStream *stream, float *out, size_t room, size_t *made, Error *err)
{
    *made = 0;
    while (*made < room) {
        size_t used = 0, got = 0;
        if (!stream->held && stream->left) {
            size_t frames;
            if (read_raw(stream, stream->left, &frames, err))
                return -1;
            if (!frames)
                return error_set(err, "it became shorter while it was read: leave it alone until "
                                      "training has begun");
            stream->left -= frames;
            prepare(stream, frames);
        }
        const float *in = stream->held ? stream->ready + stream->at * stream->heard : NULL;
        if (resampler_process(stream->resampler, in, stream->held, &used,
                              out + *made * stream->heard, room - *made, &got, err))
            return -1;
        stream->at += used;
        stream->held -= used;
        *made += got;
        if (!in && !got)
            break;
    }
    return 0;
}
