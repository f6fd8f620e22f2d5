#include "cli/melody_files.h"

#include "cli/output.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, FEW = 3 };

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int add_file(MelodyFiles *files, const char *path, const char *name, double holdout,
                    Error *err)
{
    if (files->count == files->room) {
        const size_t room = files->room ? 2 * files->room : 256;
        MelodyFile *list = realloc(files->list, room * sizeof *list);
        if (!list)
            return error_set(err, "out of memory for %zu files", room);
        files->list = list;
        files->room = room;
    }
    MelodyFile *file = &files->list[files->count];
    *file = (MelodyFile){strdup(path), strdup(name),
                         output_has_suffix(name, ".mid") || output_has_suffix(name, ".midi"),
                         note_share(name, holdout)};
    files->count++;
    return file->path && file->name ? 0 : error_set(err, "out of memory for files");
}

/* Files of `folder`, then, at `depth` 0, those of the folders in it. */
static int list_folder(MelodyFiles *files, const char *folder, int depth, double holdout,
                       Error *err)
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

int melody_files_list(const char *folder, double holdout, MelodyFiles *files, Error *err)
{
    *files = (MelodyFiles){NULL, 0, 0};
    if (!is_folder(folder))
        return error_set(err, "%s: is not a folder that can be opened: give a folder of tunes",
                         folder);
    return list_folder(files, folder, 0, holdout, err);
}

static void free_file(MelodyFile *file)
{
    free(file->path);
    free(file->name);
}

void melody_files_free(MelodyFiles *files)
{
    for (size_t i = 0; i < files->count; i++)
        free_file(&files->list[i]);
    free(files->list);
    *files = (MelodyFiles){NULL, 0, 0};
}

void melody_files_drop(MelodyFiles *files, size_t i)
{
    free_file(&files->list[i]);
    files->count--;
    memmove(files->list + i, files->list + i + 1, (files->count - i) * sizeof *files->list);
}

size_t melody_files_count(const MelodyFiles *files, bool midi, NoteShare share)
{
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++)
        count += files->list[i].midi == midi && files->list[i].share == share;
    return count;
}

/* Up to `most` files of a kind change their share. */
static void move(MelodyFiles *files, bool midi, NoteShare from, NoteShare to, size_t most)
{
    for (size_t i = 0; i < files->count && most; i++)
        if (files->list[i].midi == midi && files->list[i].share == from) {
            files->list[i].share = to;
            most--;
        }
}

static void settle(MelodyFiles *files, bool midi)
{
    if (!melody_files_count(files, midi, NOTE_TRAIN))
        move(files, midi, NOTE_VALIDATE, NOTE_TRAIN, SIZE_MAX);
    if (!melody_files_count(files, midi, NOTE_TRAIN))
        move(files, midi, NOTE_HELD_OUT, NOTE_TRAIN, SIZE_MAX);
    const size_t train = melody_files_count(files, midi, NOTE_TRAIN);
    const size_t held_out = melody_files_count(files, midi, NOTE_HELD_OUT);
    if (!melody_files_count(files, midi, NOTE_VALIDATE) && train + held_out >= FEW)
        move(files, midi, train < FEW ? NOTE_HELD_OUT : NOTE_TRAIN, NOTE_VALIDATE, 1);
}

void melody_files_settle(MelodyFiles *files)
{
    settle(files, true);
    settle(files, false);
}
