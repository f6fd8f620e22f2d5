#include "models/parameters.h"

#include "dsp/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_ROOM = 64, START_STREAM = 0x57a7 };

typedef struct Entry {
    ParameterInfo info;
    ParameterStart start;
    char name[NAME_ROOM];
} Entry;

struct Parameters {
    Entry **entries; /* pointers, since `info.name` points into its own entry */
    size_t count, room, size;
    int failed;
};

Parameters *parameters_create(Error *err)
{
    Parameters *parameters = calloc(1, sizeof *parameters);
    if (!parameters)
        error_set(err, "out of memory for a network's parameters");
    return parameters;
}

void parameters_destroy(Parameters *parameters)
{
    if (!parameters)
        return;
    for (size_t i = 0; i < parameters->count; i++)
        free(parameters->entries[i]);
    free(parameters->entries);
    free(parameters);
}

static int grow(Parameters *parameters)
{
    if (parameters->count < parameters->room)
        return 0;
    const size_t room = parameters->room ? 2 * parameters->room : 64;
    Entry **entries = realloc(parameters->entries, room * sizeof(Entry *));
    if (!entries)
        return -1;
    parameters->entries = entries;
    parameters->room = room;
    return 0;
}

size_t parameters_add(Parameters *parameters, const char *name, ParameterStart start, size_t rank,
                      const size_t *shape)
{
    const size_t offset = parameters->size;
    Entry *entry = calloc(1, sizeof *entry);
    if (!entry || grow(parameters)) {
        free(entry);
        parameters->failed = 1;
        return offset;
    }
    strncpy(entry->name, name, sizeof entry->name - 1);
    entry->start = start;
    entry->info = (ParameterInfo){.name = entry->name, .rank = rank, .offset = offset, .size = 1};
    for (size_t i = 0; i < rank; i++) {
        entry->info.shape[i] = shape[i];
        entry->info.size *= shape[i];
    }
    parameters->size += entry->info.size;
    parameters->entries[parameters->count++] = entry;
    return offset;
}

int parameters_ok(const Parameters *parameters, Error *err)
{
    if (parameters->failed)
        return error_set(err, "out of memory for a network's parameters");
    if (parameters->size > PARAMETERS_MOST)
        return error_set(err, "a network of %zu values: up to %zu are possible", parameters->size,
                         PARAMETERS_MOST);
    return 0;
}

size_t parameters_count(const Parameters *parameters)
{
    return parameters->count;
}

size_t parameters_size(const Parameters *parameters)
{
    return parameters->size;
}

const ParameterInfo *parameters_info(const Parameters *parameters, size_t index)
{
    return &parameters->entries[index]->info;
}

static void start_fan_in(const ParameterInfo *info, uint64_t seed, real *values)
{
    const real deviation = (real)sqrt((double)info->shape[0] / (double)info->size);
    float piece[256];
    for (size_t i = 0; i < info->size; i += 256) {
        const size_t n = info->size - i < 256 ? info->size - i : 256;
        random_gaussian(seed, START_STREAM, info->offset + i, piece, n);
        for (size_t j = 0; j < n; j++)
            values[i + j] = deviation * (real)piece[j];
    }
}

void parameters_start(const Parameters *parameters, uint64_t seed, real *values)
{
    memset(values, 0, parameters->size * sizeof *values);
    for (size_t i = 0; i < parameters->count; i++)
        if (parameters->entries[i]->start == PARAMETER_FAN_IN)
            start_fan_in(&parameters->entries[i]->info, seed,
                         values + parameters->entries[i]->info.offset);
}
