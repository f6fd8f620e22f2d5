#include "models/training_state.h"

#include "models/safetensors.h"

#include <stdlib.h>
#include <string.h>

enum { ARRAYS = 5 };
static const char *const NAMES[ARRAYS] = {"values", "first", "second", "average", "best"};

static real **array(TrainingState *state, int i)
{
    real **const all[ARRAYS] = {&state->values, &state->first, &state->second, &state->average,
                                &state->best};
    return all[i];
}

int training_state_create(TrainingState *state, size_t size, Error *err)
{
    *state = (TrainingState){.size = size};
    for (int i = 0; i < ARRAYS; i++)
        if (!(*array(state, i) = calloc(size, sizeof(real)))) {
            training_state_destroy(state);
            return error_set(err, "out of memory for %zu parameters", size);
        }
    return 0;
}

void training_state_destroy(TrainingState *state)
{
    for (int i = 0; i < ARRAYS; i++) {
        free(*array(state, i));
        *array(state, i) = NULL;
    }
}

void training_state_start(TrainingState *state, const real *weights)
{
    memmove(state->values, weights, state->size * sizeof(real));
    memcpy(state->average, state->values, state->size * sizeof(real));
    memcpy(state->best, state->values, state->size * sizeof(real));
}

int training_state_save(const TrainingState *state, const char *kind, const char *numbers,
                        const char *path, Error *err)
{
    TrainingState arrays = *state;
    SafetensorsWriter *writer = safetensors_writer_create(err);
    int failed = !writer || safetensors_writer_metadata(writer, "kind", kind, err) ||
                 safetensors_writer_metadata(writer, "state", numbers, err);
    for (int i = 0; !failed && i < ARRAYS; i++)
        failed = safetensors_writer_tensor(writer, NAMES[i], 1, &state->size,
                                           (const float *)*array(&arrays, i), false, err);
    failed = failed || safetensors_writer_save(writer, path, err);
    safetensors_writer_destroy(writer);
    return failed ? -1 : 0;
}

static int read_state(TrainingState *state, size_t size, const char *kind, char *numbers,
                      const Safetensors *file, Error *err)
{
    const char *its_kind = safetensors_metadata(file, "kind");
    const char *its_numbers = safetensors_metadata(file, "state");
    if (!its_kind || strcmp(its_kind, kind) || !its_numbers ||
        strlen(its_numbers) >= TRAINING_NUMBERS_ROOM)
        return error_set(err, "it is not a checkpoint of this training: start without --resume");
    strcpy(numbers, its_numbers);
    if (training_state_create(state, size, err))
        return -1;
    for (int i = 0; i < ARRAYS; i++)
        if (safetensors_read_float(file, NAMES[i], 1, &size, (float *)*array(state, i), err)) {
            training_state_destroy(state);
            return -1;
        }
    return 0;
}

int training_state_load(TrainingState *state, size_t size, const char *kind,
                        char numbers[TRAINING_NUMBERS_ROOM], const char *path, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    if (!file)
        return -1;
    const int failed = read_state(state, size, kind, numbers, file, err);
    if (failed && err && !strstr(err->message, path))
        error_prefix(err, "%s", path);
    safetensors_destroy(file);
    return failed;
}
