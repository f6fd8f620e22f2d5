#include "models/safetensors.h"

#include "models/half.h"
#include "models/temporary.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the tensors' bytes are little-endian");

#define LENGTH_BYTES 8
#define ALIGNMENT    8
#define HALF_LIMIT   65520.0f /* rounds to infinity, as everything above */

typedef struct Block {
    void *bytes;
    size_t size;
} Block;

struct SafetensorsWriter {
    json_t *metadata;
    json_t *tensors; /* name -> what the header says of it, in the order of `blocks` */
    Block *blocks;
    size_t count;
    size_t data_bytes;
};

SafetensorsWriter *safetensors_writer_create(Error *err)
{
    SafetensorsWriter *writer = calloc(1, sizeof *writer);
    if (writer) {
        writer->metadata = json_object();
        writer->tensors = json_object();
        writer->blocks = calloc(SAFETENSORS_MAX_TENSORS, sizeof *writer->blocks);
    }
    if (!writer || !writer->metadata || !writer->tensors || !writer->blocks) {
        error_set(err, "memory is short for a weights file; close other programs");
        safetensors_writer_destroy(writer);
        return NULL;
    }
    return writer;
}

void safetensors_writer_destroy(SafetensorsWriter *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < writer->count; i++)
        free(writer->blocks[i].bytes);
    free(writer->blocks);
    json_decref(writer->metadata);
    json_decref(writer->tensors);
    free(writer);
}

int safetensors_writer_metadata(SafetensorsWriter *writer, const char *key, const char *value,
                                Error *err)
{
    if (json_object_set_new(writer->metadata, key, json_string(value)) < 0)
        return error_set(err, "metadata '%.80s' cannot be kept; write its key and value in UTF-8",
                         key);
    return 0;
}

/* Checks what can be said of a tensor before its values are looked at; gives its size in bytes. */
static int tensor_check(const SafetensorsWriter *writer, const char *name, size_t rank,
                        const size_t *shape, bool half, size_t *bytes, Error *err)
{
    if (strcmp(name, "__metadata__") == 0 || json_object_get(writer->tensors, name))
        return error_set(err, "tensor '%.80s': the name is taken; choose another", name);
    if (writer->count == SAFETENSORS_MAX_TENSORS)
        return error_set(err, "tensor '%.80s' is one more than the %d allowed; join some", name,
                         SAFETENSORS_MAX_TENSORS);
    if (rank > SAFETENSORS_MAX_RANK)
        return error_set(err, "tensor '%.80s' has rank %zu; use at most %d", name, rank,
                         SAFETENSORS_MAX_RANK);
    *bytes = half ? sizeof(uint16_t) : sizeof(float);
    bool fits = true;
    for (size_t i = 0; i < rank; i++)
        fits = !__builtin_mul_overflow(*bytes, shape[i], bytes) && fits;
    if (!fits || *bytes > SAFETENSORS_MAX_FILE - writer->data_bytes)
        return error_set(err, "tensor '%.80s' makes the file larger than %zu bytes; use fewer",
                         name, SAFETENSORS_MAX_FILE);
    return 0;
}

static int values_check(const char *name, const float *values, size_t n, bool half, Error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            return error_set(err,
                             "tensor '%.80s' has the value %s at index %zu; train anew with a "
                             "lower learning rate",
                             name, isnan(values[i]) ? "NaN" : "infinity", i);
        if (half && fabsf(values[i]) >= HALF_LIMIT)
            return error_set(err,
                             "tensor '%.80s' has the value %g at index %zu, too large for F16; "
                             "store it as F32",
                             name, (double)values[i], i);
    }
    return 0;
}

/* The header's words for a tensor that lies next; NULL if memory is short. */
static json_t *tensor_describe(const SafetensorsWriter *writer, size_t rank, const size_t *shape,
                               bool half, size_t bytes)
{
    json_t *sizes = json_array();
    for (size_t i = 0; i < rank; i++)
        if (json_array_append_new(sizes, json_integer((json_int_t)shape[i])) < 0) {
            json_decref(sizes);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", half ? "F16" : "F32", "shape", sizes,
                     "data_offsets", (json_int_t)writer->data_bytes,
                     (json_int_t)writer->data_bytes + (json_int_t)bytes);
}

int safetensors_writer_tensor(SafetensorsWriter *writer, const char *name, size_t rank,
                              const size_t *shape, const float *values, bool half, Error *err)
{
    size_t bytes = 0;
    if (tensor_check(writer, name, rank, shape, half, &bytes, err) < 0)
        return -1;
    const size_t elements = bytes / (half ? sizeof(uint16_t) : sizeof(float));
    if (values_check(name, values, elements, half, err) < 0)
        return -1;
    void *copy = malloc(bytes + 1);
    if (!copy)
        return error_set(err, "memory is short for tensor '%.80s'; close other programs", name);
    if (half)
        half_from_float(values, copy, elements);
    else if (bytes)
        memcpy(copy, values, bytes);
    json_t *words = tensor_describe(writer, rank, shape, half, bytes);
    if (json_object_set_new(writer->tensors, name, words) < 0) {
        free(copy);
        return error_set(err, "tensor '%.80s' cannot be kept; write its name in UTF-8", name);
    }
    writer->blocks[writer->count++] = (Block){copy, bytes};
    writer->data_bytes += bytes;
    return 0;
}

/* The header's text, its size padded to the alignment; NULL with `err` set. */
static char *header_text(const SafetensorsWriter *writer, size_t *size, Error *err)
{
    json_t *header = json_object();
    char *text = NULL;
    int result = 0;
    if (json_object_size(writer->metadata))
        result = json_object_set(header, "__metadata__", writer->metadata);
    if (result == 0 && json_object_update(header, writer->tensors) == 0)
        text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    const size_t length = text ? strlen(text) : 0;
    *size = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    char *padded = text ? realloc(text, *size + 1) : NULL;
    if (!padded) {
        free(text);
        error_set(err, "memory is short for the header; close other programs");
        return NULL;
    }
    memset(padded + length, ' ', *size - length);
    return padded;
}

static int bytes_write(int fd, const void *from, size_t n)
{
    const unsigned char *at = from;
    while (n) {
        const ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

static int file_write(const SafetensorsWriter *writer, const char *header, size_t size, int fd)
{
    const uint64_t length = size;
    if (bytes_write(fd, &length, LENGTH_BYTES) < 0 || bytes_write(fd, header, size) < 0)
        return -1;
    for (size_t i = 0; i < writer->count; i++)
        if (bytes_write(fd, writer->blocks[i].bytes, writer->blocks[i].size) < 0)
            return -1;
    return 0;
}

static int file_replace(const SafetensorsWriter *writer, const char *header, size_t size,
                        const char *path, Error *err)
{
    char *name;
    const int fd = temporary_create(path, &name);
    if (fd < 0)
        return error_set(err,
                         "%.400s: cannot be made (%s); check that its folder exists and that "
                         "you may write there",
                         path, strerror(errno));
    int fault = file_write(writer, header, size, fd) < 0 ? errno : 0;
    if (fault)
        temporary_discard(fd, name);
    else
        fault = temporary_commit(fd, name, path);
    return fault ? error_set(err,
                             "%.400s: cannot be written (%s); make room or choose another folder",
                             path, strerror(fault))
                 : 0;
}

int safetensors_writer_save(const SafetensorsWriter *writer, const char *path, Error *err)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return error_set(err, "%.400s: is a folder, pipe or device; give the path of a file", path);
    size_t size;
    char *header = header_text(writer, &size, err);
    if (!header)
        return -1;
    int result;
    if (size > SAFETENSORS_MAX_HEADER ||
        LENGTH_BYTES + size + writer->data_bytes > SAFETENSORS_MAX_FILE)
        result = error_set(err,
                           "%.400s: would be larger than a weights file may be; use fewer or "
                           "smaller tensors, or F16",
                           path);
    else
        result = file_replace(writer, header, size, path, err);
    free(header);
    return result;
}
