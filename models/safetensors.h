/* The safetensors format, read and written: an 8-byte little-endian length N, N bytes of JSON that
 * name the tensors, then the tensors' bytes, packed without a hole.
 * Source: https://github.com/huggingface/safetensors, section "Format" of its README. */
#ifndef BRUME_MODELS_SAFETENSORS_H
#define BRUME_MODELS_SAFETENSORS_H

#include "dsp/error.h"

#include <stdbool.h>
#include <stddef.h>

#define SAFETENSORS_MAX_RANK    8
#define SAFETENSORS_MAX_TENSORS 4096
#define SAFETENSORS_MAX_HEADER  ((size_t)8 << 20) /* bytes; the format itself allows 100 MB */
#define SAFETENSORS_MAX_FILE    ((size_t)1 << 30) /* bytes */

/* A file whose header was read and found right in every length, name, shape, type and offset. Its
 * tensors stay on the disk until they are asked for, so that a file costs no more memory than what
 * is taken from it. Any number of threads may read it at once. A file that is replaced meanwhile is
 * read on as it was; one that becomes shorter is refused at the tensor that is cut. */
typedef struct Safetensors Safetensors;

/* How a tensor's elements are stored. Only the first two can be read as numbers. */
typedef enum SafetensorsType {
    SAFETENSORS_F32,
    SAFETENSORS_F16,
    SAFETENSORS_OTHER,
} SafetensorsType;

/* What the header says of one tensor. */
typedef struct SafetensorsInfo {
    SafetensorsType type;
    const char *type_name; /* as the header spells it ("F32", "BF16", ...); static */
    size_t rank;           /* 0..SAFETENSORS_MAX_RANK; 0 is a single number */
    size_t shape[SAFETENSORS_MAX_RANK];
    size_t elements; /* the product of shape[0..rank) */
    size_t bytes;
} SafetensorsInfo;

/* Opens the file at `path`, reads its header and checks that whole: nothing is allocated on the
 * word of a header that was not checked first. Refused are what the format forbids (also names used
 * twice, overlaps, holes, bytes left over, types unknown to the format), what is over the limits
 * above, and what is not a regular file (a folder, pipe or device; it does not wait for a pipe's
 * writer). Values are read from the open file, and checked, when they are asked for. Returns NULL
 * with `err` set on failure. Any thread but the audio thread. */
Safetensors *safetensors_open(const char *path, Error *err);

/* Closes the file and frees all strings got from it. file may be NULL. */
void safetensors_destroy(Safetensors *file);

/* How many tensors there are. */
size_t safetensors_count(const Safetensors *file);

/* The name of tensor i, 0 <= i < safetensors_count(), in the header's order. Lives as long as
 * `file`; it is UTF-8 that the file's author chose: do not print it unchecked. */
const char *safetensors_name(const Safetensors *file, size_t i);

/* How many keys the header's "__metadata__" has; 0 if it is absent. */
size_t safetensors_metadata_count(const Safetensors *file);

/* Metadata key i, 0 <= i < safetensors_metadata_count(), in the header's order. Lives as long as
 * `file`. */
const char *safetensors_metadata_key(const Safetensors *file, size_t i);

/* The metadata string of `key`, NULL if there is none. Lives as long as `file`. */
const char *safetensors_metadata(const Safetensors *file, const char *key);

/* Fills `info` for the tensor called `name`. Returns 0; -1 with `err` set if there is none. */
int safetensors_find(const Safetensors *file, const char *name, SafetensorsInfo *info, Error *err);

/* That there are `tensors` tensors, of `values` elements or more: to be asked before memory is
 * taken for what a file says it holds. Returns 0; -1 with `err` set if not. */
int safetensors_check_sizes(const Safetensors *file, size_t tensors, size_t values, Error *err);

/* Copies the tensor called `name` into out, as float, row-major. It must be F32 or F16, of exactly
 * the given rank and shape (shape may be NULL if rank is 0), and every value finite. out has room
 * for the product of shape. Returns 0; -1 with `err` set, and out's contents undefined, if not. */
int safetensors_read_float(const Safetensors *file, const char *name, size_t rank,
                           const size_t *shape, float *out, Error *err);

/* A file in the making. One thread at a time. */
typedef struct SafetensorsWriter SafetensorsWriter;

/* An empty file. Returns NULL with `err` set if memory is short. */
SafetensorsWriter *safetensors_writer_create(Error *err);

/* Frees the writer and its copies of the tensors. writer may be NULL. */
void safetensors_writer_destroy(SafetensorsWriter *writer);

/* Sets a metadata string (both UTF-8, copied); the key's earlier value is replaced.
 * Returns 0; -1 with `err` set. */
int safetensors_writer_metadata(SafetensorsWriter *writer, const char *key, const char *value,
                                Error *err);

/* Adds a tensor after those added before it: `name` is UTF-8 and new, values are row-major, their
 * number the product of shape[0..rank) (shape may be NULL if rank is 0). All are copied; nothing is
 * kept of the pointers. Stored as F16 if `half`, rounded to nearest even, else as F32. Refused are
 * values that are not finite or, as F16, would become infinite (65520 or more in size), and what
 * safetensors_open would refuse. Returns 0; -1 with `err` set and nothing added. */
int safetensors_writer_tensor(SafetensorsWriter *writer, const char *name, size_t rank,
                              const size_t *shape, const float *values, bool half, Error *err);

/* Writes the file whole or not at all: beside `path` (models/temporary.h), synced, then renamed,
 * replacing a regular file there. The header is padded with spaces so that the tensors begin at a
 * multiple of 8 bytes. May be called again. Returns 0; -1 with `err` set, the file that was at
 * `path` untouched and the temporary file gone. */
int safetensors_writer_save(const SafetensorsWriter *writer, const char *path, Error *err);

#endif
