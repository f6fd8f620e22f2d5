#include "cli/melody_folder.h"

#include "cli/interrupt.h"
#include "cli/melody_files.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/soundfile.h"
#include "cli/sound_reader.h"
#include "cli/sound_stream.h"
#include "dsp/notes.h"
#include "dsp/resample.h"
#include "models/melody_condition.h"
#include "models/midi.h"
#include "models/note_beat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 60 * MELODY_RATE, LEAST = MELODY_RATE /* samples of a clip */ };

/* Notes that begin with a higher one, to one that counts, above which a file is no melody. */
static const double NOT_ONE_VOICE = 0.1;

/* Copies of recordings where there are few seconds of them: half a semitone lower and higher,
 * softer and louder. */
static const struct {
    double speed;
    float gain;
} VARIANTS[] = {{0.9715, 0.5f}, {1.0293, 1.41f}};
static const float PEAK = 0.98f;

/* What reading a folder needs at hand. */
typedef struct Reader {
    MelodyFiles files;
    MelodyFolder *found;
    Progress progress;
    bool cut;     /* too few recordings to spare one: the last fifth of each piece validates */
    float *sound; /* (PIECE + LEAST) samples at half speed at most */
} Reader;

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

/* Whether a file can be read at all, so that it may be counted on. */
static int try_file(const MelodyFile *file, Error *err)
{
    MidiMelody melody;
    if (!file->midi) {
        SoundReader *sound = sound_reader_open(file->path, err);
        sound_reader_close(sound);
        return sound ? 0 : -1;
    }
    if (midi_read(file->path, &melody, err))
        return -1;
    const size_t count = melody.count;
    midi_free(&melody);
    return count < NOTE_CORPUS_SHORTEST
               ? error_set(err, "%zu notes: a tune has at least %d", count, NOTE_CORPUS_SHORTEST)
               : 0;
}

static void drop_unusable(Reader *reader)
{
    for (size_t i = 0; i < reader->files.count && !interrupt_requested();) {
        Error fault = {""};
        const MelodyFile *file = &reader->files.list[i];
        if (!try_file(file, &fault)) {
            i++;
            continue;
        }
        warn(reader, "skipped", file->path, fault.message);
        reader->found->skipped++;
        melody_files_drop(&reader->files, i);
    }
}

static int read_midi(Reader *reader, const MelodyFile *file, Error *err)
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
    if (!failed && (double)melody.covered > NOT_ONE_VOICE * (double)melody.count) {
        char line[160];
        snprintf(line, sizeof line,
                 "it is not of one voice: %zu notes begin with a higher one and are left out; give "
                 "the melody's track alone",
                 melody.covered);
        warn(reader, "warning", file->path, line);
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

/* The notes of a piece of sound as a tune of its own, if it is one. */
static int add_heard(Reader *reader, const char *name, NoteShare share, const float *samples,
                     size_t n, Error *err)
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
            failed = note_corpus_add(reader->found->tunes, name, share, tokens, count, err);
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

/* A stretch of sound with one share; a variant is heard by the sample tier alone. */
static int add_stretch(Reader *reader, const char *name, NoteShare share, bool variant,
                       const float *samples, size_t n, Error *err)
{
    MelodyFolder *found = reader->found;
    if (share != NOTE_HELD_OUT && add_clip(found, share == NOTE_VALIDATE, samples, n, err))
        return -1;
    if (variant)
        return 0;
    if (share == NOTE_TRAIN)
        found->seconds += (double)n / MELODY_RATE;
    return found->heard ? add_heard(reader, name, share, samples, n, err) : 0;
}

/* A piece, whose last fifth may be for validation; of a variant that is left out. */
static int add_piece(Reader *reader, const MelodyFile *file, bool variant, size_t n, Error *err)
{
    const float *samples = reader->sound;
    const size_t last = n / 5;
    if (!reader->cut || file->share != NOTE_TRAIN || last < LEAST)
        return add_stretch(reader, file->name, file->share, variant, samples, n, err);
    return add_stretch(reader, file->name, NOTE_TRAIN, variant, samples, n - last, err) ||
                   (!variant && add_stretch(reader, file->name, NOTE_VALIDATE, false,
                                            samples + n - last, last, err))
               ? -1
               : 0;
}

/* A part, by pieces of a minute; no end of less than a second stays alone. */
static int read_part(Reader *reader, const MelodyFile *file, SoundStream *stream, size_t part,
                     const SoundWanted *wanted, Error *err)
{
    const size_t piece = (size_t)(PIECE / wanted->speed), room = piece + LEAST;
    const bool variant = wanted->speed != 1.0;
    size_t have = 0, made;
    if (sound_stream_begin(stream, part, wanted, err))
        return -1;
    do {
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
        if (sound_stream_read(stream, reader->sound + have, room - have, &made, err))
            return -1;
        have += made;
        const size_t taken = have == room ? piece : have;
        if (taken >= LEAST && add_piece(reader, file, variant, taken, err))
            return -1;
        have -= taken;
        memmove(reader->sound, reader->sound + taken, have * sizeof *reader->sound);
    } while (have);
    return 0;
}

/* What had better be mended in a recording, and what its maker marked. */
static void tell_findings(Reader *reader, const MelodyFile *file, const SoundStream *stream)
{
    SoundFindings findings;
    char line[SOUND_MARKS_ROOM];
    const unsigned rate = sound_stream_survey(stream)->rate;
    sound_survey_judge(sound_stream_survey(stream), &findings);
    for (size_t i = 0; i < findings.count; i++)
        warn(reader, "warning", file->path, findings.lines[i]);
    sound_stream_parts(stream, line);
    if (line[0])
        warn(reader, "note", file->path, line);
    snprintf(line, sizeof line,
             "its rate of %u Hz leaves nothing above %u Hz, and the model learns that: record it "
             "at %d Hz or more",
             rate, rate / 2, MELODY_RATE);
    if (rate < MELODY_RATE)
        warn(reader, "warning", file->path, line);
}

static int check_sound(const SoundStream *stream, Error *err)
{
    const SoundSurvey *survey = sound_stream_survey(stream);
    if (sound_survey_silent(survey))
        return error_set(err, "it is silent (below -100 dBFS)");
    return survey->frames < survey->rate ? error_set(err, "it is shorter than a second") : 0;
}

static int read_sound(Reader *reader, const MelodyFile *file, Error *err)
{
    char marks[SOUND_MARKS_ROOM];
    const SoundWanted wanted = {SOUND_MEAN, MELODY_RATE, 1.0, 1.0f};
    SoundStream *stream = sound_stream_open(file->path, err);
    if (!stream)
        return -1;
    int failed = check_sound(stream, err);
    for (size_t part = 0; part < sound_stream_parts(stream, marks) && !failed; part++)
        failed = read_part(reader, file, stream, part, &wanted, err);
    if (!failed) {
        tell_findings(reader, file, stream);
        reader->found->recordings++;
        reader->found->held_out += file->share == NOTE_HELD_OUT;
    }
    sound_stream_close(stream);
    return failed;
}

/* Adds variants of a recording to train on. What fails is left out: there is the recording itself.
 */
static void add_variants(Reader *reader, const MelodyFile *file)
{
    char marks[SOUND_MARKS_ROOM];
    SoundStream *stream = sound_stream_open(file->path, NULL);
    if (!stream || check_sound(stream, NULL)) {
        sound_stream_close(stream);
        return;
    }
    const SoundSurvey *survey = sound_stream_survey(stream);
    float peak = survey->channel[0].peak;
    if (survey->channels > 1)
        peak = fmaxf(peak, survey->channel[1].peak);
    for (size_t part = 0; part < sound_stream_parts(stream, marks); part++)
        for (size_t v = 0; v < sizeof VARIANTS / sizeof *VARIANTS; v++) {
            const float gain = fminf(VARIANTS[v].gain, fmaxf(1.0f, PEAK / peak));
            const SoundWanted wanted = {SOUND_MEAN, MELODY_RATE, VARIANTS[v].speed, gain};
            read_part(reader, file, stream, part, &wanted, NULL);
        }
    sound_stream_close(stream);
}

static int read_files(Reader *reader, Error *err)
{
    const MelodyFiles *files = &reader->files;
    for (size_t i = 0; i < files->count; i++) {
        Error fault = {""};
        const MelodyFile *file = &files->list[i];
        progress_update(&reader->progress, (double)i / (double)files->count, "reading %s",
                        file->name);
        const int failed =
            file->midi ? read_midi(reader, file, &fault) : read_sound(reader, file, &fault);
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
        if (failed) {
            warn(reader, "skipped", file->path, fault.message);
            reader->found->skipped++;
        }
    }
    const bool little = reader->found->seconds < MELODY_FOLDER_LITTLE;
    for (size_t i = 0; i < files->count && little && !interrupt_requested(); i++)
        if (!files->list[i].midi && files->list[i].share == NOTE_TRAIN)
            add_variants(reader, &files->list[i]);
    return interrupt_requested() ? error_set(err, "interrupted: nothing was written") : 0;
}

static int check_found(const MelodyFolder *found, const char *folder, bool all, Error *err)
{
    const bool tunes = note_corpus_tunes(found->tunes, NOTE_TRAIN) > 0;
    const bool sound = found->counts[0] > 0;
    if (sound ? all && !tunes : all || !tunes)
        return error_set(err,
                         sound
                             ? "%s: no tune to train on: give MIDI files, or recordings of single "
                               "melodies, or a smaller --holdout"
                         : all ? "%s: no recording to train on: give a folder that holds tunes as "
                                 "sound (wav, flac, ogg, mp3, ...), or a smaller --holdout"
                               : "%s: no tune and no recording in it that can be used: give MIDI "
                                 "files, or recordings of one instrument (wav, flac, ogg, mp3, "
                                 "...)",
                         folder);
    return 0;
}

/* What is done with the files once they are listed. */
static int read_listed(Reader *reader, const char *folder, bool all, Error *err)
{
    reader->sound = malloc(2 * (PIECE + LEAST) * sizeof *reader->sound);
    if (!reader->sound)
        return error_set(err, "out of memory for recordings");
    drop_unusable(reader);
    melody_files_settle(&reader->files);
    reader->found->heard = true;
    for (size_t i = 0; i < reader->files.count; i++)
        reader->found->heard = reader->found->heard && !reader->files.list[i].midi;
    reader->cut = !melody_files_count(&reader->files, false, NOTE_VALIDATE);
    return read_files(reader, err) || check_found(reader->found, folder, all, err) ? -1 : 0;
}

int melody_folder_read(const char *folder, double holdout, bool all, bool quiet,
                       MelodyFolder *found, Error *err)
{
    *found = (MelodyFolder){.tunes = note_corpus_create(err)};
    Reader reader = {.found = found};
    progress_begin(&reader.progress, quiet);
    const int failed = !found->tunes || melody_files_list(folder, holdout, &reader.files, err) ||
                       read_listed(&reader, folder, all, err);
    progress_end(&reader.progress);
    free(reader.sound);
    melody_files_free(&reader.files);
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
