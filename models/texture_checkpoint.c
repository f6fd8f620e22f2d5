#include "models/texture_checkpoint.h"

#include "models/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_KIND "brume.texture.checkpoint"

enum { ARRAYS = 5 };
static const char *const ARRAY_NAMES[ARRAYS] = {"values", "first", "second", "average", "best"};

static real **array(TextureCheckpoint *state, int i)
{
    real **const all[ARRAYS] = {&state->values, &state->first, &state->second, &state->average,
                                &state->best};
    return all[i];
}

int texture_checkpoint_create(TextureCheckpoint *state, size_t size, Error *err)
{
    *state = (TextureCheckpoint){.size = size};
    state->progress.loss = state->progress.held_out = state->progress.best = NAN;
    for (int i = 0; i < ARRAYS; i++)
        if (!(*array(state, i) = calloc(size, sizeof(real))))
            return error_set(err, "out of memory for %zu parameters", size);
    return 0;
}

void texture_checkpoint_destroy(TextureCheckpoint *state)
{
    for (int i = 0; i < ARRAYS; i++)
        free(*array(state, i));
}

/* The numbers of a checkpoint as text. Floating-point values go as hexadecimal, to the bit. */
static int print_numbers(const TextureCheckpoint *state, char *text, size_t room)
{
    const TextureIdentity *id = &state->identity;
    const TextureProgress *p = &state->progress;
    const int n = snprintf(text, room,
                           "seed=%" PRIu64 " fingerprint=%" PRIu64
                           " batch=%zu steps=%zu step=%zu best_step=%zu loss=%a held_out=%a "
                           "best=%a seconds=%a network=%" PRIu64 " draws=%" PRIu64,
                           id->seed, id->fingerprint, id->batch, id->steps, p->step, p->best_step,
                           p->loss, p->held_out, p->best, p->seconds, id->network, id->draws);
    return n > 0 && (size_t)n < room ? 0 : -1;
}

static int parse_numbers(const char *text, TextureIdentity *id, TextureProgress *p)
{
    const int n =
        sscanf(text,
               "seed=%" SCNu64 " fingerprint=%" SCNu64
               " batch=%zu steps=%zu step=%zu best_step=%zu loss=%la held_out=%la best=%la "
               "seconds=%la network=%" SCNu64 " draws=%" SCNu64,
               &id->seed, &id->fingerprint, &id->batch, &id->steps, &p->step, &p->best_step,
               &p->loss, &p->held_out, &p->best, &p->seconds, &id->network, &id->draws);
    return n == 12 ? 0 : -1;
}

int texture_checkpoint_save(const TextureCheckpoint *state, const char *path, Error *err)
{
    char numbers[1024];
    TextureCheckpoint arrays = *state;
    SafetensorsWriter *writer = safetensors_writer_create(err);
    int failed = !writer || print_numbers(state, numbers, sizeof numbers) ||
                 safetensors_writer_metadata(writer, "kind", CHECKPOINT_KIND, err) ||
                 safetensors_writer_metadata(writer, "state", numbers, err);
    for (int i = 0; !failed && i < ARRAYS; i++)
        failed = safetensors_writer_tensor(writer, ARRAY_NAMES[i], 1, &state->size,
                                           (const float *)*array(&arrays, i), false, err);
    failed = failed || safetensors_writer_save(writer, path, err);
    safetensors_writer_destroy(writer);
    return failed ? -1 : 0;
}

static int check_identity(const TextureIdentity *mine, const TextureIdentity *its, Error *err)
{
    /* The seed first: it also says what is held out, and so changes the fingerprint. */
    if (its->seed != mine->seed)
        return error_set(err, "it was made with --seed %" PRIu64 ": give that", its->seed);
    if (its->fingerprint != mine->fingerprint)
        return error_set(err, "it was made from other sound (or another --holdout): give the same "
                              "folder, or start without --resume");
    if (its->network != mine->network)
        return error_set(err,
                         "it was made for another network: give the same --channels, --blocks, "
                         "--prediction, --schedule and --from, or start without --resume");
    if (its->batch != mine->batch)
        return error_set(err, "it was made with batches of %zu windows, not %zu: give --batch %zu",
                         its->batch, mine->batch, its->batch);
    return 0;
}

static int read_checkpoint(TextureCheckpoint *state, const Safetensors *file, Error *err)
{
    const char *kind = safetensors_metadata(file, "kind");
    const char *numbers = safetensors_metadata(file, "state");
    TextureCheckpoint found = {.size = state->size};
    if (!kind || strcmp(kind, CHECKPOINT_KIND) || !numbers ||
        parse_numbers(numbers, &found.identity, &found.progress))
        return error_set(err, "it is not a checkpoint of this Brume's texture training: start "
                              "without --resume");
    int failed = check_identity(&state->identity, &found.identity, err) ||
                 texture_checkpoint_create(&found, state->size, err);
    parse_numbers(numbers, &found.identity, &found.progress);
    for (int i = 0; !failed && i < ARRAYS; i++)
        failed = safetensors_read_float(file, ARRAY_NAMES[i], 1, &state->size,
                                        (float *)*array(&found, i), err);
    if (failed) {
        texture_checkpoint_destroy(&found);
        return -1;
    }
    texture_checkpoint_destroy(state);
    *state = found;
    return 0;
}

int texture_checkpoint_load(TextureCheckpoint *state, const char *path, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    if (!file)
        return -1;
    const int failed = read_checkpoint(state, file, err);
    if (failed && err && !strstr(err->message, path))
        error_prefix(err, "%s", path);
    safetensors_destroy(file);
    return failed;
}
