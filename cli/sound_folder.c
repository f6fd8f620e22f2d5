#include "cli/sound_folder.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sound_takes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096 };

/* What reading a folder needs at hand. */
typedef struct Reader {
    TakeTools tools;
    Corpus *corpus;
    Progress progress;
    FolderReport *report;
    FolderVoice voice;
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
    if (reader->voice == FOLDER_SILENT)
        return;
    progress_end(&reader->progress);
    error_set(&line, "%s", message);
    if (!strstr(message, path))
        error_prefix(&line, "%s", path);
    report_clean(line.message);
    fprintf(stderr, "brume train: %s: %s\n", what, line.message);
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

/* Parts of a recording that was cut at its cue points are recordings of their own. */
static void part_name(const char *file, size_t part, size_t parts, char *name, size_t room)
{
    recording_name(file, name, room);
    const size_t used = strlen(name);
    if (parts > 1)
        snprintf(name + used, room - used, " #%zu", part + 1);
}

/* Takes a part of a file down that was used, with copies of path and recording. */
static int remember(FolderReport *report, const char *path, const char *recording, FolderFile part,
                    Error *err)
{
    FolderFile *files = realloc(report->files, (report->file_count + 1) * sizeof *files);
    if (!files)
        return error_set(err, "out of memory for files");
    report->files = files;
    part.path = strdup(path);
    part.recording = strdup(recording);
    if (part.path && part.recording) {
        files[report->file_count++] = part;
        return 0;
    }
    free(part.path);
    free(part.recording);
    return error_set(err, "out of memory for files");
}

void folder_report_free(FolderReport *report)
{
    for (size_t i = 0; i < report->file_count; i++) {
        free(report->files[i].path);
        free(report->files[i].recording);
    }
    free(report->files);
    *report = (FolderReport){.used = 0};
}

static int add_parts(Reader *reader, size_t class_index, const char *path, const char *file,
                     SoundStream *stream, double *seconds, Error *err)
{
    char recording[256], told[SOUND_MARKS_ROOM];
    const size_t parts = sound_stream_parts(stream, told);
    *seconds = 0.0;
    for (size_t part = 0; part < parts; part++) {
        double more;
        part_name(file, part, parts, recording, sizeof recording);
        if (sound_takes_add(&reader->tools, reader->corpus, class_index, recording, stream, part,
                            &more, err))
            return -1;
        const FolderFile used = {.part = part, .class_index = class_index, .seconds = more};
        if (reader->report && remember(reader->report, path, recording, used, err))
            return -1;
        *seconds += more;
    }
    return 0;
}

/* Adds a file to a class; *seconds becomes its length. `findings` says what had better be mended,
 * `marks` what its maker marked in it. */
static int add_file(Reader *reader, const char *class_name, const char *path, const char *file,
                    double *seconds, SoundFindings *findings, char marks[SOUND_MARKS_ROOM],
                    Error *err)
{
    SoundStream *stream = sound_stream_open(path, err);
    if (!stream)
        return -1;
    const SoundSurvey *survey = sound_stream_survey(stream);
    const unsigned rate = survey->rate;
    sound_survey_judge(survey, findings);
    sound_stream_parts(stream, marks);
    const size_t class_index = corpus_class(reader->corpus, class_name, err);
    int failed = class_index == SIZE_MAX;
    if (!failed && sound_survey_silent(survey))
        failed = error_set(err, "it is silent (below -100 dBFS)");
    failed = failed || add_parts(reader, class_index, path, file, stream, seconds, err);
    sound_stream_close(stream);
    if (failed)
        return -1;
    reader->most = rate > reader->most ? rate : reader->most;
    reader->least = rate < reader->least || !reader->least ? rate : reader->least;
    return 0;
}

/* The channel that variant number v hears: one and the other, but not one that is silent. */
static SoundChannels variant_channel(const SoundSurvey *survey, size_t v)
{
    if (survey->channels < 2)
        return SOUND_LEFT;
    const double left = sound_survey_power(survey, 0), right = sound_survey_power(survey, 1);
    if (left <= 1e-10 || right <= 1e-10)
        return right > left ? SOUND_RIGHT : SOUND_LEFT;
    return v % 2 ? SOUND_RIGHT : SOUND_LEFT;
}

/* Variants of a file. What fails is left out: there is the recording itself. */
static void add_variants(Reader *reader, const char *class_name, const char *path, const char *file)
{
    char recording[256], told[SOUND_MARKS_ROOM];
    SoundStream *stream = sound_stream_open(path, NULL);
    if (!stream)
        return;
    const size_t parts = sound_stream_parts(stream, told);
    for (size_t part = 0; part < parts; part++) {
        part_name(file, part, parts, recording, sizeof recording);
        for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS && !interrupt_requested(); v++) {
            const SoundWanted wanted = {variant_channel(sound_stream_survey(stream), v),
                                        reader->tools.config->rate, VARIANTS[v].speed,
                                        VARIANTS[v].gain};
            sound_takes_add_variant(&reader->tools, reader->corpus,
                                    corpus_class(reader->corpus, class_name, NULL), recording,
                                    stream, part, &wanted, NULL);
        }
    }
    sound_stream_close(stream);
}

/* Whether it could be used. */
static bool read_file(Reader *reader, const char *class_name, const char *path, const char *file)
{
    Error fault = {""};
    SoundFindings findings = {.count = 0};
    char marks[SOUND_MARKS_ROOM] = "";
    double seconds;
    progress_update(&reader->progress, 0.0, "reading %s/%s", class_name, file);
    if (add_file(reader, class_name, path, file, &seconds, &findings, marks, &fault)) {
        if (interrupt_requested())
            return false;
        warn(reader, "skipped", path, fault.message);
        reader->report->skipped++;
        return false;
    }
    for (size_t i = 0; i < findings.count; i++)
        warn(reader, "warning", path, findings.lines[i]);
    if (marks[0])
        warn(reader, "note", path, marks);
    reader->report->used++;
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
    char marks[SOUND_MARKS_ROOM];
    Reader reader = {.tools = {config, bands, stft_create(config->frame, err)}, .corpus = corpus};
    if (!reader.tools.stft)
        return -1;
    const int failed = add_file(&reader, class_name, path, slash ? slash + 1 : path, &seconds,
                                &findings, marks, err);
    stft_destroy(reader.tools.stft);
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
            add_variants(reader, class_name, file, entries[i]->d_name);
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
                      const Bands *bands, Corpus *corpus, FolderVoice voice, FolderReport *report,
                      Error *err)
{
    *report = (FolderReport){.used = 0};
    Reader reader = {
        .tools = {config, bands, NULL}, .corpus = corpus, .report = report, .voice = voice};
    if (!is_folder(folder))
        return error_set(err, "%s: is not a folder that can be opened: give a folder of recordings",
                         folder);
    reader.tools.stft = stft_create(config->frame, err);
    if (!reader.tools.stft)
        return -1;
    progress_begin(&reader.progress, voice != FOLDER_TELLS);
    const int failed =
        read_classes(&reader, folder, only, err) || check_found(&reader, folder, only, err);
    progress_end(&reader.progress);
    stft_destroy(reader.tools.stft);
    return failed ? -1 : 0;
}
