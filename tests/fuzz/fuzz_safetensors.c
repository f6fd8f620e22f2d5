/* Any safetensors file: the container, its JSON, and every tensor read as numbers. */
#include "tests/fuzz/fuzz.h"

#include "models/safetensors.h"
#include "tests/fuzz/memory_file.h"

#include <stdlib.h>
#include <string.h>

static size_t read_tensor(const Safetensors *file, const char *name)
{
    SafetensorsInfo info;
    if (safetensors_find(file, name, &info, NULL))
        abort(); /* it was just named */
    float *values = malloc((info.elements ? info.elements : 1) * sizeof *values);
    if (values && info.type != SAFETENSORS_OTHER)
        safetensors_read_float(file, name, info.rank, info.shape, values, NULL);
    free(values);
    return info.elements;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {""};
    Safetensors *file = safetensors_open(memory_file(bytes, size), &err);
    if (!file) {
        if (!err.message[0] || strchr(err.message, '\n'))
            abort();
        return 0;
    }
    size_t letters = 0, values = 0;
    for (size_t i = 0; i < safetensors_metadata_count(file); i++)
        letters += strlen(safetensors_metadata(file, safetensors_metadata_key(file, i)));
    for (size_t i = 0; i < safetensors_count(file); i++)
        values += read_tensor(file, safetensors_name(file, i));
    if (letters > size || values > 8 * size)
        abort();
    safetensors_destroy(file);
    return 0;
}
