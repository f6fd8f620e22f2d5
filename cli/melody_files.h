/* The files of a folder of tunes: which are usable, and what each is for. */
#ifndef BRUME_CLI_MELODY_FILES_H
#define BRUME_CLI_MELODY_FILES_H

#include "dsp/error.h"
#include "models/note_corpus.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct MelodyFile {
    char *path, *name;
    bool midi;
    NoteShare share;
} MelodyFile;

typedef struct MelodyFiles {
    MelodyFile *list;
    size_t count, room;
} MelodyFiles;

/* Lists the files of `folder` in the order of their names, then those of the folders in it. Their
 * shares go by their names (note_share). -1 when the folder can't be read or memory is short; then
 * too there may be something to free. */
int melody_files_list(const char *folder, double holdout, MelodyFiles *files, Error *err);
void melody_files_free(MelodyFiles *files);

/* Drops file i. */
void melody_files_drop(MelodyFiles *files, size_t i);

/* How many files of a kind have a share. */
size_t melody_files_count(const MelodyFiles *files, bool midi, NoteShare share);

/* In a small folder chance may leave nothing to train on, or nothing to validate on: then, of each
 * kind, what was set aside is given back, and of three or more files one validates. */
void melody_files_settle(MelodyFiles *files);

#endif
