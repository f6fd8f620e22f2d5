/* A melody model's file: opened, and both tiers made ready to play. */
#include "tests/fuzz/fuzz.h"

#include "models/melody_model.h"
#include "models/note_model.h"
#include "models/predictor.h"
#include "tests/fuzz/memory_file.h"

#include <stdlib.h>

static void prepare(const MelodyModel *model)
{
    NoteDecoder *decoder =
        note_decoder_create(melody_model_notes(model), melody_model_note_weights(model), NULL);
    Predictor *predictor =
        predictor_create(melody_model_samples(model), melody_model_sample_weights(model), NULL);
    PredictorState *state = predictor ? predictor_state_create(predictor, true, NULL) : NULL;
    predictor_state_destroy(state);
    predictor_destroy(predictor);
    note_decoder_destroy(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {""};
    MelodyModel *model = melody_model_open(memory_file_model(bytes, size), &err);
    if (!model && !err.message[0])
        abort();
    if (model)
        prepare(model);
    melody_model_destroy(model);
    return 0;
}
