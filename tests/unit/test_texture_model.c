/* Texture models: what is saved is opened again, and whatever is wrong in a file is refused in a
 * message that names file and fault. */
#include "models/texture_model.h"
#include "models/texture_past.h"

#include "models/half.h"
#include "models/safetensors.h"
#include "models/texture_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { CLASSES = 2, BANDS = 48, FIELDS = 17 };

static char folder[64], path[128];

/* The fields of a small configuration as they stand in a file. */
static const char *const FIELD_NAMES[FIELDS] = {"rate",
                                                "frame",
                                                "linear",
                                                "upper",
                                                "top",
                                                "bands",
                                                "channels",
                                                "condition",
                                                "dilations",
                                                "past",
                                                "refiner_channels",
                                                "refiner_blocks",
                                                "refiner_stride",
                                                "prediction",
                                                "schedule",
                                                "window",
                                                "classes"};
static const char *const FIELD_VALUES[FIELDS] = {"16000",
                                                 "256",
                                                 "40",
                                                 "8",
                                                 "7500.0",
                                                 "48",
                                                 "16",
                                                 "12",
                                                 "[1,2]",
                                                 "144",
                                                 "4",
                                                 "1",
                                                 "4",
                                                 "\"epsilon\"",
                                                 "\"linear\"",
                                                 "32",
                                                 "[\"rain\",\"waves\"]"};

static TextureConfig small_config(void)
{
    TextureConfig config = {.rate = 16000,
                            .frame = 256,
                            .linear = 40,
                            .upper = 8,
                            .top = 7500.0,
                            .denoiser = {.bands = BANDS,
                                         .channels = 16,
                                         .condition = 12,
                                         .classes = CLASSES,
                                         .blocks = 2,
                                         .dilations = {1, 2},
                                         .past = TEXTURE_PAST_VALUES,
                                         .refiner = {.channels = 4, .blocks = 1, .stride = 4}},
                            .prediction = PREDICTION_EPSILON,
                            .schedule = SCHEDULE_LINEAR,
                            .window = 32};
    strcpy(config.classes[0], "rain");
    strcpy(config.classes[1], "waves");
    return config;
}

static float noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*seed >> 11) / 4503599627370496.0 - 1.0);
}

/* A model whose weights and quantiles have all their digits; a band of class 0 is silent. */
static TextureModel *small_model(void)
{
    Error err = {""};
    const TextureConfig config = small_config();
    TextureModel *model = texture_model_create(&config, &err);
    if (!model)
        fail_msg("%s", err.message);
    uint64_t seed = 5;
    const size_t size = parameters_size(denoiser_parameters(texture_model_denoiser(model)));
    for (size_t i = 0; i < size; i++)
        texture_model_weights(model)[i] = 0.3f * noise(&seed);
    for (size_t i = 0; i < CLASSES * TEXTURE_MEMORIES * BANDS; i++)
        texture_model_memories(model)[i] = noise(&seed);
    static float frames[500 * BANDS];
    for (size_t c = 0; c < CLASSES; c++) {
        for (size_t i = 0; i < COUNT(frames); i++)
            frames[i] = c == 0 && i % BANDS == 3 ? -23.02585f : -15.0f + 4.0f * noise(&seed);
        assert_int_equal(normaliser_fit(texture_model_normaliser(model), c, frames, 500, NULL), 0);
    }
    return model;
}

static TextureModel *open_saved(void)
{
    Error err = {""};
    TextureModel *model = texture_model_open(path, &err);
    if (!model)
        fail_msg("%s", err.message);
    return model;
}

/* As f16 a value goes to the nearest binary16. */
static float stored(float value, bool half)
{
    uint16_t bits;
    if (!half)
        return value;
    half_from_float(&value, &bits, 1);
    half_to_float(&bits, &value, 1);
    return value;
}

static void check_saved(bool half)
{
    Error err = {""};
    TextureModel *model = small_model();
    const TextureCardLine card[] = {{"licence", "CC0"}, {"sources", "two \"quoted\" pêches"}};
    if (texture_model_save(model, card, 2, half, path, &err))
        fail_msg("%s", err.message);
    TextureModel *opened = open_saved();
    const size_t size = parameters_size(denoiser_parameters(texture_model_denoiser(opened)));
    for (size_t i = 0; i < size; i++)
        assert_true(texture_model_values(opened)[i] ==
                    stored(texture_model_values(model)[i], half));
    for (size_t i = 0; i < CLASSES * TEXTURE_MEMORIES * BANDS; i++)
        assert_true(texture_model_colours(opened)[i] ==
                    stored(texture_model_colours(model)[i], half));
    assert_memory_equal(normaliser_table(texture_model_maps(opened)),
                        normaliser_table(texture_model_maps(model)),
                        CLASSES * BANDS * NORMALISER_KNOTS * sizeof(float));
    const TextureConfig wanted = small_config(), *got = texture_model_config(opened);
    assert_memory_equal(got->classes, wanted.classes, sizeof wanted.classes);
    assert_memory_equal(&got->denoiser, &wanted.denoiser, sizeof wanted.denoiser);
    assert_true(got->rate == wanted.rate && got->frame == wanted.frame &&
                got->linear == wanted.linear && got->upper == wanted.upper &&
                got->top == wanted.top && got->window == wanted.window &&
                got->prediction == wanted.prediction && got->schedule == wanted.schedule);
    assert_int_equal(bands_count(texture_model_bands(opened)), BANDS);
    assert_int_equal(schedule_steps(texture_model_schedule(opened)), 1000);
    assert_int_equal(texture_model_hop(opened), 64);
    Safetensors *file = safetensors_open(path, &err);
    assert_non_null(file);
    assert_string_equal(safetensors_metadata(file, "licence"), "CC0");
    assert_string_equal(safetensors_metadata(file, "sources"), "two \"quoted\" pêches");
    safetensors_destroy(file);
    texture_model_destroy(opened);
    texture_model_destroy(model);
}

static void what_is_saved_is_opened_again(void **state)
{
    (void)state;
    check_saved(false);
    check_saved(true);
    texture_model_destroy(NULL);
}

static void configurations_come_back_from_text(void **state)
{
    (void)state;
    Error err = {""};
    TextureConfig config = texture_config_default(3), again;
    config.top = 19999.0 + 1.0 / 3.0;
    strcpy(config.classes[0], "mer agitée");
    strcpy(config.classes[1], "0");
    memset(config.classes[2], 'x', TEXTURE_CLASS_ROOM - 1);
    assert_int_equal(texture_config_check(&config, &err), 0);
    char *text = texture_config_print(&config, &err);
    assert_non_null(text);
    if (texture_config_parse(text, &again, &err))
        fail_msg("%s", err.message);
    assert_true(again.top == config.top);
    assert_memory_equal(again.classes, config.classes, sizeof config.classes);
    assert_memory_equal(&again.denoiser, &config.denoiser, sizeof config.denoiser);
    free(text);
}

/* What to write otherwise than a right file. */
typedef struct Change {
    const char *kind, *format, *config; /* NULL: as it should be; "": left out */
    const char *tensor;                 /* this one is ... */
    const char *as;                     /* written under this name (NULL: left out) ... */
    size_t more;                        /* and with so much more in its first size */
    bool extra;                         /* a tensor more */
    bool wide;                          /* a middle of more than all energy */
    bool flat;                          /* quantiles that do not rise */
} Change;

static void put_text(SafetensorsWriter *writer, const char *key, const char *right,
                     const char *given)
{
    if (!given || *given)
        assert_int_equal(safetensors_writer_metadata(writer, key, given ? given : right, NULL), 0);
}

static void put_tensor(SafetensorsWriter *writer, const Change *change, const char *name,
                       size_t rank, const size_t *shape, const float *values)
{
    const bool changed = change->tensor && !strcmp(change->tensor, name);
    if (changed && !change->as)
        return;
    size_t sizes[3], elements = 1;
    for (size_t i = 0; i < rank; i++) {
        sizes[i] = shape[i];
        elements *= shape[i];
    }
    const size_t more = changed ? change->more * (elements / shape[0]) : 0;
    sizes[0] += changed ? change->more : 0;
    float *copy = calloc(elements + more, sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, values, elements * sizeof *copy);
    assert_int_equal(safetensors_writer_tensor(writer, changed ? change->as : name, rank, sizes,
                                               copy, false, NULL),
                     0);
    free(copy);
}

static char *right_config(void)
{
    const TextureConfig config = small_config();
    char *text = texture_config_print(&config, NULL);
    assert_non_null(text);
    return text;
}

/* A model's file, right but for the change, at `path`. */
static void write_file(const Change *change)
{
    TextureModel *model = small_model();
    SafetensorsWriter *writer = safetensors_writer_create(NULL);
    assert_non_null(writer);
    char *config = right_config();
    put_text(writer, "kind", TEXTURE_KIND, change->kind);
    put_text(writer, "format_version", TEXTURE_FORMAT, change->format);
    put_text(writer, "config", config, change->config);
    static float table[CLASSES * BANDS * NORMALISER_KNOTS];
    memcpy(table, normaliser_table(texture_model_maps(model)), sizeof table);
    if (change->flat)
        table[100] = table[101];
    put_tensor(writer, change, "normaliser.quantiles", 3,
               (size_t[]){CLASSES, BANDS, NORMALISER_KNOTS}, table);
    put_tensor(writer, change, "memories", 3, (size_t[]){CLASSES, TEXTURE_MEMORIES, BANDS},
               texture_model_colours(model));
    texture_model_image(model)[5] = change->wide ? 1.5f : 1.0f;
    put_tensor(writer, change, "middles", 2, (size_t[]){CLASSES, BANDS},
               texture_model_middles(model));
    const Parameters *parameters = denoiser_parameters(texture_model_denoiser(model));
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        put_tensor(writer, change, info->name, info->rank, info->shape,
                   texture_model_values(model) + info->offset);
    }
    if (change->extra)
        put_tensor(writer, change, "extra", 1, (size_t[]){1}, (float[]){1.0f});
    assert_int_equal(safetensors_writer_save(writer, path, NULL), 0);
    safetensors_writer_destroy(writer);
    free(config);
    texture_model_destroy(model);
}

/* Opening `path` fails in one line that holds the path once, and the word. */
static void check_refused(const char *word)
{
    Error err = {""};
    assert_null(texture_model_open(path, NULL));
    TextureModel *model = texture_model_open(path, &err);
    if (model)
        fail_msg("opened in spite of: %s", word);
    const char *found = strstr(err.message, path);
    if (!found || strstr(found + 1, path) || !strstr(err.message, word) ||
        strchr(err.message, '\n'))
        fail_msg("\"%s\" is not told with the file: %s", word, err.message);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    const struct {
        Change change;
        const char *word;
    } cases[] = {
        {{.kind = ""}, "\"missing\""},
        {{.kind = "brume.texture.checkpoint"}, "\"brume.texture.checkpoint\""},
        {{.format = ""}, "format version is \"missing\""},
        {{.format = "1"}, "older Brume"},
        {{.format = "3"}, "format version is \"3\""},
        {{.config = ""}, "\"config\""},
        {{.config = "rate 44100"}, "not a JSON object"},
        {{.config = "[]"}, "not a JSON object"},
        {{.config = "{\"rate\":44100,\"rate\":44100}"}, "not a JSON object: duplicate"},
        {{.config = "{}"}, "\"rate\""},
        {{.extra = true}, "tensors where its configuration asks for"},
        {{.tensor = "in.bias"}, "tensors where its configuration asks for"},
        {{.tensor = "in.bias", .as = "in.bios"}, "'in.bias'"},
        {{.tensor = "normaliser.quantiles", .as = "quantiles"}, "'normaliser.quantiles'"},
        {{.tensor = "memories", .as = "memory"}, "'memories'"},
        {{.tensor = "in.bias", .as = "in.bias", .more = 1}, "has shape [17] where [16]"},
        {{.tensor = "out.weight", .as = "out.weight", .more = 2}, "has shape [50, 16] where"},
        {{.tensor = "memories", .as = "memories", .more = 1}, "has shape [3, 32, 48] where"},
        {{.tensor = "normaliser.quantiles", .as = "normaliser.quantiles", .more = 1},
         "has shape [3, 48, 33] where [2, 48, 33]"},
        {{.wide = true}, "\"middles\" are not all 0 to 1"},
        {{.flat = true}, "class 0, band 3 do not rise"},
    };
    write_file(&(Change){.kind = NULL});
    texture_model_destroy(open_saved());
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_file(&cases[i].change);
        check_refused(cases[i].word);
    }
}

/* The configuration with one field given otherwise, or left out (NULL); to be freed. */
static char *config_with(const char *field, const char *value)
{
    char *text = malloc(4096);
    assert_non_null(text);
    size_t used = (size_t)snprintf(text, 4096, "{");
    for (size_t i = 0; i < FIELDS; i++) {
        const bool changed = !strcmp(field, FIELD_NAMES[i]);
        if (changed && !value)
            continue;
        used += (size_t)snprintf(text + used, 4096 - used, "%s\"%s\":%s", used > 1 ? "," : "",
                                 FIELD_NAMES[i], changed ? value : FIELD_VALUES[i]);
    }
    snprintf(text + used, 4096 - used, "}");
    return text;
}

static void check_config_refused(const char *field, const char *value, const char *word)
{
    char *config = config_with(field, value);
    write_file(&(Change){.config = config});
    check_refused(word);
    free(config);
}

static void wrong_fields_are_refused(void **state)
{
    (void)state;
    char *config = config_with("", NULL), *right = right_config();
    assert_string_equal(config, right);
    write_file(&(Change){.config = config});
    texture_model_destroy(open_saved());
    free(config), free(right);
    for (size_t i = 0; i < FIELDS; i++) {
        char quoted[32];
        snprintf(quoted, sizeof quoted, "\"%s\"", FIELD_NAMES[i]);
        check_config_refused(FIELD_NAMES[i], NULL, quoted);
        check_config_refused(FIELD_NAMES[i], "null", quoted);
        check_config_refused(FIELD_NAMES[i], "{}", quoted);
        check_config_refused(FIELD_NAMES[i], "true", quoted);
    }
    const char *sizes[] = {"rate",  "frame",    "linear",    "upper",
                           "bands", "channels", "condition", "window"};
    const char *no_sizes[] = {
        "-1", "2.5", "\"256\"", "[]", "1e3", "1000001", "9223372036854775807"};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t j = 0; j < COUNT(no_sizes); j++)
            check_config_refused(sizes[i], no_sizes[j], sizes[i]);
    const struct {
        const char *field, *value, *word;
    } cases[] = {
        {"rate", "7999", "\"rate\" is 7999: 8000 to 192000"},
        {"rate", "192001", "\"rate\""},
        {"frame", "128", "\"frame\" is 128"},
        {"frame", "16384", "\"frame\" is 16384"},
        {"frame", "300", "power of two"},
        {"linear", "0", "\"linear\" is 0"},
        {"linear", "129", "\"linear\" is 129"},
        {"upper", "0", "\"upper\" is 0"},
        {"upper", "9", "add up to 49, not to \"bands\", 48"},
        {"bands", "49", "not to \"bands\", 49"},
        {"top", "\"7500\"", "\"top\""},
        {"top", "0", "up to 0 Hz"},
        {"top", "-7500", "Hz"},
        {"top", "2500", "Hz"},
        {"top", "8001", "Hz"},
        {"top", "1e300", "Hz"},
        {"channels", "7", "7 channels"},
        {"channels", "2049", "2049 channels"},
        {"condition", "7", "condition of 7"},
        {"condition", "2049", "condition of 2049"},
        {"window", "31", "\"window\" is 31"},
        {"window", "4097", "\"window\" is 4097"},
        {"dilations", "[]", "\"dilations\""},
        {"dilations", "[1,0]", "\"dilations\"[1]"},
        {"dilations", "[1025]", "\"dilations\"[0]"},
        {"dilations", "[1.5]", "\"dilations\"[0]"},
        {"dilations", "[\"1\"]", "\"dilations\"[0]"},
        {"dilations", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
         "\"dilations\""},
        {"prediction", "\"x0\"", "x0"},
        {"prediction", "1", "\"prediction\""},
        {"schedule", "\"quadratic\"", "quadratic"},
        {"schedule", "[]", "\"schedule\""},
        {"classes", "[]", "\"classes\""},
        {"classes", "\"rain\"", "\"classes\""},
        {"classes", "[\"rain\",2]", "\"classes\"[1]"},
        {"classes", "[\"rain\",\"\"]", "\"classes\"[1]"},
        {"classes", "[\"rain,waves\",\"sea\"]", "\"classes\"[0]"},
        {"classes", "[\"rain\",\"a:b\"]", "\"classes\"[1]"},
        {"classes", "[\"rain\",\"a\\\"b\"]", "\"classes\"[1]"},
        {"classes", "[\"rain\",\"a\\nb\"]", "\"classes\"[1]"},
        {"classes", "[\"rain\",\"a\\u0000b\"]", "config"},
        {"classes", "[\"rain\",\"rain\"]", "\"rain\" is there twice"},
        {"classes",
         "[\"rain\",\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]",
         "\"classes\"[1]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_config_refused(cases[i].field, cases[i].value, cases[i].word);
    char many[1024] = "[\"0\"";
    for (int i = 1; i <= TEXTURE_MAX_CLASSES; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), ",\"%d\"", i);
    strcat(many, "]");
    check_config_refused("classes", many, "1 to 64 names");
}

/* Each size is possible, but not all of them together: a stream would take gigabytes. */
static void a_network_that_needs_too_much_is_refused(void **state)
{
    (void)state;
    Error err = {""};
    TextureConfig config = texture_config_default(1);
    config.window = 4096;
    assert_int_equal(texture_config_check(&config, &err), -1);
    assert_non_null(strstr(err.message, "values at once"));
    config.window = 512;
    assert_int_equal(texture_config_check(&config, &err), 0);
    config.denoiser.channels = 2048; /* fits, but for its weights */
    assert_int_equal(texture_config_check(&config, &err), 0);
    assert_null(texture_model_create(&config, &err));
    assert_non_null(strstr(err.message, "a network of"));
}

static void files_cut_short_are_refused(void **state)
{
    (void)state;
    write_file(&(Change){.kind = NULL});
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    const off_t cuts[] = {status.st_size - 1, status.st_size / 2, 4000, 100, 8, 7, 0};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        assert_int_equal(truncate(path, cuts[i]), 0);
        check_refused("bytes");
    }
    assert_int_equal(unlink(path), 0);
    check_refused("cannot be opened");
    assert_int_equal(mkdir(path, 0700), 0);
    check_refused("a folder");
    assert_int_equal(rmdir(path), 0);
}

static void what_cannot_be_opened_is_not_made(void **state)
{
    (void)state;
    char longest[TEXTURE_CLASS_ROOM];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *good[] = {"mer agitée", longest, "a b-c_d", "雨"};
    const char *bad[] = {"a,b", "a:b", "a\"b", "a\\b", "a\tb", "a\x7f", "a\xff", "a\xc3"};
    for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
        Error err = {""};
        TextureConfig config = small_config();
        const bool is_good = i < COUNT(good);
        strcpy(config.classes[1], is_good ? good[i] : bad[i - COUNT(good)]);
        TextureModel *model = texture_model_create(&config, &err);
        if (is_good && !model)
            fail_msg("%s", err.message);
        if (!is_good && (model || !strstr(err.message, "class \"")))
            fail_msg("case %zu: %s", i, model ? "was made" : err.message);
        texture_model_destroy(model);
    }
    Error err = {""};
    TextureConfig config = small_config();
    strcpy(config.classes[1], config.classes[0]);
    assert_null(texture_model_create(&config, &err));
    assert_non_null(strstr(err.message, "twice"));
}

static void failed_saves_leave_nothing(void **state)
{
    (void)state;
    Error err = {""};
    TextureModel *model = small_model();
    char nowhere[128];
    snprintf(nowhere, sizeof nowhere, "%s/nowhere/model.safetensors", folder);
    assert_int_equal(texture_model_save(model, NULL, 0, 1, nowhere, &err), -1);
    assert_non_null(strstr(err.message, nowhere));
    /* What is not finite cannot be opened, so it is not written over what can. */
    assert_int_equal(texture_model_save(model, NULL, 0, 1, path, &err), 0);
    texture_model_weights(model)[7] = NAN;
    assert_int_equal(texture_model_save(model, NULL, 0, 1, path, &err), -1);
    texture_model_destroy(open_saved());
    assert_int_equal(unlink(path), 0);
    texture_model_destroy(model);
}

static void classes_are_found_by_name(void **state)
{
    (void)state;
    Error err = {""};
    TextureModel *model = small_model();
    assert_int_equal(texture_model_class(model, "rain", &err), 0);
    assert_int_equal(texture_model_class(model, "waves", &err), 1);
    assert_int_equal(texture_model_class(model, "", &err), -1);
    assert_int_equal(texture_model_class(model, "Rain", &err), -1);
    assert_non_null(strstr(err.message, "\"Rain\""));
    assert_non_null(strstr(err.message, "rain, waves"));
    texture_model_destroy(model);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/brume-test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    return 0;
}

/* Nothing but `path` may have been left. */
static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_opened_again),
        cmocka_unit_test(configurations_come_back_from_text),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(wrong_fields_are_refused),
        cmocka_unit_test(a_network_that_needs_too_much_is_refused),
        cmocka_unit_test(files_cut_short_are_refused),
        cmocka_unit_test(what_cannot_be_opened_is_not_made),
        cmocka_unit_test(failed_saves_leave_nothing),
        cmocka_unit_test(classes_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
