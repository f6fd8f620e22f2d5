#include "models/melody_model.h"

#include "dsp/pages.h"
#include "models/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands before a tier's tensor names in the file. */
#define NOTES_PREFIX   "notes."
#define SAMPLES_PREFIX "samples."

enum { NAME_ROOM = 96 };

struct MelodyModel {
    MelodyConfig config;
    NoteModel *notes;
    PredictorNet *samples;
    real *note_weights, *sample_weights;
};

/* One of the two networks in the file. */
typedef struct Tier {
    const char *prefix;
    const Parameters *parameters;
    real *weights;
} Tier;

static Tier note_tier(const MelodyModel *model)
{
    return (Tier){NOTES_PREFIX, note_model_parameters(model->notes), model->note_weights};
}

static Tier sample_tier(const MelodyModel *model)
{
    return (Tier){SAMPLES_PREFIX, predictor_net_parameters(model->samples), model->sample_weights};
}

/* The networks' shapes, as yet without weights. */
static MelodyModel *shape_create(const MelodyConfig *config, Error *err)
{
    MelodyModel *model = calloc(1, sizeof *model);
    if (!model) {
        error_set(err, "out of memory for a model");
        return NULL;
    }
    model->config = *config;
    model->notes = note_model_create(&config->notes, err);
    model->samples = model->notes ? predictor_net_create(&config->samples, err) : NULL;
    if (!model->samples) {
        melody_model_destroy(model);
        return NULL;
    }
    return model;
}

static int add_weights(MelodyModel *model, Error *err)
{
    model->note_weights =
        pages_alloc(parameters_size(note_model_parameters(model->notes)), sizeof(real));
    model->sample_weights =
        pages_alloc(parameters_size(predictor_net_parameters(model->samples)), sizeof(real));
    if (!model->note_weights || !model->sample_weights)
        return error_set(err, "out of memory for a model's weights");
    return 0;
}

MelodyModel *melody_model_create(const MelodyConfig *config, Error *err)
{
    MelodyModel *model = shape_create(config, err);
    if (model && add_weights(model, err)) {
        melody_model_destroy(model);
        return NULL;
    }
    return model;
}

void melody_model_destroy(MelodyModel *model)
{
    if (!model)
        return;
    if (model->note_weights)
        pages_free(model->note_weights, parameters_size(note_model_parameters(model->notes)),
                   sizeof(real));
    if (model->sample_weights)
        pages_free(model->sample_weights, parameters_size(predictor_net_parameters(model->samples)),
                   sizeof(real));
    note_model_destroy(model->notes);
    predictor_net_destroy(model->samples);
    free(model);
}

static void tensor_name(char name[NAME_ROOM], const Tier *tier, const ParameterInfo *info)
{
    snprintf(name, NAME_ROOM, "%s%s", tier->prefix, info->name);
}

static int read_tier(const Tier *tier, const Safetensors *file, Error *err)
{
    for (size_t i = 0; i < parameters_count(tier->parameters); i++) {
        const ParameterInfo *info = parameters_info(tier->parameters, i);
        char name[NAME_ROOM];
        tensor_name(name, tier, info);
        if (safetensors_read_float(file, name, info->rank, info->shape,
                                   (float *)tier->weights + info->offset, err))
            return -1;
    }
    return 0;
}

/* That the file holds as many values as the configuration asks for: before memory is taken on its
 * word. Names and shapes are checked one by one as they are read. */
static int check_sizes(const MelodyModel *model, const Safetensors *file, Error *err)
{
    const Parameters *notes = note_model_parameters(model->notes);
    const Parameters *samples = predictor_net_parameters(model->samples);
    const size_t tensors = parameters_count(notes) + parameters_count(samples);
    const size_t values = parameters_size(notes) + parameters_size(samples);
    return safetensors_check_sizes(file, tensors, values, err);
}

static int read_weights(MelodyModel *model, const Safetensors *file, Error *err)
{
    if (check_sizes(model, file, err) || add_weights(model, err))
        return -1;
    const Tier notes = note_tier(model), samples = sample_tier(model);
    return read_tier(&notes, file, err) || read_tier(&samples, file, err) ? -1 : 0;
}

static MelodyModel *read_model(const Safetensors *file, Error *err)
{
    const char *kind = safetensors_metadata(file, "kind");
    const char *format = safetensors_metadata(file, "format_version");
    const char *json = safetensors_metadata(file, "config");
    if (!kind || strcmp(kind, MELODY_KIND)) {
        error_set(err, "its kind is \"%.60s\", not \"" MELODY_KIND "\": give a melody model",
                  kind ? kind : "missing");
        return NULL;
    }
    if (!format || strcmp(format, MELODY_FORMAT)) {
        error_set(err,
                  "its format version is \"%.60s\"; this Brume reads \"" MELODY_FORMAT
                  "\": use a newer Brume, or train the model again",
                  format ? format : "missing");
        return NULL;
    }
    MelodyConfig config;
    if (!json) {
        error_set(err, "its header holds no \"config\": it was not written by Brume");
        return NULL;
    }
    if (melody_config_parse(json, &config, err))
        return NULL;
    MelodyModel *model = shape_create(&config, err);
    if (model && read_weights(model, file, err)) {
        melody_model_destroy(model);
        return NULL;
    }
    return model;
}

MelodyModel *melody_model_open(const char *path, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    if (!file)
        return NULL;
    MelodyModel *model = read_model(file, err);
    if (!model && err && !strstr(err->message, path))
        error_prefix(err, "%s", path);
    safetensors_destroy(file);
    return model;
}

const MelodyConfig *melody_model_config(const MelodyModel *model)
{
    return &model->config;
}

const NoteModel *melody_model_notes(const MelodyModel *model)
{
    return model->notes;
}

const PredictorNet *melody_model_samples(const MelodyModel *model)
{
    return model->samples;
}

const real *melody_model_note_weights(const MelodyModel *model)
{
    return model->note_weights;
}

const real *melody_model_sample_weights(const MelodyModel *model)
{
    return model->sample_weights;
}

static void set_tier(const Tier *tier, const real *weights)
{
    memcpy(tier->weights, weights, parameters_size(tier->parameters) * sizeof *weights);
}

void melody_model_set_notes(MelodyModel *model, const real *weights)
{
    const Tier tier = note_tier(model);
    set_tier(&tier, weights);
}

void melody_model_set_samples(MelodyModel *model, const real *weights)
{
    const Tier tier = sample_tier(model);
    set_tier(&tier, weights);
}

static int write_tier(const Tier *tier, SafetensorsWriter *writer, bool half, Error *err)
{
    for (size_t i = 0; i < parameters_count(tier->parameters); i++) {
        const ParameterInfo *info = parameters_info(tier->parameters, i);
        char name[NAME_ROOM];
        tensor_name(name, tier, info);
        if (safetensors_writer_tensor(writer, name, info->rank, info->shape,
                                      (const float *)tier->weights + info->offset, half, err))
            return -1;
    }
    return 0;
}

int melody_model_save(const MelodyModel *model, const MelodyCardLine *card, size_t lines, bool half,
                      const char *path, Error *err)
{
    const Tier notes = note_tier(model), samples = sample_tier(model);
    SafetensorsWriter *writer = safetensors_writer_create(err);
    char *json = melody_config_print(&model->config, err);
    int failed = !writer || !json ||
                 safetensors_writer_metadata(writer, "kind", MELODY_KIND, err) ||
                 safetensors_writer_metadata(writer, "format_version", MELODY_FORMAT, err) ||
                 safetensors_writer_metadata(writer, "config", json, err);
    for (size_t i = 0; !failed && i < lines; i++)
        failed = safetensors_writer_metadata(writer, card[i].key, card[i].value, err);
    failed = failed || write_tier(&notes, writer, half, err) ||
             write_tier(&samples, writer, half, err) || safetensors_writer_save(writer, path, err);
    free(json);
    safetensors_writer_destroy(writer);
    return failed ? -1 : 0;
}
