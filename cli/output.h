/* A file that appears whole or not at all: written beside its place under another name, then
 * renamed. */
#ifndef BRUME_CLI_OUTPUT_H
#define BRUME_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "dsp/error.h"

typedef struct Output Output;

/* Whether `path` ends in `suffix` (".png"), in any case of letters, with a name before it. */
bool output_has_suffix(const char *path, const char *suffix);

/* Makes an empty file beside `path` (models/temporary.h). A link is followed. NULL if there
 * is no such folder, it cannot be written, or `path` is there and no ordinary file. */
Output *output_create(const char *path, Error *err);

/* The open file, for those who read back or seek; output_commit closes it. */
int output_fd(const Output *output);

/* Writes at the file's position. Returns the bytes written; fewer than `size` on failure, which the
 * output remembers, so that a library that loses the news cannot hide it from output_commit. */
size_t output_write(Output *output, const void *data, size_t size);

/* Why the first write that failed did (errno), or 0. */
int output_failure(const Output *output);

/* Forces the file to the disk and moves it to its place, over what was there. 0, or -1 with nothing
 * left behind if this or any write before failed. Frees `output` either way. */
int output_commit(Output *output, Error *err);

/* Removes what was written and frees `output` (which may be NULL). */
void output_discard(Output *output);

#endif
