#include "models/temporary.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 1000, NAME_CUT = 200, STAMP = 6, STEM_ROOM = NAME_CUT + 3 };

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The folder of `path`, open; -1 where that is not possible. */
static int folder_open(const char *path)
{
    const size_t length = folder_length(path);
    char *folder = length ? strndup(path, length) : strdup(".");
    const int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    return fd;
}

/* Whether `entry` is the stem (".NAME."), a stamp, and ".tmp". */
static bool name_matches(const char *entry, const char *stem)
{
    const size_t length = strlen(stem);
    if (strncmp(entry, stem, length) || strlen(entry) != length + STAMP + sizeof ".tmp" - 1)
        return false;
    for (size_t i = 0; i < STAMP; i++)
        if (!isalnum((unsigned char)entry[length + i]))
            return false;
    return !strcmp(entry + length + STAMP, ".tmp");
}

/* Removes a file that nobody writes. While its lock is held here nobody else can take it up, so the
 * name still means this file when it is unlinked; a writer that has made it and not locked it yet
 * finds it gone (is_held) and makes another. */
static void entry_sweep(int folder, const char *entry)
{
    struct stat opened, named;
    const int fd = openat(folder, entry, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return;
    if (fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
        fstatat(folder, entry, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_dev == opened.st_dev &&
        named.st_ino == opened.st_ino)
        unlinkat(folder, entry, 0);
    close(fd);
}

void temporary_sweep(const char *path)
{
    char stem[STEM_ROOM];
    snprintf(stem, sizeof stem, ".%.*s.", NAME_CUT, path + folder_length(path));
    const int folder = folder_open(path);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    if (!entries) {
        if (folder >= 0)
            close(folder);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (name_matches(entry->d_name, stem))
            entry_sweep(folder, entry->d_name);
    closedir(entries);
}

/* Locks a new file. False if somebody who sweeps was quicker: then it is gone, or will be. */
static bool is_held(int fd)
{
    struct stat status;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

int temporary_create(const char *path, char **name)
{
    const size_t folder = folder_length(path), size = strlen(path) + sizeof "..XXXXXX.tmp";
    char *beside = malloc(size);
    if (!beside)
        return -1;
    temporary_sweep(path);
    errno = EEXIST;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        const unsigned stamp = ((unsigned)getpid() * ATTEMPTS + attempt) & 0xffffffu;
        snprintf(beside, size, "%.*s.%.*s.%06x.tmp", (int)folder, path, NAME_CUT, path + folder,
                 stamp);
        /* open rather than mkstemp, so that the user's umask says who may read it */
        const int fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 && is_held(fd)) {
            *name = beside;
            return fd;
        }
        if (fd >= 0)
            close(fd);
        else if (errno != EEXIST)
            break;
    }
    const int fault = errno;
    free(beside);
    errno = fault;
    return -1;
}

/* Makes the rename last through a power cut; where the file system cannot, the file is still whole.
 */
static void folder_sync(const char *path)
{
    const int fd = folder_open(path);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int temporary_commit(int fd, char *name, const char *path)
{
    /* A file system that cannot sync says so at once (EINVAL), and what it could not write when the
     * file is closed; a second descriptor keeps the lock until the file has its place. */
    const int lock = dup(fd);
    int fault = lock < 0 || (fsync(fd) < 0 && errno != EINVAL) ? errno : 0;
    if (close(fd) < 0 && !fault)
        fault = errno;
    if (!fault && rename(name, path) < 0)
        fault = errno;
    if (fault)
        unlink(name);
    else
        folder_sync(path);
    if (lock >= 0)
        close(lock);
    free(name);
    return fault;
}

void temporary_discard(int fd, char *name)
{
    unlink(name);
    close(fd);
    free(name);
}
