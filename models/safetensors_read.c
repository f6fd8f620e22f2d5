#include "models/safetensors.h"

#include "models/finite.h"
#include "models/half.h"
#include "models/shown.h"

#include <errno.h>
#include <fcntl.h>
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
#define PIECE        4096                           /* values */
#define MAX_VALUES   (16 * SAFETENSORS_MAX_TENSORS) /* in the JSON; a tensor takes 14 at most */
#define SHOWN_NAME   96
#define SHOWN_PATH   384
#define MEND         "fetch the file again, or train the model anew"

typedef struct Entry {
    const char *name;
    SafetensorsInfo info;
    size_t begin; /* in the data */
    size_t end;
} Entry;

struct Safetensors {
    char *path;
    json_t *header; /* owns the strings that the entries and the metadata point to */
    Entry *entries;
    size_t count;
    json_t *metadata; /* a part of the header; NULL if absent */
    const char **keys;
    size_t key_count;
    int fd;
    size_t start; /* of the data in the file */
    size_t data_bytes;
};

/* Every type of the format, with its width. */
static const struct {
    const char *name;
    SafetensorsType type;
    size_t bits;
} types[] = {
    {"F32", SAFETENSORS_F32, 32},      {"F16", SAFETENSORS_F16, 16},
    {"BOOL", SAFETENSORS_OTHER, 8},    {"U8", SAFETENSORS_OTHER, 8},
    {"I8", SAFETENSORS_OTHER, 8},      {"F8_E5M2", SAFETENSORS_OTHER, 8},
    {"F8_E4M3", SAFETENSORS_OTHER, 8}, {"F8_E8M0", SAFETENSORS_OTHER, 8},
    {"F6_E2M3", SAFETENSORS_OTHER, 6}, {"F6_E3M2", SAFETENSORS_OTHER, 6},
    {"F4", SAFETENSORS_OTHER, 4},      {"I16", SAFETENSORS_OTHER, 16},
    {"U16", SAFETENSORS_OTHER, 16},    {"BF16", SAFETENSORS_OTHER, 16},
    {"I32", SAFETENSORS_OTHER, 32},    {"U32", SAFETENSORS_OTHER, 32},
    {"F64", SAFETENSORS_OTHER, 64},    {"I64", SAFETENSORS_OTHER, 64},
    {"U64", SAFETENSORS_OTHER, 64},    {"C64", SAFETENSORS_OTHER, 64},
};

static int bytes_read(int fd, size_t from, void *to, size_t n, Error *err)
{
    unsigned char *at = to;
    while (n) {
        const ssize_t got = pread(fd, at, n, (off_t)from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, "cannot be read (%s)", strerror(errno));
        if (got == 0)
            return error_set(err, "became shorter while it was read");
        at += got;
        from += (size_t)got;
        n -= (size_t)got;
    }
    return 0;
}

static int kind_check(const char *path, mode_t mode, Error *err)
{
    if (S_ISREG(mode))
        return 0;
    const char *kind = S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : "a device";
    return error_set(err, "%s: is %s, not a model file; give the path of a .safetensors file", path,
                     kind);
}

/* Opens a regular file; O_NONBLOCK so that a pipe without a writer is refused, not waited for. */
static int file_open(const char *path, int *fd, size_t *size, Error *err)
{
    char shown[SHOWN_PATH];
    shown_text(path, shown, sizeof shown);
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0)
        return error_set(err, "%s: cannot be opened (%s); check the path and its permissions",
                         shown, strerror(errno));
    struct stat status;
    if (fstat(*fd, &status) < 0) {
        error_set(err, "%s: cannot be examined (%s); " MEND, shown, strerror(errno));
    } else if (kind_check(shown, status.st_mode, err) == 0) {
        *size = (size_t)status.st_size;
        if (*size <= SAFETENSORS_MAX_FILE)
            return 0;
        error_set(err, "%s: has %zu bytes, more than the %zu that are allowed; use a smaller model",
                  shown, *size, SAFETENSORS_MAX_FILE);
    }
    close(*fd);
    return -1;
}

/* How many values a JSON text holds at most: the parser makes each an object on the heap, many
 * times the size of its text. */
static size_t values_count(const char *text, size_t length)
{
    size_t count = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted)
            count += text[i] == ',' || text[i] == '{' || text[i] == '[';
    }
    return count;
}

static json_t *header_parse(const char *text, size_t length, Error *err)
{
    size_t end = length;
    while (end && text[end - 1] == ' ')
        end--;
    const char *wrong = NULL;
    if (text[0] != '{')
        wrong = "does not begin with '{': this is not a safetensors file";
    else if (text[end - 1] != '}')
        wrong = "does not end with '}' and spaces";
    else if (memchr(text, '\0', end)) /* jansson passes over one that follows a number */
        wrong = "has a zero byte in it";
    else if (values_count(text, end) > MAX_VALUES)
        wrong = "has more values than 4096 tensors need";
    if (wrong) {
        error_set(err, "the header %s", wrong);
        return NULL;
    }
    json_error_t fault;
    json_t *header = json_loadb(text, end, JSON_REJECT_DUPLICATES, &fault);
    if (!header) {
        char shown[SHOWN_PATH];
        error_set(err, "the header is not right JSON at byte %d: %s", fault.position,
                  shown_text(fault.text, shown, sizeof shown));
    }
    return header;
}

static json_t *header_read(int fd, size_t size, size_t *start, Error *err)
{
    unsigned char field[LENGTH_BYTES];
    if (size < sizeof field) {
        error_set(err, "has %zu bytes, too few for a safetensors file", size);
        return NULL;
    }
    if (bytes_read(fd, 0, field, sizeof field, err) < 0)
        return NULL;
    uint64_t length;
    memcpy(&length, field, sizeof length);
    if (length > SAFETENSORS_MAX_HEADER) {
        error_set(err, "the header's length is given as %llu bytes, more than %zu",
                  (unsigned long long)length, SAFETENSORS_MAX_HEADER);
        return NULL;
    }
    if (length == 0 || length > size - sizeof field) {
        error_set(err, "the header's length is given as %llu bytes, but %zu follow",
                  (unsigned long long)length, size - sizeof field);
        return NULL;
    }
    char *text = malloc((size_t)length);
    if (!text) {
        error_set(err, "memory is short for a header of %llu bytes", (unsigned long long)length);
        return NULL;
    }
    json_t *header = NULL;
    if (bytes_read(fd, sizeof field, text, (size_t)length, err) == 0)
        header = header_parse(text, (size_t)length, err);
    free(text);
    *start = sizeof field + (size_t)length;
    return header;
}

/* A whole number that is not negative and fits size_t. */
static bool size_parse(const json_t *value, size_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    const unsigned long long number = (unsigned long long)json_integer_value(value);
    *out = (size_t)number;
    return number <= SIZE_MAX;
}

static int type_parse(const json_t *value, SafetensorsInfo *info, size_t *bits, Error *err)
{
    if (!json_is_string(value))
        return error_set(err, "has no \"dtype\" string");
    const char *name = json_string_value(value);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0) {
            info->type = types[i].type;
            info->type_name = types[i].name;
            *bits = types[i].bits;
            return 0;
        }
    char shown[SHOWN_NAME];
    return error_set(err, "has the unknown dtype '%s'", shown_text(name, shown, sizeof shown));
}

static int shape_parse(const json_t *value, SafetensorsInfo *info, Error *err)
{
    if (!json_is_array(value))
        return error_set(err, "has no \"shape\" list");
    info->rank = json_array_size(value);
    if (info->rank > SAFETENSORS_MAX_RANK)
        return error_set(err, "has rank %zu, more than %d", info->rank, SAFETENSORS_MAX_RANK);
    info->elements = 1;
    for (size_t i = 0; i < info->rank; i++) {
        if (!size_parse(json_array_get(value, i), &info->shape[i]))
            return error_set(err, "has a \"shape\" whose number %zu is not a whole number >= 0", i);
        if (__builtin_mul_overflow(info->elements, info->shape[i], &info->elements))
            return error_set(err, "has a \"shape\" whose product overflows");
    }
    return 0;
}

static int entry_parse(const json_t *value, size_t data_bytes, Entry *entry, Error *err)
{
    SafetensorsInfo *info = &entry->info;
    size_t bits = 0;
    if (!json_is_object(value))
        return error_set(err, "is not a JSON object");
    if (type_parse(json_object_get(value, "dtype"), info, &bits, err) < 0 ||
        shape_parse(json_object_get(value, "shape"), info, err) < 0)
        return -1;
    const json_t *offsets = json_object_get(value, "data_offsets");
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
        !size_parse(json_array_get(offsets, 0), &entry->begin) ||
        !size_parse(json_array_get(offsets, 1), &entry->end))
        return error_set(err, "has no \"data_offsets\" of two whole numbers >= 0");
    if (entry->begin > entry->end)
        return error_set(err, "has reversed offsets %zu..%zu", entry->begin, entry->end);
    if (entry->end > data_bytes)
        return error_set(err, "lies at %zu..%zu, but the data has %zu bytes", entry->begin,
                         entry->end, data_bytes);
    info->bytes = entry->end - entry->begin;
    size_t total;
    if (__builtin_mul_overflow(info->elements, bits, &total) || total % 8 ||
        total / 8 != info->bytes) {
        char shape[SHOWN_SHAPE_ROOM];
        return error_set(err, "has %zu bytes, which its shape %s of %s does not fill exactly",
                         info->bytes, shown_shape(info->rank, info->shape, shape), info->type_name);
    }
    return 0;
}

static int metadata_parse(Safetensors *file, json_t *metadata, Error *err)
{
    if (!json_is_object(metadata))
        return error_set(err, "\"__metadata__\" is not a JSON object");
    file->metadata = metadata;
    file->keys = calloc(json_object_size(metadata) + 1, sizeof *file->keys);
    if (!file->keys)
        return error_set(err, "memory is short for the metadata");
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        char shown[SHOWN_NAME];
        if (!json_is_string(value))
            return error_set(err, "the metadata's '%s' is not a string",
                             shown_text(key, shown, sizeof shown));
        file->keys[file->key_count++] = key;
    }
    return 0;
}

static int header_entries(Safetensors *file, Error *err)
{
    json_t *metadata = json_object_get(file->header, "__metadata__");
    const size_t count = json_object_size(file->header) - (metadata ? 1 : 0);
    if (count > SAFETENSORS_MAX_TENSORS)
        return error_set(err, "has %zu tensors, more than %d", count, SAFETENSORS_MAX_TENSORS);
    if (metadata && metadata_parse(file, metadata, err) < 0)
        return -1;
    file->entries = calloc(count + 1, sizeof *file->entries);
    if (!file->entries)
        return error_set(err, "memory is short for %zu tensors", count);
    const char *name;
    json_t *value;
    json_object_foreach(file->header, name, value)
    {
        if (value == metadata)
            continue;
        Entry *entry = &file->entries[file->count++];
        entry->name = name;
        if (entry_parse(value, file->data_bytes, entry, err) < 0) {
            char shown[SHOWN_NAME];
            return error_prefix(err, "tensor '%s'", shown_text(name, shown, sizeof shown));
        }
    }
    return 0;
}

static int entry_compare(const void *a, const void *b)
{
    const Entry *left = *(const Entry *const *)a, *right = *(const Entry *const *)b;
    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

/* The tensors lie side by side: no hole, no overlap, no byte before, between or after them. */
static int layout_check(const Safetensors *file, Error *err)
{
    const Entry **order = calloc(file->count + 1, sizeof *order);
    if (!order)
        return error_set(err, "memory is short for %zu tensors", file->count);
    for (size_t i = 0; i < file->count; i++)
        order[i] = &file->entries[i];
    qsort(order, file->count, sizeof *order, entry_compare);
    int result = 0;
    size_t end = 0;
    for (size_t i = 0; i < file->count && result == 0; i++) {
        char shown[SHOWN_NAME];
        if (order[i]->begin != end)
            result = error_set(
                err, "tensor '%s': begins at byte %zu, %s, where %zu was due",
                shown_text(order[i]->name, shown, sizeof shown), order[i]->begin,
                order[i]->begin < end ? "overlapping another tensor" : "after a hole", end);
        end = order[i]->end;
    }
    free(order);
    if (result == 0 && end != file->data_bytes)
        return error_set(err, "%zu bytes are left over after the last tensor",
                         file->data_bytes - end);
    return result;
}

static int file_read(Safetensors *file, size_t size, Error *err)
{
    file->header = header_read(file->fd, size, &file->start, err);
    if (!file->header)
        return -1;
    file->data_bytes = size - file->start;
    return header_entries(file, err) < 0 || layout_check(file, err) < 0 ? -1 : 0;
}

Safetensors *safetensors_open(const char *path, Error *err)
{
    int fd;
    size_t size = 0;
    if (file_open(path, &fd, &size, err) < 0)
        return NULL;
    char shown[SHOWN_PATH];
    shown_text(path, shown, sizeof shown);
    Safetensors *file = calloc(1, sizeof *file);
    if (file) {
        file->fd = fd;
        file->path = strdup(shown);
    } else {
        close(fd);
    }
    Error fault = {"memory is short"};
    if (!file || !file->path || file_read(file, size, &fault) < 0) {
        error_set(err, "%s: %s; " MEND, shown, fault.message);
        safetensors_destroy(file);
        return NULL;
    }
    return file;
}

void safetensors_destroy(Safetensors *file)
{
    if (!file)
        return;
    close(file->fd);
    json_decref(file->header);
    free(file->path);
    free(file->entries);
    free(file->keys);
    free(file);
}

size_t safetensors_count(const Safetensors *file)
{
    return file->count;
}

const char *safetensors_name(const Safetensors *file, size_t i)
{
    return file->entries[i].name;
}

size_t safetensors_metadata_count(const Safetensors *file)
{
    return file->key_count;
}

const char *safetensors_metadata_key(const Safetensors *file, size_t i)
{
    return file->keys[i];
}

const char *safetensors_metadata(const Safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

static const Entry *entry_find(const Safetensors *file, const char *name, Error *err)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->entries[i].name, name) == 0)
            return &file->entries[i];
    error_set(err, "%s: has no tensor '%s'; use a model of the right kind", file->path, name);
    return NULL;
}

int safetensors_find(const Safetensors *file, const char *name, SafetensorsInfo *info, Error *err)
{
    const Entry *entry = entry_find(file, name, err);
    if (!entry)
        return -1;
    *info = entry->info;
    return 0;
}

int safetensors_check_sizes(const Safetensors *file, size_t tensors, size_t values, Error *err)
{
    size_t found = 0; /* no overflow: the file's bytes bound it */
    if (file->count != tensors)
        return error_set(err, "%zu tensors where its configuration asks for %zu", file->count,
                         tensors);
    for (size_t i = 0; i < file->count; i++)
        found += file->entries[i].info.elements;
    if (found < values)
        return error_set(err, "%zu values where its configuration asks for %zu", found, values);
    return 0;
}

static bool shape_equal(const SafetensorsInfo *info, size_t rank, const size_t *shape)
{
    return info->rank == rank &&
           (rank == 0 || memcmp(info->shape, shape, rank * sizeof *shape) == 0);
}

/* The n values at byte `from` of the file, halves piece by piece. */
static int values_read(const Safetensors *file, SafetensorsType type, size_t from, size_t n,
                       float *out, Error *err)
{
    uint16_t halves[PIECE];
    if (type == SAFETENSORS_F32)
        return bytes_read(file->fd, from, out, n * sizeof *out, err);
    for (size_t done = 0; done < n;) {
        const size_t m = n - done < PIECE ? n - done : PIECE;
        if (bytes_read(file->fd, from + done * sizeof *halves, halves, m * sizeof *halves, err))
            return -1;
        half_to_float(halves, out + done, m);
        done += m;
    }
    return 0;
}

int safetensors_read_float(const Safetensors *file, const char *name, size_t rank,
                           const size_t *shape, float *out, Error *err)
{
    const Entry *entry = entry_find(file, name, err);
    if (!entry)
        return -1;
    const SafetensorsInfo *info = &entry->info;
    if (info->type == SAFETENSORS_OTHER)
        return error_set(err, "%s: tensor '%s' has dtype %s; save it as F32 or F16", file->path,
                         name, info->type_name);
    if (!shape_equal(info, rank, shape)) {
        char found[SHOWN_SHAPE_ROOM], expected[SHOWN_SHAPE_ROOM];
        return error_set(err, "%s: tensor '%s' has shape %s where %s is expected; " MEND,
                         file->path, name, shown_shape(info->rank, info->shape, found),
                         shown_shape(rank, shape, expected));
    }
    Error fault = {""};
    if (values_read(file, info->type, file->start + entry->begin, info->elements, out, &fault))
        return error_set(err, "%s: %s; " MEND, file->path, fault.message);
    const size_t odd = finite_count(out, info->elements);
    if (odd < info->elements)
        return error_set(err, "%s: tensor '%s' has the value %s at index %zu; " MEND, file->path,
                         name, isnan(out[odd]) ? "NaN" : "infinity", odd);
    return 0;
}
