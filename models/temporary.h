/* The file that is written beside a place and then takes it by a rename, so that what is there is
 * always whole. Its name is ".NAME.XXXXXX.tmp" (NAME cut at 200 bytes), and its writer holds a lock
 * on it (flock) as long as it lives: one that nobody holds was left by a process that was killed,
 * and is removed by whoever writes to the same place next. Any thread, any number of processes. */
#ifndef BRUME_MODELS_TEMPORARY_H
#define BRUME_MODELS_TEMPORARY_H

/* Makes an empty file beside `path`, open for reading and writing, its mode as the umask says,
 * after what was left there is swept away. Returns its descriptor, with its path in *name, for
 * temporary_commit or temporary_discard to free; -1 with errno set. */
int temporary_create(const char *path, char **name);

/* Forces the file to the disk, moves it to `path`, over what was there, closes it and frees `name`.
 * Returns 0, or errno: then the file is gone and what was at `path` is as it was. */
int temporary_commit(int fd, char *name, const char *path);

/* Removes and closes the file, and frees `name`. */
void temporary_discard(int fd, char *name);

/* Removes what killed processes left beside `path`; never what another one is writing. Where the
 * file system has no locks nothing is removed. */
void temporary_sweep(const char *path);

#endif
