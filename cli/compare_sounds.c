#include "cli/compare_sounds.h"

#include "cli/interrupt.h"
#include "cli/report.h"
#include "cli/soundfile.h"
#include "dsp/downmix.h"
#include "dsp/resample.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096 };

/* What reading needs at hand. */
typedef struct Reader {
    TextureEar *ear;
    Progress *progress;
    CompareSounds *out;
} Reader;

static int append(CompareSounds *to, TextureSound *sound, Error *err)
{
    TextureSound **sounds = realloc(to->sounds, (to->count + 1) * sizeof(TextureSound *));
    if (!sounds) {
        texture_sound_destroy(sound);
        return error_set(err, "out of memory for the sounds");
    }
    to->sounds = sounds;
    to->sounds[to->count++] = sound;
    to->seconds += texture_sound_seconds(sound);
    return 0;
}

int compare_sounds_add(CompareSounds *to, TextureEar *ear, const float *mono, size_t n, double rate,
                       Error *err)
{
    float *converted = NULL;
    if (rate != COCHLEA_RATE && resampler_all(mono, n, 1, rate, COCHLEA_RATE, &converted, &n, err))
        return -1;
    TextureSound *analysed = texture_sound_create(ear, converted ? converted : mono, n, err);
    free(converted);
    return analysed ? append(to, analysed, err) : -1;
}

static int read_file(Reader *reader, const char *path, Error *err)
{
    Sound sound;
    Error fault = {""};
    progress_update(reader->progress, 0.0, "reading %s", path);
    if (interrupt_requested())
        return error_set(err, "interrupted: nothing was measured");
    if (soundfile_load(path, 0, &sound, err))
        return -1;
    downmix(sound.samples, sound.frames, sound.channels, sound.samples);
    const int failed = compare_sounds_add(reader->out, reader->ear, sound.samples, sound.frames,
                                          (double)sound.rate, &fault);
    sound_free(&sound);
    return failed ? error_set(err, "%s: %s", path, fault.message) : 0;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A file of a folder: what cannot be used is told of and left out. */
static void read_or_skip(Reader *reader, const char *path)
{
    Error fault = {""};
    if (is_folder(path) || !read_file(reader, path, &fault) || interrupt_requested())
        return;
    progress_end(reader->progress);
    report_clean(fault.message);
    fprintf(stderr, "brume compare: skipped: %s\n", fault.message);
}

static int read_folder(Reader *reader, const char *folder, Error *err)
{
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, visible, alphasort);
    if (n < 0)
        return error_set(err, "%s: cannot be read: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char path[PATH_ROOM];
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (!interrupt_requested() && length > 0 && (size_t)length < sizeof path)
            read_or_skip(reader, path);
        free(entries[i]);
    }
    free(entries);
    if (interrupt_requested())
        return error_set(err, "interrupted: nothing was measured");
    if (!reader->out->count)
        return error_set(err,
                         "%s: no usable sound lies in it: give a sound file, or the folder that "
                         "holds the recordings themselves",
                         folder);
    return 0;
}

int compare_sounds_read(const char *path, TextureEar *ear, Progress *progress, CompareSounds *out,
                        Error *err)
{
    Reader reader = {ear, progress, out};
    return is_folder(path) ? read_folder(&reader, path, err) : read_file(&reader, path, err);
}

void compare_sounds_free(CompareSounds *sounds)
{
    for (size_t i = 0; i < sounds->count; i++)
        texture_sound_destroy(sounds->sounds[i]);
    free(sounds->sounds);
    *sounds = (CompareSounds){NULL, 0, 0.0};
}
