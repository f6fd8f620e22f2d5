#include "models/melody_model.h"

#include "models/melody_condition.h"

#include <jansson.h>
#include <string.h>

static const char *const STRUCTURES[] = {
    [PREDICTOR_RECURRENT] = "recurrent", [PREDICTOR_CONVOLUTION] = "convolution"};

MelodyConfig melody_config_default(void)
{
    return (MelodyConfig){.rate = MELODY_RATE,
                          .notes = note_config_default(),
                          .samples = predictor_config_default(PREDICTOR_RECURRENT)};
}

static int parse_size(const json_t *tier, const char *name, const char *field, size_t *out,
                      Error *err)
{
    const json_t *value = json_object_get(tier, field);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > 1000000)
        return error_set(err, "\"%s\" of \"%s\" in its config is missing or not a size", field,
                         name);
    *out = (size_t)json_integer_value(value);
    return 0;
}

static int parse_notes(const json_t *tier, NoteConfig *c, Error *err)
{
    return parse_size(tier, "notes", "width", &c->width, err) ||
                   parse_size(tier, "notes", "heads", &c->heads, err) ||
                   parse_size(tier, "notes", "layers", &c->layers, err) ||
                   parse_size(tier, "notes", "hidden", &c->hidden, err) ||
                   parse_size(tier, "notes", "reach", &c->reach, err)
               ? -1
               : 0;
}

static int parse_samples(const json_t *tier, PredictorConfig *c, Error *err)
{
    const char *structure = json_string_value(json_object_get(tier, "structure"));
    if (structure && !strcmp(structure, STRUCTURES[PREDICTOR_RECURRENT]))
        c->structure = PREDICTOR_RECURRENT;
    else if (structure && !strcmp(structure, STRUCTURES[PREDICTOR_CONVOLUTION]))
        c->structure = PREDICTOR_CONVOLUTION;
    else
        return error_set(err,
                         "\"structure\" of \"samples\" in its config is neither \"%s\" nor "
                         "\"%s\"",
                         STRUCTURES[PREDICTOR_RECURRENT], STRUCTURES[PREDICTOR_CONVOLUTION]);
    return parse_size(tier, "samples", "hidden", &c->hidden, err) ||
                   parse_size(tier, "samples", "wide", &c->wide, err) ||
                   parse_size(tier, "samples", "narrow", &c->narrow, err)
               ? -1
               : 0;
}

static int parse_config(const json_t *root, MelodyConfig *config, Error *err)
{
    const json_t *notes = json_object_get(root, "notes"),
                 *samples = json_object_get(root, "samples");
    const json_t *rate = json_object_get(root, "rate");
    if (!json_is_integer(rate) || json_integer_value(rate) != MELODY_RATE)
        return error_set(err, "\"rate\" in its config is not %d", MELODY_RATE);
    config->rate = MELODY_RATE;
    if (!json_is_object(notes) || !json_is_object(samples))
        return error_set(err, "\"notes\" or \"samples\" in its config is missing");
    return parse_notes(notes, &config->notes, err) || parse_samples(samples, &config->samples, err)
               ? -1
               : 0;
}

int melody_config_parse(const char *text, MelodyConfig *config, Error *err)
{
    json_error_t fault = {.text = ""};
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &fault);
    memset(config, 0, sizeof *config);
    const int failed = !json_is_object(root)
                           ? error_set(err, "its config is not a JSON object: %s", fault.text)
                           : parse_config(root, config, err);
    json_decref(root);
    return failed;
}

char *melody_config_print(const MelodyConfig *config, Error *err)
{
    const NoteConfig *n = &config->notes;
    const PredictorConfig *s = &config->samples;
    json_t *root = json_pack(
        "{s:I,s:{s:I,s:I,s:I,s:I,s:I},s:{s:s,s:I,s:I,s:I}}", "rate", (json_int_t)config->rate,
        "notes", "width", (json_int_t)n->width, "heads", (json_int_t)n->heads, "layers",
        (json_int_t)n->layers, "hidden", (json_int_t)n->hidden, "reach", (json_int_t)n->reach,
        "samples", "structure", STRUCTURES[s->structure], "hidden", (json_int_t)s->hidden, "wide",
        (json_int_t)s->wide, "narrow", (json_int_t)s->narrow);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        error_set(err, "out of memory for a configuration");
    return text;
}
