/* A folder of tunes to train a melody model on: MIDI files for the notes, recordings for the sound.
 */
#ifndef BRUME_CLI_MELODY_FOLDER_H
#define BRUME_CLI_MELODY_FOLDER_H

#include "dsp/error.h"
#include "models/note_corpus.h"
#include "models/predictor_clip.h"

#include <stdbool.h>
#include <stddef.h>

/* Recordings of less than this get variants to train on: higher and lower, louder and softer. */
#define MELODY_FOLDER_LITTLE 180.0 /* seconds */

/* What was found, by the share that a file's name puts it in (models/note_corpus.h), or that a
 * small folder needs (cli/melody_files.h). Recordings that are held out are only counted. */
typedef struct MelodyFolder {
    NoteCorpus *tunes;
    PredictorClip *clips[2]; /* to train on, for validation; of at most a minute each */
    size_t counts[2];
    size_t midi_files, recordings, held_out, skipped; /* files; held_out: recordings */
    double seconds;                                   /* of sound to train on, without variants */
    bool heard; /* there is no MIDI: the tunes are those heard in the recordings */
} MelodyFolder;

/* Reads each file in `folder` and in the folders in it: .mid and .midi as tunes, all others as
 * sound (the mean of its first two channels, at 16 kHz, without an offset, cut as
 * cli/sound_stream.h says). Without MIDI the notes are those heard in the recordings. With fewer
 * than three recordings the end of each validates. What cannot be used is skipped with a warning on
 * standard error, one line a file; so is what had better be mended. -1 when the folder can't be
 * read, nothing usable is left (with `all`: for the notes or for the sound), or somebody
 * interrupts; then there is nothing to free. Main thread. */
int melody_folder_read(const char *folder, double holdout, bool all, bool quiet,
                       MelodyFolder *found, Error *err);
void melody_folder_free(MelodyFolder *found);

/* The mean of the channels of a sound file at 16 kHz: *samples (n,), to be freed. */
int melody_sound_load(const char *path, float **samples, size_t *n, Error *err);

#endif
