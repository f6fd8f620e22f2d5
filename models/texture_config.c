#include "models/texture_config.h"

#include "models/texture_past.h"

#include <jansson.h>
#include <string.h>

TextureConfig texture_config_default(size_t classes)
{
    return (TextureConfig){
        .rate = 44100,
        .frame = 2048,
        .linear = 372,
        .upper = 24,
        .top = 20000.0,
        .denoiser = {.bands = 396,
                     .channels = 256,
                     .condition = 256,
                     .classes = classes,
                     .past = TEXTURE_PAST_VALUES,
                     .blocks = 8,
                     .dilations = {1, 2, 4, 8, 16, 32, 1, 2},
                     .refiner = {.channels = 32, .blocks = 4, .stride = 12}},
        .prediction = PREDICTION_V,
        .schedule = SCHEDULE_COSINE,
        .window = 256,
    };
}

static int check_range(const char *field, size_t value, size_t least, size_t most, Error *err)
{
    if (value < least || value > most)
        return error_set(err, "\"%s\" is %zu: %zu to %zu are possible", field, value, least, most);
    return 0;
}

/* A name is shown to people and typed by them: printable UTF-8, and without what --class splits
 * at. */
static int check_name(const char *name, Error *err)
{
    const size_t length = strlen(name);
    json_t *text = json_string(name);
    int good = text && length >= 1 && length < TEXTURE_CLASS_ROOM;
    json_decref(text);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || strchr(",:\"\\", name[i]))
            good = 0;
    return good ? 0
                : error_set(err,
                            "a class's name must have 1 to %d bytes of UTF-8 without comma, colon, "
                            "quote, backslash or control character",
                            TEXTURE_CLASS_ROOM - 1);
}

/* About how many values a stream of two channels works on. */
static size_t working_values(const TextureConfig *config)
{
    const DenoiserConfig *c = &config->denoiser;
    const size_t places = c->bands / c->refiner.stride + 2;
    const size_t coarse = 12 * c->channels + 16 * c->bands;
    const size_t fine = places * (10 * c->refiner.channels + 2 * c->refiner.stride);
    return config->window * (coarse + fine);
}

/* What a stream needs grows with the product of many sizes, each of which is possible alone. */
static int check_working(const TextureConfig *config, Error *err)
{
    if (config->denoiser.refiner.stride < 1)
        return 0; /* the refiner says what is wrong */
    const size_t values = working_values(config);
    return values <= TEXTURE_MOST_WORKING
               ? 0
               : error_set(err,
                           "it works on %zu values at once: up to %zu are possible, with a shorter "
                           "\"window\" or fewer \"channels\"",
                           values, TEXTURE_MOST_WORKING);
}

int texture_config_check(const TextureConfig *config, Error *err)
{
    if (check_range("rate", config->rate, 8000, 192000, err) ||
        check_range("frame", config->frame, 256, 8192, err) ||
        check_range("linear", config->linear, 2, config->frame / 2, err) ||
        check_range("upper", config->upper, 1, config->frame / 2, err) ||
        check_range("window", config->window, 32, 4096, err) ||
        check_range("classes", config->denoiser.classes, 1, TEXTURE_MAX_CLASSES, err))
        return -1;
    if (config->frame & (config->frame - 1))
        return error_set(err, "\"frame\" is %zu: it must be a power of two", config->frame);
    if (config->linear + config->upper != config->denoiser.bands)
        return error_set(err, "\"linear\" and \"upper\" add up to %zu, not to \"bands\", %zu",
                         config->linear + config->upper, config->denoiser.bands);
    if (check_working(config, err))
        return -1;
    if (config->denoiser.past != TEXTURE_PAST_VALUES)
        return error_set(err, "\"past\" is %zu: it must be %d", config->denoiser.past,
                         TEXTURE_PAST_VALUES);
    for (size_t i = 0; i < config->denoiser.classes; i++) {
        if (config->classes[i][0] && check_name(config->classes[i], err))
            return error_prefix(err, "class \"%s\"", config->classes[i]);
        for (size_t j = 0; j < i; j++)
            if (config->classes[i][0] && !strcmp(config->classes[i], config->classes[j]))
                return error_set(err, "class \"%s\" is there twice", config->classes[i]);
    }
    return 0;
}

static int parse_size(const json_t *root, const char *field, size_t *out, Error *err)
{
    const json_t *value = json_object_get(root, field);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > 1000000)
        return error_set(err, "\"%s\" in its config is missing or not a size", field);
    *out = (size_t)json_integer_value(value);
    return 0;
}

static int parse_refiner(const json_t *root, RefinerConfig *refiner, Error *err)
{
    return parse_size(root, "refiner_channels", &refiner->channels, err) ||
                   parse_size(root, "refiner_blocks", &refiner->blocks, err) ||
                   parse_size(root, "refiner_stride", &refiner->stride, err)
               ? -1
               : 0;
}

static int parse_dilations(const json_t *root, DenoiserConfig *denoiser, Error *err)
{
    const json_t *list = json_object_get(root, "dilations");
    denoiser->blocks = json_array_size(list);
    if (denoiser->blocks < 1 || denoiser->blocks > DENOISER_MAX_BLOCKS)
        return error_set(err, "\"dilations\" in its config is not a list of 1 to %d sizes",
                         DENOISER_MAX_BLOCKS);
    for (size_t i = 0; i < denoiser->blocks; i++) {
        const json_int_t value = json_integer_value(json_array_get(list, i));
        if (value < 1 || value > 1024)
            return error_set(err, "\"dilations\"[%zu] in its config is not 1 to 1024", i);
        denoiser->dilations[i] = (size_t)value;
    }
    return 0;
}

static int parse_classes(const json_t *root, TextureConfig *config, Error *err)
{
    const json_t *list = json_object_get(root, "classes");
    const size_t n = json_array_size(list);
    if (n < 1 || n > TEXTURE_MAX_CLASSES)
        return error_set(err, "\"classes\" in its config is not a list of 1 to %d names",
                         TEXTURE_MAX_CLASSES);
    config->denoiser.classes = n;
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name)
            return error_set(err, "\"classes\"[%zu] in its config is not a name", i);
        if (check_name(name, err))
            return error_prefix(err, "\"classes\"[%zu] in its config", i);
        strcpy(config->classes[i], name);
    }
    return 0;
}

static int parse_names(const json_t *root, TextureConfig *config, Error *err)
{
    const char *prediction = json_string_value(json_object_get(root, "prediction"));
    const char *schedule = json_string_value(json_object_get(root, "schedule"));
    const json_t *top = json_object_get(root, "top");
    if (!prediction || !schedule)
        return error_set(err, "\"prediction\" or \"schedule\" is missing in its config");
    if (!json_is_number(top))
        return error_set(err, "\"top\" in its config is missing or not a number");
    config->top = json_number_value(top);
    return prediction_parse(prediction, &config->prediction, err) ||
                   schedule_kind_parse(schedule, &config->schedule, err)
               ? -1
               : 0;
}

int texture_config_parse(const char *text, TextureConfig *config, Error *err)
{
    json_error_t fault;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &fault);
    if (!json_is_object(root)) {
        json_decref(root);
        return error_set(err, "its config is not a JSON object: %s", fault.text);
    }
    memset(config, 0, sizeof *config);
    const int failed = parse_size(root, "rate", &config->rate, err) ||
                       parse_size(root, "frame", &config->frame, err) ||
                       parse_size(root, "linear", &config->linear, err) ||
                       parse_size(root, "upper", &config->upper, err) ||
                       parse_size(root, "bands", &config->denoiser.bands, err) ||
                       parse_size(root, "channels", &config->denoiser.channels, err) ||
                       parse_size(root, "condition", &config->denoiser.condition, err) ||
                       parse_size(root, "window", &config->window, err) ||
                       parse_size(root, "past", &config->denoiser.past, err) ||
                       parse_refiner(root, &config->denoiser.refiner, err) ||
                       parse_dilations(root, &config->denoiser, err) ||
                       parse_classes(root, config, err) || parse_names(root, config, err) ||
                       texture_config_check(config, err);
    json_decref(root);
    return failed ? -1 : 0;
}

char *texture_config_print(const TextureConfig *config, Error *err)
{
    const DenoiserConfig *denoiser = &config->denoiser;
    json_t *dilations = json_array(), *classes = json_array();
    for (size_t i = 0; i < denoiser->blocks; i++)
        json_array_append_new(dilations, json_integer((json_int_t)denoiser->dilations[i]));
    for (size_t i = 0; i < denoiser->classes; i++)
        json_array_append_new(classes, json_string(config->classes[i]));
    json_t *root = json_pack(
        "{s:I,s:I,s:I,s:I,s:f,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:I,s:s,s:s,s:I,s:o}", "rate",
        (json_int_t)config->rate, "frame", (json_int_t)config->frame, "linear",
        (json_int_t)config->linear, "upper", (json_int_t)config->upper, "top", config->top, "bands",
        (json_int_t)denoiser->bands, "channels", (json_int_t)denoiser->channels, "condition",
        (json_int_t)denoiser->condition, "dilations", dilations, "past", (json_int_t)denoiser->past,
        "refiner_channels", (json_int_t)denoiser->refiner.channels, "refiner_blocks",
        (json_int_t)denoiser->refiner.blocks, "refiner_stride",
        (json_int_t)denoiser->refiner.stride, "prediction", prediction_name(config->prediction),
        "schedule", schedule_kind_name(config->schedule), "window", (json_int_t)config->window,
        "classes", classes);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        error_set(err, "out of memory, or a class name that is not UTF-8");
    return text;
}
