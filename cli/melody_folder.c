#include "cli/melody_folder.h"

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/soundfile.h"
#include "dsp/notes.h"
#include "dsp/resample.h"
#include "models/melody_condition.h"
#include "models/midi.h"
#include "models/note_beat.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, PIECE = 60 * MELODY_RATE, LEAST = MELODY_RATE /* samples of a clip */ };

typedef struct File {
    char *path, *name;
    bool midi;
    NoteShare share;
} File;

typedef struct Files {
    File *list;
    size_t count, room;
} Files;

/* What reading a folder needs at hand. */
typedef struct Reader {
    Files files;
    MelodyFolder *found;
    Progress progress;
    bool from_sound; /* there is no MIDI: notes come from recordings */
} Reader;

static void warn(Reader *reader, const char *path, const char *message)
{
    Error line;
    progress_end(&reader->progress);
    error_set(&line, "%s", message);
    if (!strstr(message, path))
        error_prefix(&line, "%s", path);
    report_clean(line.message);
    fprintf(stderr, "brume train: skipped: %s\n", line.message);
    reader->found->skipped++;
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

static int add_file(Files *files, const char *path, const char *name, double holdout, Error *err)
{
    if (files->count == files->room) {
        const size_t room = files->room ? 2 * files->room : 256;
        File *list = realloc(files->list, room * sizeof *list);
        if (!list)
            return error_set(err, "out of memory for %zu files", room);
        files->list = list;
        files->room = room;
    }
    File *file = &files->list[files->count];
    *file = (File){strdup(path), strdup(name),
                   output_has_suffix(name, ".mid") || output_has_suffix(name, ".midi"),
                   note_share(name, holdout)};
    files->count++;
    return file->path && file->name ? 0 : error_set(err, "out of memory for files");
}

/* Files of `folder` in the order of their names, then, at `depth` 0, those of the folders in it. */
static int list_folder(Files *files, const char *folder, int depth, double holdout, Error *err)
{
    struct dirent **entries = NULL;
    const int n = scandir(folder, &entries, visible, alphasort);
    if (n < 0)
        return error_set(err, "%s: cannot be read: %s", folder, strerror(errno));
    int failed = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n && !failed; i++) {
            char path[PATH_ROOM];
            const int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            if (length < 0 || (size_t)length >= sizeof path || is_folder(path) != (pass == 1))
                continue;
            if (pass == 0)
                failed = add_file(files, path, entries[i]->d_name, holdout, err);
            else if (depth == 0)
                failed = list_folder(files, path, 1, holdout, err);
        }
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return failed;
}

/* In a small folder chance may leave nothing to train on: then validation gives way. */
static void keep_some_to_train_on(Files *files, bool midi)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->list[i].midi == midi && files->list[i].share == NOTE_TRAIN)
            return;
    for (size_t i = 0; i < files->count; i++)
        if (files->list[i].midi == midi && files->list[i].share == NOTE_VALIDATE)
            files->list[i].share = NOTE_TRAIN;
}

static int read_midi(Reader *reader, const File *file, Error *err)
{
    MidiMelody melody;
    if (midi_read(file->path, &melody, err))
        return -1;
    NoteToken *tokens = malloc(melody.count * sizeof *tokens);
    int failed = tokens ? 0 : error_set(err, "out of memory for %zu notes", melody.count);
    if (!failed) {
        note_tokens_from_midi(&melody, tokens);
        failed = note_corpus_add(reader->found->tunes, file->name, file->share, tokens,
                                 melody.count, err);
    }
    reader->found->midi_files += !failed;
    free(tokens);
    midi_free(&melody);
    return failed;
}

/* Notes heard in sound -> tokens (notes->count,); how many, 0 if they are no tune. */
static size_t hear_tokens(const Notes *notes, NoteHeard *heard, uint8_t *steps, NoteToken *tokens)
{
    double pitches[512];
    NoteBeat beats[NOTE_BEATS];
    const size_t count = notes->count < 512 ? notes->count : 512;
    for (size_t i = 0; i < count; i++) {
        const Note *note = &notes->note[i];
        heard[i] = (NoteHeard){(double)note->onset / MELODY_RATE,
                               (double)(note->off - note->onset) / MELODY_RATE,
                               (double)note->pitch - 0.01 * (double)notes->tuning};
        pitches[i] = heard[i].pitch;
    }
    if (notes->sure < NOTES_UNSURE || !note_beats_find(heard, count, beats))
        return 0;
    const int octaves = note_octaves(pitches, count);
    const double unit = beats[0].seconds / NOTE_GRID;
    note_steps_fit(heard, count, beats[0].seconds, steps, NULL);
    for (size_t i = 0; i < count; i++) {
        const bool last = i + 1 == count;
        const unsigned step = last ? note_step_nearest(heard[i].seconds / unit) : steps[i];
        tokens[i] = (NoteToken){
            note_pitch_category((int)(pitches[i] + 0.5) + octaves), (uint8_t)step,
            (uint8_t)note_length_category(heard[i].seconds, note_step_units(step) * unit)};
    }
    return count;
}

/* The notes of a recording as a tune of its own, if it is one. */
static int read_heard(Reader *reader, const File *file, const float *samples, size_t n, Error *err)
{
    Notes notes;
    if (notes_analyse(samples, n, &notes, err))
        return -1;
    NoteHeard *heard = calloc(notes.count + 1, sizeof *heard);
    NoteToken *tokens = calloc(notes.count + 1, sizeof *tokens);
    uint8_t *steps = calloc(notes.count + 1, sizeof *steps);
    int failed = heard && tokens && steps ? 0 : error_set(err, "out of memory for notes");
    if (!failed) {
        const size_t count = hear_tokens(&notes, heard, steps, tokens);
        if (count >= NOTE_CORPUS_SHORTEST)
            failed =
                note_corpus_add(reader->found->tunes, file->name, file->share, tokens, count, err);
    }
    free(heard);
    free(tokens);
    free(steps);
    notes_clear(&notes);
    return failed;
}

static int add_clip(MelodyFolder *found, size_t side, const float *samples, size_t n, Error *err)
{
    PredictorClip *clips =
        realloc(found->clips[side], (found->counts[side] + 1) * sizeof(PredictorClip));
    if (!clips)
        return error_set(err, "out of memory for recordings");
    found->clips[side] = clips;
    if (predictor_clip_make(samples, n, true, &clips[found->counts[side]], err))
        return -1;
    found->counts[side]++;
    if (side == 0)
        found->seconds += (double)n / MELODY_RATE;
    return 0;
}

int melody_sound_load(const char *path, float **samples, size_t *n, Error *err)
{
    Sound sound;
    if (soundfile_load(path, 0, &sound, err))
        return -1;
    for (size_t i = 0; i < sound.frames; i++) {
        double sum = 0.0;
        for (unsigned c = 0; c < sound.channels; c++)
            sum += (double)sound.samples[i * sound.channels + c];
        sound.samples[i] = (float)(sum / sound.channels);
    }
    if (sound.rate == MELODY_RATE) {
        *samples = sound.samples;
        *n = sound.frames;
        return 0;
    }
    const int failed =
        resampler_all(sound.samples, sound.frames, 1, sound.rate, MELODY_RATE, samples, n, err);
    sound_free(&sound);
    return failed;
}

static int read_sound(Reader *reader, const File *file, Error *err)
{
    float *samples;
    size_t n;
    if (melody_sound_load(file->path, &samples, &n, err))
        return -1;
    int failed = n < LEAST ? error_set(err, "it is shorter than a second") : 0;
    for (size_t at = 0; !failed && !interrupt_requested() && n - at >= LEAST;) {
        /* No end of less than a second stays alone. */
        const size_t piece = n - at < PIECE + LEAST ? n - at : PIECE;
        if (file->share != NOTE_HELD_OUT)
            failed =
                add_clip(reader->found, file->share == NOTE_VALIDATE, samples + at, piece, err);
        if (!failed && reader->from_sound)
            failed = read_heard(reader, file, samples + at, piece, err);
        at += piece;
    }
    free(samples);
    reader->found->recordings += !failed;
    reader->found->held_out += !failed && file->share == NOTE_HELD_OUT;
    return failed;
}

static int read_files(Reader *reader, Error *err)
{
    const Files *files = &reader->files;
    for (size_t i = 0; i < files->count; i++) {
        Error fault = {""};
        const File *file = &files->list[i];
        progress_update(&reader->progress, (double)i / (double)files->count, "reading %s",
                        file->name);
        if (file->midi ? read_midi(reader, file, &fault) : read_sound(reader, file, &fault))
            warn(reader, file->path, fault.message);
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
    }
    return 0;
}

static int check_found(const Reader *reader, const char *folder, Error *err)
{
    const MelodyFolder *found = reader->found;
    if (!found->counts[0])
        return error_set(err,
                         "%s: no recording to train on: give a folder that holds tunes as sound "
                         "(wav, flac, ogg, ...), or a smaller --holdout",
                         folder);
    if (!note_corpus_tunes(found->tunes, NOTE_TRAIN))
        return error_set(err,
                         "%s: no tune to train on: give MIDI files, or recordings of single "
                         "melodies, or a smaller --holdout",
                         folder);
    return 0;
}

int melody_folder_read(const char *folder, double holdout, bool quiet, MelodyFolder *found,
                       Error *err)
{
    *found = (MelodyFolder){.tunes = note_corpus_create(err)};
    Reader reader = {.found = found, .from_sound = true};
    int failed = !found->tunes;
    if (!failed && !is_folder(folder))
        failed = error_set(err, "%s: is not a folder that can be opened: give a folder of tunes",
                           folder);
    failed = failed || list_folder(&reader.files, folder, 0, holdout, err);
    for (size_t i = 0; i < reader.files.count; i++)
        reader.from_sound = reader.from_sound && !reader.files.list[i].midi;
    keep_some_to_train_on(&reader.files, true);
    keep_some_to_train_on(&reader.files, false);
    progress_begin(&reader.progress, quiet);
    failed = failed || read_files(&reader, err) || check_found(&reader, folder, err);
    progress_end(&reader.progress);
    for (size_t i = 0; i < reader.files.count; i++) {
        free(reader.files.list[i].path);
        free(reader.files.list[i].name);
    }
    free(reader.files.list);
    if (failed)
        melody_folder_free(found);
    return failed ? -1 : 0;
}

void melody_folder_free(MelodyFolder *found)
{
    note_corpus_destroy(found->tunes);
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < found->counts[side]; i++)
            predictor_clip_clear(&found->clips[side][i]);
        free(found->clips[side]);
    }
    *found = (MelodyFolder){0};
}
