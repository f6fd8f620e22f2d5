#include "models/texture_model.h"

#include "dsp/pages.h"
#include "models/safetensors.h"
#include "models/texture_config.h"

#include <stdlib.h>
#include <string.h>

#define MAPS_TENSOR     "normaliser.quantiles"
#define MEMORIES_TENSOR "memories"
#define MIDDLES_TENSOR  "middles"

struct TextureModel {
    TextureConfig config;
    Bands *bands;
    Denoiser *denoiser;
    Schedule *schedule;
    Normaliser *normaliser;
    float *memories; /* (classes, TEXTURE_MEMORIES, bands) */
    float *middles;  /* (classes, bands) */
    real *weights;
    DenoiserSteps *steps; /* the weights packed; NULL before */
};

/* All that a configuration alone says, without room for what a file holds. */
static TextureModel *shape_create(const TextureConfig *config, Error *err)
{
    if (texture_config_check(config, err))
        return NULL;
    TextureModel *model = calloc(1, sizeof *model);
    if (!model) {
        error_set(err, "out of memory for a model");
        return NULL;
    }
    model->config = *config;
    model->bands = bands_create_hybrid((double)config->rate, config->frame, config->linear,
                                       config->upper, config->top, err);
    model->denoiser = model->bands ? denoiser_create(&config->denoiser, err) : NULL;
    model->schedule = model->denoiser ? schedule_create(config->schedule, 1000, err) : NULL;
    if (!model->schedule) {
        texture_model_destroy(model);
        return NULL;
    }
    return model;
}

static int add_values(TextureModel *model, Error *err)
{
    const DenoiserConfig *c = &model->config.denoiser;
    model->normaliser = normaliser_create(c->classes, c->bands, err);
    if (!model->normaliser)
        return -1;
    model->weights =
        pages_alloc(parameters_size(denoiser_parameters(model->denoiser)), sizeof *model->weights);
    model->memories = calloc(c->classes * TEXTURE_MEMORIES * c->bands, sizeof *model->memories);
    model->middles = calloc(c->classes * c->bands, sizeof *model->middles);
    if (!model->weights || !model->memories || !model->middles)
        return error_set(err, "out of memory for a model's weights");
    return 0;
}

TextureModel *texture_model_create(const TextureConfig *config, Error *err)
{
    TextureModel *model = shape_create(config, err);
    if (model && add_values(model, err)) {
        texture_model_destroy(model);
        return NULL;
    }
    return model;
}

void texture_model_destroy(TextureModel *model)
{
    if (!model)
        return;
    if (model->weights)
        pages_free(model->weights, parameters_size(denoiser_parameters(model->denoiser)),
                   sizeof *model->weights);
    bands_destroy(model->bands);
    denoiser_steps_destroy(model->steps);
    denoiser_destroy(model->denoiser);
    schedule_destroy(model->schedule);
    normaliser_destroy(model->normaliser);
    free(model->memories);
    free(model->middles);
    free(model);
}

/* That the file holds as many values as the configuration asks for: before memory is taken on its
 * word. Names and shapes are checked one by one as they are read. */
static int check_sizes(const TextureModel *model, const Safetensors *file, Error *err)
{
    const DenoiserConfig *c = &model->config.denoiser;
    const Parameters *parameters = denoiser_parameters(model->denoiser);
    const size_t tensors = parameters_count(parameters) + 3;
    const size_t values = parameters_size(parameters) +
                          c->classes * c->bands * (NORMALISER_KNOTS + TEXTURE_MEMORIES + 1);
    return safetensors_check_sizes(file, tensors, values, err);
}

static int read_maps(TextureModel *model, const Safetensors *file, Error *err)
{
    const DenoiserConfig *c = &model->config.denoiser;
    const size_t shape[] = {c->classes, c->bands, NORMALISER_KNOTS};
    float *table = malloc(c->classes * c->bands * NORMALISER_KNOTS * sizeof *table);
    if (!table)
        return error_set(err, "out of memory for a model's quantiles");
    const int failed = safetensors_read_float(file, MAPS_TENSOR, 3, shape, table, err) ||
                       normaliser_set_table(model->normaliser, table, err);
    free(table);
    return failed ? -1 : 0;
}

static int read_memories(TextureModel *model, const Safetensors *file, Error *err)
{
    const DenoiserConfig *c = &model->config.denoiser;
    const size_t shape[] = {c->classes, TEXTURE_MEMORIES, c->bands};
    return safetensors_read_float(file, MEMORIES_TENSOR, 3, shape, model->memories, err);
}

static int read_middles(TextureModel *model, const Safetensors *file, Error *err)
{
    const DenoiserConfig *c = &model->config.denoiser;
    const size_t shape[] = {c->classes, c->bands};
    if (safetensors_read_float(file, MIDDLES_TENSOR, 2, shape, model->middles, err))
        return -1;
    for (size_t i = 0; i < c->classes * c->bands; i++)
        if (!(model->middles[i] >= 0.0f && model->middles[i] <= 1.0f))
            return error_set(err, "its \"" MIDDLES_TENSOR "\" are not all 0 to 1");
    return 0;
}

static int read_weights(TextureModel *model, const Safetensors *file, Error *err)
{
    const Parameters *parameters = denoiser_parameters(model->denoiser);
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        if (safetensors_read_float(file, info->name, info->rank, info->shape,
                                   (float *)model->weights + info->offset, err))
            return -1;
    }
    return 0;
}

static TextureModel *read_model(const Safetensors *file, Error *err)
{
    const char *kind = safetensors_metadata(file, "kind");
    const char *format = safetensors_metadata(file, "format_version");
    const char *json = safetensors_metadata(file, "config");
    if (!kind || strcmp(kind, TEXTURE_KIND)) {
        error_set(err, "its kind is \"%.60s\", not \"" TEXTURE_KIND "\": give a texture model",
                  kind ? kind : "missing");
        return NULL;
    }
    if (format && !strcmp(format, "1")) {
        error_set(err, "it was made by an older Brume (format version \"1\"): train it again");
        return NULL;
    }
    if (!format || strcmp(format, TEXTURE_FORMAT)) {
        error_set(err,
                  "its format version is \"%.60s\"; this Brume reads \"" TEXTURE_FORMAT
                  "\": use a newer Brume, or train the model again",
                  format ? format : "missing");
        return NULL;
    }
    TextureConfig config;
    if (!json) {
        error_set(err, "its header holds no \"config\": it was not written by Brume");
        return NULL;
    }
    if (texture_config_parse(json, &config, err))
        return NULL;
    TextureModel *model = shape_create(&config, err);
    if (model &&
        (check_sizes(model, file, err) || add_values(model, err) || read_maps(model, file, err) ||
         read_memories(model, file, err) || read_middles(model, file, err) ||
         read_weights(model, file, err) || texture_model_pack(model, err))) {
        texture_model_destroy(model);
        return NULL;
    }
    return model;
}

TextureModel *texture_model_open(const char *path, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    if (!file)
        return NULL;
    TextureModel *model = read_model(file, err);
    if (!model && err && !strstr(err->message, path))
        error_prefix(err, "%s", path);
    safetensors_destroy(file);
    return model;
}

const TextureConfig *texture_model_config(const TextureModel *model)
{
    return &model->config;
}

const Bands *texture_model_bands(const TextureModel *model)
{
    return model->bands;
}

const Denoiser *texture_model_denoiser(const TextureModel *model)
{
    return model->denoiser;
}

const Schedule *texture_model_schedule(const TextureModel *model)
{
    return model->schedule;
}

Normaliser *texture_model_normaliser(TextureModel *model)
{
    return model->normaliser;
}

const Normaliser *texture_model_maps(const TextureModel *model)
{
    return model->normaliser;
}

real *texture_model_weights(TextureModel *model)
{
    return model->weights;
}

const real *texture_model_values(const TextureModel *model)
{
    return model->weights;
}

int texture_model_pack(TextureModel *model, Error *err)
{
    if (model->steps)
        denoiser_steps_pack(model->steps, model->weights);
    else
        model->steps = denoiser_steps_create(model->denoiser, model->weights, panels_best(), err);
    return model->steps ? 0 : -1;
}

const DenoiserSteps *texture_model_steps(const TextureModel *model)
{
    return model->steps;
}

int texture_model_playable(const TextureModel *model, Error *err)
{
    return model->steps ? 0 : error_set(err, "the model's weights have not been packed");
}

float *texture_model_memories(TextureModel *model)
{
    return model->memories;
}

const float *texture_model_colours(const TextureModel *model)
{
    return model->memories;
}

float *texture_model_image(TextureModel *model)
{
    return model->middles;
}

const float *texture_model_middles(const TextureModel *model)
{
    return model->middles;
}

size_t texture_model_hop(const TextureModel *model)
{
    return model->config.frame / 4;
}

int texture_model_class(const TextureModel *model, const char *name, Error *err)
{
    const TextureConfig *config = &model->config;
    char names[512] = "";
    for (size_t c = 0; c < config->denoiser.classes; c++) {
        if (!strcmp(config->classes[c], name))
            return (int)c;
        strncat(names, c ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, config->classes[c], sizeof names - strlen(names) - 1);
    }
    return error_set(err, "the model has no class \"%.60s\": it has %s", name, names);
}

static int write_tensors(const TextureModel *model, SafetensorsWriter *writer, int half, Error *err)
{
    const DenoiserConfig *c = &model->config.denoiser;
    const size_t shape[] = {c->classes, c->bands, NORMALISER_KNOTS};
    /* Never as f16: quantiles close together would no longer rise. */
    if (safetensors_writer_tensor(writer, MAPS_TENSOR, 3, shape,
                                  normaliser_table(model->normaliser), false, err))
        return -1;
    const size_t memories[] = {c->classes, TEXTURE_MEMORIES, c->bands};
    if (safetensors_writer_tensor(writer, MEMORIES_TENSOR, 3, memories, model->memories, half, err))
        return -1;
    const size_t middles[] = {c->classes, c->bands};
    if (safetensors_writer_tensor(writer, MIDDLES_TENSOR, 2, middles, model->middles, half, err))
        return -1;
    const Parameters *parameters = denoiser_parameters(model->denoiser);
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        if (safetensors_writer_tensor(writer, info->name, info->rank, info->shape,
                                      (const float *)model->weights + info->offset, half, err))
            return -1;
    }
    return 0;
}

int texture_model_save(const TextureModel *model, const TextureCardLine *card, size_t lines,
                       int half, const char *path, Error *err)
{
    SafetensorsWriter *writer = safetensors_writer_create(err);
    char *json = texture_config_print(&model->config, err);
    int failed = !writer || !json ||
                 safetensors_writer_metadata(writer, "kind", TEXTURE_KIND, err) ||
                 safetensors_writer_metadata(writer, "format_version", TEXTURE_FORMAT, err) ||
                 safetensors_writer_metadata(writer, "config", json, err);
    for (size_t i = 0; !failed && i < lines; i++)
        failed = safetensors_writer_metadata(writer, card[i].key, card[i].value, err);
    failed = failed || write_tensors(model, writer, half, err) ||
             safetensors_writer_save(writer, path, err);
    free(json);
    safetensors_writer_destroy(writer);
    return failed ? -1 : 0;
}
