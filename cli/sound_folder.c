#include "cli/sound_folder.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "dsp/analysis.h"
#include "dsp/resample.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, PIECE = 1024 /* frames analysed together */ };

/* What reading a folder needs at hand. */
typedef struct Reader {
    const TextureConfig *config;
    const Bands *bands;
    Corpus *corpus;
    Stft *stft;
    Progress progress;
    FolderReport *report;
    double seconds;       /* of the class that is being read */
    unsigned least, most; /* rates of its recordings; 0 before the first */
} Reader;

/* How a variant differs: speed and pitch as a ratio, level as a factor. About 35 and 70 cents, 1.5
 * dB: what a listener takes for another moment of the same sound. */
typedef struct Variant {
    double speed;
    float gain;
} Variant;
static const Variant VARIANTS[] = {
    {0.9604, 1.19f}, {0.98, 0.84f}, {1.0204, 1.19f}, {1.0412, 0.84f}};

static bool wanted(const StringList *only, const char *name)
{
    for (size_t i = 0; i < only->count; i++)
        if (!strcmp(only->values[i], name))
            return true;
    return only->count == 0;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* One line about a file: `what` happened to it, and why. */
static void warn(Reader *reader, const char *what, const char *path, const char *message)
{
    Error line;
    progress_end(&reader->progress);
    error_set(&line, "%s", message);
    if (!strstr(message, path))
        error_prefix(&line, "%s", path);
    report_clean(line.message);
    fprintf(stderr, "brume train: %s: %s\n", what, line.message);
}

/* Sample i of a sound as a take hears it. */
static float sample_at(const Sound *sound, CorpusChannel channel, size_t i)
{
    const float *at = sound->samples + i * sound->channels;
    return channel == CORPUS_MIDDLE ? 0.5f * (at[0] + at[1]) : at[channel == CORPUS_RIGHT];
}

/* Log energies (frames, bands) of a channel, by pieces: an hour is not copied whole. piece: PIECE +
 * 3 hops. */
static int analyse(Reader *reader, const Sound *sound, CorpusChannel channel, size_t frames,
                   float *piece, float *log_energy, Error *err)
{
    const size_t frame = reader->config->frame, hop = frame / 4;
    for (size_t done = 0; done < frames; done += PIECE) {
        const size_t count = frames - done < PIECE ? frames - done : PIECE;
        const size_t n = (count - 1) * hop + frame;
        for (size_t i = 0; i < n; i++)
            piece[i] = sample_at(sound, channel, done * hop + i);
        if (analysis_run(reader->bands, reader->stft, piece, n, hop,
                         log_energy + done * bands_count(reader->bands), err))
            return -1;
    }
    return 0;
}

static int add_take(Reader *reader, size_t class_index, const char *recording,
                    CorpusChannel channel, const Sound *sound, Error *err)
{
    const size_t frame = reader->config->frame, hop = frame / 4;
    const size_t frames = analysis_frames(sound->frames, frame, hop);
    float *piece = malloc((PIECE + 3) * hop * sizeof *piece);
    float *log_energy = malloc((frames ? frames : 1) * bands_count(reader->bands) * sizeof(float));
    int failed = piece && log_energy ? 0 : error_set(err, "out of memory");
    failed = failed || analyse(reader, sound, channel, frames, piece, log_energy, err) ||
             corpus_add(reader->corpus, class_index, recording, channel, log_energy, frames, err);
    free(piece);
    free(log_energy);
    return failed ? -1 : 0;
}

static double rms_of(const float *samples, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)samples[i] * (double)samples[i];
    return sqrt(sum / (double)(n ? n : 1));
}

/* Of two channels of which one is silent, the other one alone. */
static void drop_silent_channel(Sound *sound)
{
    double levels[2] = {0.0, 0.0};
    if (sound->channels != 2)
        return;
    for (size_t i = 0; i < 2 * sound->frames; i++)
        levels[i % 2] += (double)sound->samples[i] * (double)sound->samples[i];
    const double silence = 1e-10 * (double)sound->frames;
    if (levels[0] > silence && levels[1] > silence)
        return;
    const size_t kept = levels[1] > levels[0];
    for (size_t i = 0; i < sound->frames; i++)
        sound->samples[i] = sound->samples[2 * i + kept];
    sound->channels = 1;
}

/* What a sound's first take is: LEFT only where the second channel says something new. */
static CorpusChannel first_channel(const Sound *sound)
{
    if (sound->channels < 2)
        return CORPUS_MONO;
    double difference = 0.0, level = 0.0;
    for (size_t i = 0; i < sound->frames; i++) {
        const double left = (double)sound->samples[i * sound->channels];
        const double right = (double)sound->samples[i * sound->channels + 1];
        difference += (left - right) * (left - right);
        level += right * right;
    }
    return difference > 1e-4 * level ? CORPUS_LEFT : CORPUS_ALIKE;
}

/* From `from` Hz to the model's rate, in the place of what it was. */
static int resample(Sound *sound, double from, size_t rate, Error *err)
{
    if (from == (double)rate)
        return 0;
    float *samples;
    size_t n;
    if (resampler_all(sound->samples, sound->frames, sound->channels, from, (double)rate, &samples,
                      &n, err))
        return -1;
    free(sound->samples);
    sound->samples = samples;
    sound->frames = n;
    sound->rate = (unsigned)rate;
    return 0;
}

static int add_sound(Reader *reader, size_t class_index, const char *recording, Sound *sound,
                     Error *err)
{
    if (rms_of(sound->samples, sound->frames * sound->channels) < 1e-5)
        return error_set(err, "it is silent (below -100 dBFS)");
    if (resample(sound, (double)sound->rate, reader->config->rate, err))
        return -1;
    drop_silent_channel(sound);
    const CorpusChannel first = first_channel(sound);
    if (add_take(reader, class_index, recording, first, sound, err))
        return -1;
    if (first != CORPUS_LEFT)
        return 0;
    return add_take(reader, class_index, recording, CORPUS_RIGHT, sound, err) ||
                   add_take(reader, class_index, recording, CORPUS_MIDDLE, sound, err)
               ? -1
               : 0;
}

/* More than two channels: the first two, since resampling knows no more. */
static void keep_two_channels(Sound *sound)
{
    if (sound->channels <= 2)
        return;
    for (size_t i = 0; i < sound->frames; i++)
        for (unsigned c = 0; c < 2; c++)
            sound->samples[2 * i + c] = sound->samples[i * sound->channels + c];
    sound->channels = 2;
}

/* Folder, name -> recording's name, without suffix. */
static void recording_name(const char *file, char *name, size_t room)
{
    snprintf(name, room, "%s", file);
    report_clean(name);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
}

int sound_folder_load(const char *path, Sound *sound, SoundFindings *findings, Error *err)
{
    if (soundfile_load(path, 0, sound, err))
        return -1;
    keep_two_channels(sound);
    sound_check(sound, findings);
    return 0;
}

/* Adds a file to a class; *seconds becomes its length. */
static int add_file(Reader *reader, const char *class_name, const char *path, const char *file,
                    double *seconds, SoundFindings *findings, Error *err)
{
    Sound sound;
    char recording[256];
    if (sound_folder_load(path, &sound, findings, err))
        return -1;
    const unsigned rate = sound.rate;
    recording_name(file, recording, sizeof recording);
    const size_t class_index = corpus_class(reader->corpus, class_name, err);
    const int failed =
        class_index == SIZE_MAX || add_sound(reader, class_index, recording, &sound, err);
    *seconds = (double)sound.frames / (double)sound.rate;
    sound_free(&sound);
    if (failed)
        return -1;
    reader->most = rate > reader->most ? rate : reader->most;
    reader->least = rate < reader->least || !reader->least ? rate : reader->least;
    return 0;
}

/* Variant number v of a file hears one of its channels. What fails is left out: there is the
 * recording itself. */
static void add_variant(Reader *reader, const char *class_name, const char *path, const char *file,
                        size_t v)
{
    Sound sound;
    SoundFindings findings;
    char recording[256];
    if (sound_folder_load(path, &sound, &findings, NULL))
        return;
    drop_silent_channel(&sound);
    for (size_t i = 0; i < sound.frames; i++)
        sound.samples[i] =
            VARIANTS[v].gain * sound.samples[i * sound.channels + v % sound.channels];
    sound.channels = 1;
    recording_name(file, recording, sizeof recording);
    if (!resample(&sound, VARIANTS[v].speed * (double)sound.rate, reader->config->rate, NULL))
        add_take(reader, corpus_class(reader->corpus, class_name, NULL), recording, CORPUS_VARIANT,
                 &sound, NULL);
    sound_free(&sound);
}

/* Takes a file down that was used. */
static int remember(Reader *reader, const char *class_name, const char *path, const char *file,
                    Error *err)
{
    FolderReport *report = reader->report;
    char recording[256];
    FolderFile *files = realloc(report->files, (report->used + 1) * sizeof *files);
    if (!files)
        return error_set(err, "out of memory for files");
    report->files = files;
    recording_name(file, recording, sizeof recording);
    FolderFile *one = &files[report->used];
    *one = (FolderFile){strdup(path), strdup(recording),
                        corpus_class(reader->corpus, class_name, NULL)};
    if (one->path && one->recording) {
        report->used++;
        return 0;
    }
    free(one->path);
    free(one->recording);
    return error_set(err, "out of memory for files");
}

void folder_report_free(FolderReport *report)
{
    for (size_t i = 0; i < report->used; i++) {
        free(report->files[i].path);
        free(report->files[i].recording);
    }
    free(report->files);
    *report = (FolderReport){.used = 0};
}

/* Whether it could be used. */
static bool read_file(Reader *reader, const char *class_name, const char *path, const char *file)
{
    Error fault = {""};
    SoundFindings findings = {.count = 0};
    double seconds;
    progress_update(&reader->progress, 0.0, "reading %s/%s", class_name, file);
    if (add_file(reader, class_name, path, file, &seconds, &findings, &fault) ||
        remember(reader, class_name, path, file, &fault)) {
        warn(reader, "skipped", path, fault.message);
        reader->report->skipped++;
        return false;
    }
    for (size_t i = 0; i < findings.count; i++)
        warn(reader, "warning", path, findings.lines[i]);
    reader->report->seconds += seconds;
    reader->seconds += seconds;
    return true;
}

int sound_file_read(const char *path, const char *class_name, const TextureConfig *config,
                    const Bands *bands, Corpus *corpus, Error *err)
{
    const char *slash = strrchr(path, '/');
    double seconds;
    SoundFindings findings;
    Reader reader = {.config = config, .bands = bands, .corpus = corpus};
    reader.stft = stft_create(config->frame, err);
    if (!reader.stft)
        return -1;
    const int failed =
        add_file(&reader, class_name, path, slash ? slash + 1 : path, &seconds, &findings, err);
    stft_destroy(reader.stft);
    return failed && err && !strstr(err->message, path) ? error_prefix(err, "%s", path) : failed;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Writes the path of a file in a folder; whether it is one that can be read as sound. */
static bool file_path(const char *folder, const char *name, char path[PATH_ROOM])
{
    const int length = snprintf(path, PATH_ROOM, "%s/%s", folder, name);
    return length > 0 && length < PATH_ROOM && !is_folder(path);
}

/* Recordings of a low rate have no treble, and a model learns that of them. */
static void check_rates(Reader *reader, const char *path)
{
    char message[256];
    if (reader->least == reader->most)
        return;
    snprintf(message, sizeof message,
             "its recordings have rates from %u to %u Hz; those of %u Hz hold nothing above %u Hz, "
             "and the model learns that too: leave them out if that is not meant",
             reader->least, reader->most, reader->least, reader->least / 2);
    if (reader->least < 40000)
        warn(reader, "warning", path, message);
}

/* Reads the files that lie in `path` itself. */
static int read_class(Reader *reader, const char *path, const char *class_name, Error *err)
{
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, visible, alphasort);
    if (n < 0)
        return error_set(err,
                         "%s: cannot be read: %s: give yourself the right to read it, or move it "
                         "elsewhere",
                         path, strerror(errno));
    bool *used = calloc((size_t)n + 1, sizeof *used);
    reader->seconds = 0.0;
    reader->least = reader->most = 0;
    char file[PATH_ROOM];
    for (int i = 0; used && i < n; i++)
        used[i] = !interrupt_requested() && file_path(path, entries[i]->d_name, file) &&
                  read_file(reader, class_name, file, entries[i]->d_name);
    check_rates(reader, path);
    for (int i = 0; i < n; i++) {
        if (used && used[i] && reader->seconds < SOUND_FOLDER_LITTLE &&
            file_path(path, entries[i]->d_name, file))
            for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS; v++)
                if (!interrupt_requested())
                    add_variant(reader, class_name, file, entries[i]->d_name, v);
        free(entries[i]);
    }
    const bool short_of_memory = !used;
    free(used);
    free(entries);
    if (short_of_memory)
        return error_set(err, "out of memory for a folder's names");
    return interrupt_requested() ? error_set(err, "interrupted: nothing was written") : 0;
}

/* The last part of a path: "sounds/rain/" -> "rain". */
static void own_name(const char *folder, char *name, size_t room)
{
    char *whole = realpath(folder, NULL);
    const char *slash = whole ? strrchr(whole, '/') : NULL;
    snprintf(name, room, "%s", slash && slash[1] ? slash + 1 : "sounds");
    report_clean(name);
    free(whole);
}

static int read_classes(Reader *reader, const char *folder, const StringList *only, Error *err)
{
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, visible, alphasort);
    if (n < 0)
        return error_set(err, "%s: cannot be read: %s", folder, strerror(errno));
    int failed = 0;
    bool loose = false;
    for (int i = 0; i < n; i++) {
        char path[PATH_ROOM];
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        const bool fits = length > 0 && (size_t)length < sizeof path;
        if (fits && is_folder(path)) {
            if (!failed && wanted(only, entries[i]->d_name))
                failed = read_class(reader, path, entries[i]->d_name, err);
        } else {
            loose = true;
        }
        free(entries[i]);
    }
    free(entries);
    char name[256];
    own_name(folder, name, sizeof name);
    if (!failed && loose && wanted(only, name))
        failed = read_class(reader, folder, name, err);
    return failed;
}

static int check_found(const Reader *reader, const char *folder, const StringList *only, Error *err)
{
    for (size_t i = 0; i < only->count; i++) {
        bool found = false;
        for (size_t c = 0; c < corpus_classes(reader->corpus); c++)
            found = found || !strcmp(corpus_class_name(reader->corpus, c), only->values[i]);
        if (!found)
            return error_set(err,
                             "%s: no usable sound for class \"%s\": it must be a folder there "
                             "that holds recordings",
                             folder, only->values[i]);
    }
    if (!reader->report->used)
        return error_set(err,
                         "%s: no usable sound in it: give a folder of recordings (wav, flac, "
                         "ogg, mp3, ...), or of folders of them",
                         folder);
    return 0;
}

int sound_folder_read(const char *folder, const StringList *only, const TextureConfig *config,
                      const Bands *bands, Corpus *corpus, bool quiet, FolderReport *report,
                      Error *err)
{
    *report = (FolderReport){.used = 0};
    Reader reader = {.config = config, .bands = bands, .corpus = corpus, .report = report};
    if (!is_folder(folder))
        return error_set(err, "%s: is not a folder that can be opened: give a folder of recordings",
                         folder);
    reader.stft = stft_create(config->frame, err);
    if (!reader.stft)
        return -1;
    progress_begin(&reader.progress, quiet);
    const int failed =
        read_classes(&reader, folder, only, err) || check_found(&reader, folder, only, err);
    progress_end(&reader.progress);
    stft_destroy(reader.stft);
    return failed ? -1 : 0;
}
