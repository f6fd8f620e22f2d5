#include "cli/soundfile.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ogg.h"
#include "cli/output.h"
#include "cli/sound_reader.h"

/* Frames read or written in one go. libvorbis puts a block's frames on the stack. */
enum { PIECE = 4096 };

/* Makes room for `samples` floats, at least half as much again as there was. */
static int grow(Sound *sound, size_t *room, size_t samples)
{
    if (samples <= *room)
        return 0;
    size_t wanted = *room + *room / 2 > samples ? *room + *room / 2 : samples;
    float *larger = realloc(sound->samples, wanted * sizeof *larger);
    if (larger == NULL)
        return -1;
    sound->samples = larger;
    *room = wanted;
    return 0;
}

/* `sound` knows its rate and channels; fills in the rest. */
static int read_frames(SoundReader *reader, const char *path, double max_seconds, Sound *sound,
                       Error *err)
{
    size_t room = 0, channels = sound->channels;
    double frames_most = max_seconds > 0 ? max_seconds * sound->rate : INFINITY;
    for (;;) {
        size_t count;
        if (grow(sound, &room, (sound->frames + PIECE) * channels) != 0)
            return error_set(err, "%s: does not fit into memory: cut it", path);
        if (sound_reader_read(reader, sound->samples + sound->frames * channels, PIECE, &count,
                              err) != 0)
            return -1;
        if (count == 0)
            break;
        sound->frames += count;
        if ((double)sound->frames > frames_most)
            return error_set(err, "%s: lasts longer than %.15g s: cut it", path, max_seconds);
        if (sound->frames * channels > SOUND_SAMPLES_MOST)
            return error_set(err, "%s: is longer than %.0f minutes: cut it", path,
                             (double)SOUND_SAMPLES_MOST / (double)channels / sound->rate / 60.0);
    }
    if (sound->frames == 0)
        return error_set(err, "%s: holds no sound: give a longer file", path);
    return 0;
}

int soundfile_load(const char *path, double max_seconds, Sound *out, Error *err)
{
    *out = (Sound){0};
    SoundReader *reader = sound_reader_open(path, err);
    if (reader == NULL)
        return -1;
    out->channels = sound_reader_channels(reader);
    out->rate = sound_reader_rate(reader);
    int result = read_frames(reader, path, max_seconds, out, err);
    sound_reader_close(reader);
    if (result != 0)
        sound_free(out);
    return result;
}

void sound_free(Sound *sound)
{
    free(sound->samples);
    *sound = (Sound){0};
}

struct SoundWriter {
    Output *output;
    SNDFILE *file;
    char *path; /* for messages */
    unsigned rate;
    unsigned channels;
    int format;           /* libsndfile's */
    uint64_t frames;      /* written so far */
    uint64_t frames_most; /* what the format holds */
    float piece[];        /* (PIECE, channels): samples made fit for the format */
};

/* libsndfile does not report every write that fails; Output does, so all go through it. */
static sf_count_t virtual_length(void *user)
{
    struct stat status;
    return fstat(output_fd(user), &status) == 0 ? (sf_count_t)status.st_size : -1;
}

static sf_count_t virtual_seek(sf_count_t offset, int whence, void *user)
{
    return (sf_count_t)lseek(output_fd(user), (off_t)offset, whence);
}

static sf_count_t virtual_read(void *to, sf_count_t count, void *user)
{
    return (sf_count_t)read(output_fd(user), to, (size_t)count);
}

static sf_count_t virtual_write(const void *from, sf_count_t count, void *user)
{
    return (sf_count_t)output_write(user, from, (size_t)count);
}

static sf_count_t virtual_tell(void *user)
{
    return (sf_count_t)lseek(output_fd(user), 0, SEEK_CUR);
}

/* Room for the header beside the sound in a WAV file's 32-bit length. */
static uint64_t wav_frames_most(unsigned channels)
{
    return (UINT32_MAX - 4096u) / (4u * channels);
}

/* libsndfile's format for the suffix of `path`, or -1. */
static int choose_format(const char *path, unsigned channels, uint64_t most_frames, Error *err)
{
    if (output_has_suffix(path, ".wav"))
        return SF_FORMAT_FLOAT |
               (most_frames > wav_frames_most(channels) ? SF_FORMAT_RF64 : SF_FORMAT_WAV);
    if (output_has_suffix(path, ".flac"))
        return SF_FORMAT_FLAC | SF_FORMAT_PCM_24;
    if (output_has_suffix(path, ".ogg"))
        return SF_FORMAT_OGG | SF_FORMAT_VORBIS;
    return error_set(err, "%s: the suffix names no format: give .wav, .flac or .ogg", path);
}

/* libsndfile calls a full disk "No Error". */
static int report_write(const SoundWriter *writer, const char *words, Error *err)
{
    const int failure = output_failure(writer->output);
    return error_set(err, "%s: cannot be written: %s: make room or give another place",
                     writer->path, failure != 0 ? strerror(failure) : words);
}

static int open_encoder(SoundWriter *writer, Error *err)
{
    SF_VIRTUAL_IO io = {virtual_length, virtual_seek, virtual_read, virtual_write, virtual_tell};
    SF_INFO info = {.samplerate = (int)writer->rate,
                    .channels = (int)writer->channels,
                    .format = writer->format};
    writer->file = sf_open_virtual(&io, SFM_WRITE, &info, writer->output);
    if (writer->file == NULL && output_failure(writer->output) != 0)
        return report_write(writer, "", err);
    if (writer->file == NULL)
        return error_set(err, "%s: the format cannot hold %u channels at %u Hz (%s): give .wav",
                         writer->path, writer->channels, writer->rate, sf_strerror(NULL));
    /* The chunk of peaks holds the time of day. */
    sf_command(writer->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    double quality = 0.7;
    if ((writer->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
        sf_command(writer->file, SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof quality);
    return 0;
}

SoundWriter *sound_writer_create(const char *path, unsigned rate, unsigned channels,
                                 uint64_t most_frames, Error *err)
{
    if (rate < SOUND_RATE_LEAST || rate > SOUND_RATE_MOST || channels < 1 ||
        channels > SOUND_CHANNELS_MOST) {
        error_set(err, "%s: %u channels at %u Hz: give 1 to %d channels and %d to %d Hz", path,
                  channels, rate, SOUND_CHANNELS_MOST, SOUND_RATE_LEAST, SOUND_RATE_MOST);
        return NULL;
    }
    int format = choose_format(path, channels, most_frames, err);
    if (format < 0)
        return NULL;
    SoundWriter *writer = calloc(1, sizeof *writer + PIECE * channels * sizeof(float));
    char *name = strdup(path);
    if (writer == NULL || name == NULL) {
        error_set(err, "%s: out of memory", path);
        free(writer);
        free(name);
        return NULL;
    }
    writer->path = name;
    writer->rate = rate;
    writer->channels = channels;
    writer->format = format;
    bool wav = (format & SF_FORMAT_TYPEMASK) == SF_FORMAT_WAV;
    writer->frames_most = wav ? wav_frames_most(channels) : INT64_MAX;
    writer->output = output_create(path, err);
    if (writer->output == NULL || open_encoder(writer, err) != 0) {
        sound_writer_discard(writer);
        return NULL;
    }
    return writer;
}

/* At most PIECE frames. */
static int write_piece(SoundWriter *writer, const float *from, size_t frames, Error *err)
{
    size_t samples = frames * writer->channels, bad = sound_find_non_finite(from, samples);
    if (bad < samples)
        return error_set(err, "%s: the sample at %.6f s is not a finite number: report this fault",
                         writer->path,
                         (double)(writer->frames + bad / writer->channels) / writer->rate);
    if (writer->frames + frames > writer->frames_most)
        return error_set(err, "%s: outgrows a wav file at 4 GiB: give .flac or fewer seconds",
                         writer->path);
    bool clips = (writer->format & SF_FORMAT_SUBMASK) != SF_FORMAT_FLOAT;
    for (size_t i = 0; i < samples; i++)
        writer->piece[i] = clips ? fmaxf(-1.0f, fminf(1.0f, from[i])) : from[i];
    sf_count_t count = sf_writef_float(writer->file, writer->piece, (sf_count_t)frames);
    if (count != (sf_count_t)frames)
        return report_write(writer, sf_strerror(writer->file), err);
    writer->frames += frames;
    return 0;
}

int sound_writer_write(SoundWriter *writer, const float *interleaved, size_t frames, Error *err)
{
    for (size_t done = 0; done < frames; done += PIECE) {
        size_t count = frames - done < PIECE ? frames - done : PIECE;
        if (write_piece(writer, interleaved + done * writer->channels, count, err) != 0)
            return -1;
    }
    return 0;
}

int sound_writer_commit(SoundWriter *writer, Error *err)
{
    int problem = sf_close(writer->file);
    writer->file = NULL;
    int result = 0;
    if (problem != 0)
        result = report_write(writer, sf_error_number(problem), err);
    if (result == 0 && (writer->format & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG) {
        result = ogg_set_serial(output_fd(writer->output), 0x6272756d, err);
        if (result != 0)
            error_prefix(err, "%s", writer->path);
    }
    if (result == 0) {
        Output *output = writer->output;
        writer->output = NULL;
        result = output_commit(output, err);
    }
    sound_writer_discard(writer);
    return result;
}

void sound_writer_discard(SoundWriter *writer)
{
    if (writer == NULL)
        return;
    if (writer->file != NULL)
        sf_close(writer->file);
    output_discard(writer->output);
    free(writer->path);
    free(writer);
}
