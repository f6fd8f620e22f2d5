/* A melody model: what carries a tune on. The note tier says which notes follow, the sample tier
 * how they sound; between them stand the prompt's own partials, for which nothing is learnt. Read
 * from a safetensors file or filled by training. Immutable once loaded, so any number of streams on
 * any threads may share one. */
#ifndef BRUME_MODELS_MELODY_MODEL_H
#define BRUME_MODELS_MELODY_MODEL_H

#include "dsp/error.h"
#include "models/note_model.h"
#include "models/predictor_net.h"

#include <stdbool.h>
#include <stddef.h>

#define MELODY_KIND   "brume.melody"
#define MELODY_FORMAT "1"

/* What a model is made of; stored as JSON under "config" in the file's metadata. */
typedef struct MelodyConfig {
    size_t rate; /* Hz: MELODY_RATE, as long as there is no other */
    NoteConfig notes;
    PredictorConfig samples;
} MelodyConfig;

typedef struct MelodyModel MelodyModel;

/* The networks that training found best. */
MelodyConfig melody_config_default(void);

/* JSON text -> config: anything missing, of the wrong type or (but for what the networks check
 * themselves) out of range is refused. config -> JSON text, to be freed; NULL out of memory. */
int melody_config_parse(const char *json, MelodyConfig *config, Error *err);
char *melody_config_print(const MelodyConfig *config, Error *err);

/* A model with no weights yet (all zero): training fills them. */
MelodyModel *melody_model_create(const MelodyConfig *config, Error *err);

/* Opens and checks a file. NULL with a message that names file, fault and mend. Not on the audio
 * thread. */
MelodyModel *melody_model_open(const char *path, Error *err);
void melody_model_destroy(MelodyModel *model);

const MelodyConfig *melody_model_config(const MelodyModel *model);
const NoteModel *melody_model_notes(const MelodyModel *model);
const PredictorNet *melody_model_samples(const MelodyModel *model);

/* The tiers' weights (parameters_size of each). */
const real *melody_model_note_weights(const MelodyModel *model);
const real *melody_model_sample_weights(const MelodyModel *model);

/* Copies weights into a tier, for training. */
void melody_model_set_notes(MelodyModel *model, const real *weights);
void melody_model_set_samples(MelodyModel *model, const real *weights);

/* One line of the model card: metadata key and value. */
typedef struct MelodyCardLine {
    const char *key, *value;
} MelodyCardLine;

/* Writes the model and its card (lines,) as f16 (or f32), whole or not at all. */
int melody_model_save(const MelodyModel *model, const MelodyCardLine *card, size_t lines, bool half,
                      const char *path, Error *err);

#endif
