/* A checkpoint of training, of any of the three kinds: what is read must be whole, or nothing. */
#include "tests/fuzz/fuzz.h"

#include "models/predictor_trainer.h"
#include "models/texture_checkpoint.h"
#include "models/training_state.h"
#include "tests/fuzz/memory_file.h"

#include <stdlib.h>

enum { SIZE = 3 };

static void read_texture(const char *path)
{
    TextureCheckpoint state;
    Error err = {""};
    if (texture_checkpoint_create(&state, SIZE, NULL))
        abort();
    if (texture_checkpoint_load(&state, path, &err) && !err.message[0])
        abort();
    texture_checkpoint_destroy(&state);
}

static void read_state(const char *path)
{
    TrainingState state;
    char numbers[TRAINING_NUMBERS_ROOM];
    if (training_state_load(&state, SIZE, "brume.notes.checkpoint", numbers, path, NULL) == 0)
        training_state_destroy(&state);
}

static void read_predictor(const char *path)
{
    real *weights;
    PredictorNet *net = predictor_trainer_open(path, &weights, NULL);
    if (!net)
        return;
    free(weights);
    predictor_net_destroy(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *path = memory_file_model(bytes, size);
    read_texture(path);
    read_state(path);
    read_predictor(path);
    return 0;
}
