/* A texture model: all that turns Gaussian noise into spectrograms of its classes. Bands,
 * normaliser, denoiser and weights, read from a safetensors file or filled by training. Immutable
 * once loaded, so any number of streams on any threads may share one. */
#ifndef BRUME_MODELS_TEXTURE_MODEL_H
#define BRUME_MODELS_TEXTURE_MODEL_H

#include "dsp/bands.h"
#include "dsp/error.h"
#include "models/denoiser_step.h"
#include "models/diffusion.h"
#include "models/normaliser.h"
#include "models/schedule.h"

#include <stddef.h>

#define TEXTURE_KIND         "brume.texture"
#define TEXTURE_FORMAT       "2"
#define TEXTURE_MAX_CLASSES  64
#define TEXTURE_CLASS_ROOM   64                /* bytes of a class name, its end included */
#define TEXTURE_MOST_WORKING ((size_t)1 << 26) /* values that a stream works on: 256 MiB */
#define TEXTURE_MEMORIES     32                /* mean frames that each class has to choose from */

/* What a model is made of; stored as JSON under "config" in the file's metadata. */
typedef struct TextureConfig {
    size_t rate;          /* Hz, 8000..192000 */
    size_t frame;         /* samples, a power of two, 256..8192; the hop is a quarter */
    size_t linear, upper; /* single bins, and logarithmic bands above them */
    double top;           /* Hz: centre of the last band */
    DenoiserConfig denoiser;
    Prediction prediction;
    ScheduleKind schedule;
    size_t window; /* frames that the denoiser was trained on, 32..4096 */
    char classes[TEXTURE_MAX_CLASSES][TEXTURE_CLASS_ROOM];
} TextureConfig;

typedef struct TextureModel TextureModel;

/* The network that is trained where nothing else is asked for, for `classes` classes (names still
 * empty). */
TextureConfig texture_config_default(size_t classes);

/* A model with no weights yet (all zero): training fills normaliser and weights. */
TextureModel *texture_model_create(const TextureConfig *config, Error *err);

/* Opens and checks a file. NULL with a message that names file, fault and mend. Not on the audio
 * thread. */
TextureModel *texture_model_open(const char *path, Error *err);
void texture_model_destroy(TextureModel *model);

const TextureConfig *texture_model_config(const TextureModel *model);
const Bands *texture_model_bands(const TextureModel *model);
const Denoiser *texture_model_denoiser(const TextureModel *model);
const Schedule *texture_model_schedule(const TextureModel *model);

/* For training to fill; otherwise read only. */
Normaliser *texture_model_normaliser(TextureModel *model);
const Normaliser *texture_model_maps(const TextureModel *model);
real *texture_model_weights(TextureModel *model);
const real *texture_model_values(const TextureModel *model);

/* Packs the weights as they are now for playing, as opening a file does; no other thread
 * may use the model meanwhile. -1 with a message when memory runs out. The steps are NULL before.
 */
int texture_model_pack(TextureModel *model, Error *err);
const DenoiserSteps *texture_model_steps(const TextureModel *model);

/* Whether they are there: 0, or -1 with a message. */
int texture_model_playable(const TextureModel *model, Error *err);

/* (classes, TEXTURE_MEMORIES, bands): mean frames of stretches of the recordings, in the
 * normaliser's Gaussian domain. A stream is given a mixture of them, and stays that rain. For
 * training to fill; otherwise read only. */
float *texture_model_memories(TextureModel *model);
const float *texture_model_colours(const TextureModel *model);

/* (classes, bands): how much of each band's energy the middle of two channels holds in the class's
 * recordings (corpus_image). For training to fill; otherwise read only. */
float *texture_model_image(TextureModel *model);
const float *texture_model_middles(const TextureModel *model);

/* Samples between frames. */
size_t texture_model_hop(const TextureModel *model);

/* Index of a class by its name; -1 with an error that lists the names there are. */
int texture_model_class(const TextureModel *model, const char *name, Error *err);

/* One line of the model card: metadata key and value. */
typedef struct TextureCardLine {
    const char *key, *value;
} TextureCardLine;

/* Writes the model and its card (lines,) as f16 (or f32), whole or not at all. */
int texture_model_save(const TextureModel *model, const TextureCardLine *card, size_t lines,
                       int half, const char *path, Error *err);

#endif
