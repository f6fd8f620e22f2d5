#include "cli/sound_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/soundfile.h"

/* Frames read in one go. libvorbis puts a block's frames on the stack. */
enum { PIECE = 4096, CUES_MOST = 65536 };

struct SoundReader {
    SNDFILE *file;
    char *path; /* for messages */
    int fd;
    bool mpeg;
    unsigned rate, channels;
    size_t at; /* the next frame */
};

/* Opens an ordinary file; O_NONBLOCK, so that a FIFO without a writer is looked at, not waited for.
 */
static int open_regular(const char *path, Error *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "%s: cannot be opened: %s: check the name and its permissions", path,
                         strerror(errno));
    struct stat status;
    const char *what = NULL;
    if (fstat(fd, &status) != 0)
        what = "cannot be looked at: give another file";
    else if (S_ISDIR(status.st_mode))
        what = "is a folder: give a sound file";
    else if (!S_ISREG(status.st_mode))
        what = "is not an ordinary file: copy the sound into one first";
    else if (status.st_size == 0)
        what = "is empty: give a sound file";
    if (what == NULL)
        return fd;
    close(fd);
    return error_set(err, "%s: %s", path, what);
}

static int check_info(const char *path, const SF_INFO *info, Error *err)
{
    if (info->samplerate < SOUND_RATE_LEAST || info->samplerate > SOUND_RATE_MOST)
        return error_set(err, "%s: has a sample rate of %d Hz: convert it to %d to %d Hz", path,
                         info->samplerate, SOUND_RATE_LEAST, SOUND_RATE_MOST);
    if (info->channels < 1 || info->channels > SOUND_CHANNELS_MOST)
        return error_set(err, "%s: has %d channels: mix it down to %d or fewer", path,
                         info->channels, SOUND_CHANNELS_MOST);
    return 0;
}

size_t sound_find_non_finite(const float *samples, size_t count)
{
    size_t i = 0;
    while (i < count && isfinite(samples[i]))
        i++;
    return i;
}

/* Whether the file may be MPEG audio: an ID3 tag, or the eleven bits that begin a frame. */
static bool looks_like_mpeg(int fd)
{
    unsigned char head[3] = {0};
    return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
           (memcmp(head, "ID3", 3) == 0 || (head[0] == 0xff && head[1] >= 0xe0));
}

/* libsndfile lets mpg123 chat on standard error, and has no way to stop it. Silences that until
 * unmute gets what this returned. */
static int mute(void)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int saved = nowhere < 0 ? -1 : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (saved >= 0)
        dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0)
        close(nowhere);
    return saved;
}

static void unmute(int saved)
{
    if (saved < 0)
        return;
    dup2(saved, STDERR_FILENO);
    close(saved);
}

/* From the file's beginning; `info` becomes what it is. */
static int start(SoundReader *reader, SF_INFO *info, Error *err)
{
    *info = (SF_INFO){0};
    reader->at = 0;
    if (lseek(reader->fd, 0, SEEK_SET) != 0)
        return error_set(err, "%s: cannot be read twice: %s", reader->path, strerror(errno));
    const int saved = reader->mpeg ? mute() : -1;
    reader->file = sf_open_fd(reader->fd, SFM_READ, info, SF_FALSE);
    unmute(saved);
    if (reader->file != NULL)
        return 0;
    return error_set(err, "%s: is no sound that can be read (%s): give wav, flac, ogg, opus or mp3",
                     reader->path, sf_error(NULL) == SF_ERR_SYSTEM ? "damaged" : sf_strerror(NULL));
}

SoundReader *sound_reader_open(const char *path, Error *err)
{
    SF_INFO info;
    const int fd = open_regular(path, err);
    if (fd < 0)
        return NULL;
    SoundReader *reader = calloc(1, sizeof *reader);
    char *name = strdup(path);
    if (reader == NULL || name == NULL) {
        error_set(err, "%s: out of memory", path);
        free(reader);
        free(name);
        close(fd);
        return NULL;
    }
    *reader = (SoundReader){.path = name, .fd = fd, .mpeg = looks_like_mpeg(fd)};
    if (start(reader, &info, err) != 0 || check_info(path, &info, err) != 0) {
        sound_reader_close(reader);
        return NULL;
    }
    reader->rate = (unsigned)info.samplerate;
    reader->channels = (unsigned)info.channels;
    return reader;
}

void sound_reader_close(SoundReader *reader)
{
    if (reader == NULL)
        return;
    const int saved = reader->mpeg ? mute() : -1;
    if (reader->file != NULL)
        sf_close(reader->file);
    unmute(saved);
    close(reader->fd);
    free(reader->path);
    free(reader);
}

unsigned sound_reader_rate(const SoundReader *reader)
{
    return reader->rate;
}

unsigned sound_reader_channels(const SoundReader *reader)
{
    return reader->channels;
}

int sound_reader_read(SoundReader *reader, float *out, size_t room, size_t *made, Error *err)
{
    *made = 0;
    const int saved = reader->mpeg ? mute() : -1;
    const sf_count_t count =
        sf_readf_float(reader->file, out, (sf_count_t)(room < PIECE ? room : PIECE));
    unmute(saved);
    if (count <= 0)
        return sf_error(reader->file) == SF_ERR_NO_ERROR
                   ? 0
                   : error_set(err, "%s: is damaged at %.6f s (%s): export it again", reader->path,
                               (double)reader->at / reader->rate, sf_strerror(reader->file));
    const size_t samples = (size_t)count * reader->channels;
    const size_t bad = sound_find_non_finite(out, samples);
    if (bad < samples)
        return error_set(err, "%s: the sample at %.6f s is not a finite number: export it again",
                         reader->path,
                         (double)(reader->at + bad / reader->channels) / reader->rate);
    reader->at += (size_t)count;
    *made = (size_t)count;
    return 0;
}

int sound_reader_seek(SoundReader *reader, size_t frame, Error *err)
{
    SF_INFO info;
    /* Decoders begin anew, so that the same samples come again. */
    if (frame == 0) {
        sf_close(reader->file);
        reader->file = NULL;
        if (start(reader, &info, err) != 0)
            return -1;
        return (unsigned)info.channels == reader->channels &&
                       (unsigned)info.samplerate == reader->rate
                   ? 0
                   : error_set(err, "%s: changed while it was read", reader->path);
    }
    if (sf_seek(reader->file, (sf_count_t)frame, SEEK_SET) != (sf_count_t)frame)
        return error_set(err, "%s: has a mark at %.6f s, where it cannot be read: export it again",
                         reader->path, (double)frame / reader->rate);
    reader->at = frame;
    return 0;
}

static void find_loop(SoundReader *reader, SoundMarks *marks)
{
    SF_INSTRUMENT instrument = {0};
    if (sf_command(reader->file, SFC_GET_INSTRUMENT, &instrument, sizeof instrument) != SF_TRUE)
        return;
    for (int i = 0; i < instrument.loop_count && i < 16; i++)
        if (instrument.loops[i].mode != SF_LOOP_NONE &&
            instrument.loops[i].end > instrument.loops[i].start) {
            marks->loop_first = instrument.loops[i].start;
            marks->loop_end = instrument.loops[i].end;
            return;
        }
}

static int compare_frames(const void *a, const void *b)
{
    const size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return left < right ? -1 : left > right;
}

int sound_reader_marks(SoundReader *reader, SoundMarks *marks, Error *err)
{
    uint32_t count = 0;
    *marks = (SoundMarks){0};
    find_loop(reader, marks);
    if (sf_command(reader->file, SFC_GET_CUE_COUNT, &count, sizeof count) != SF_TRUE ||
        count == 0 || count > CUES_MOST)
        return 0;
    typedef SF_CUES_VAR() Cues;
    const size_t room = sizeof(Cues) + count * sizeof(SF_CUE_POINT);
    Cues *cues = calloc(1, room);
    marks->cues = calloc(count, sizeof *marks->cues);
    if (cues == NULL || marks->cues == NULL) {
        free(cues);
        free(marks->cues);
        *marks = (SoundMarks){0};
        return error_set(err, "%s: out of memory for its marks", reader->path);
    }
    if (sf_command(reader->file, SFC_GET_CUE, cues, (int)room) == SF_TRUE)
        for (uint32_t i = 0; i < count && i < cues->cue_count; i++)
            marks->cues[marks->count++] = cues->cue_points[i].sample_offset;
    free(cues);
    qsort(marks->cues, marks->count, sizeof *marks->cues, compare_frames);
    return 0;
}
