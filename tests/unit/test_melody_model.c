/* Melody models: what is saved is opened again, and whatever is wrong in a file is refused in a
 * message that names file and fault. */
#include "models/melody_model.h"

#include "models/half.h"
#include "models/safetensors.h"

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

static char folder[64], path[128];

static const char CONFIG[] = "{\"rate\":16000,"
                             "\"notes\":{\"width\":16,\"heads\":2,\"layers\":2,\"hidden\":24,"
                             "\"reach\":12},"
                             "\"samples\":{\"structure\":\"convolution\",\"hidden\":8,\"wide\":8,"
                             "\"narrow\":8}}";

static float noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*seed >> 11) / 4503599627370496.0 - 1.0);
}

static size_t note_size(const MelodyModel *model)
{
    return parameters_size(note_model_parameters(melody_model_notes(model)));
}

static size_t sample_size(const MelodyModel *model)
{
    return parameters_size(predictor_net_parameters(melody_model_samples(model)));
}

/* A model whose weights have all their digits. */
static MelodyModel *small_model(void)
{
    Error err = {""};
    MelodyConfig config;
    if (melody_config_parse(CONFIG, &config, &err))
        fail_msg("%s", err.message);
    MelodyModel *model = melody_model_create(&config, &err);
    if (!model)
        fail_msg("%s", err.message);
    uint64_t seed = 7;
    const size_t most = note_size(model) + sample_size(model);
    float *weights = malloc(most * sizeof *weights);
    assert_non_null(weights);
    for (size_t i = 0; i < most; i++)
        weights[i] = 0.4f * noise(&seed);
    melody_model_set_notes(model, weights);
    melody_model_set_samples(model, weights + note_size(model));
    free(weights);
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

static void saved_models_are_opened_again(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        Error err = {""};
        MelodyModel *model = small_model();
        const MelodyCardLine card[] = {{"licence", "CC0"}, {"bits_per_sample", "6.5"}};
        if (melody_model_save(model, card, 2, half, path, &err))
            fail_msg("%s", err.message);
        MelodyModel *opened = melody_model_open(path, &err);
        if (!opened)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < note_size(model); i++)
            assert_true(melody_model_note_weights(opened)[i] ==
                        stored(melody_model_note_weights(model)[i], half));
        for (size_t i = 0; i < sample_size(model); i++)
            assert_true(melody_model_sample_weights(opened)[i] ==
                        stored(melody_model_sample_weights(model)[i], half));
        const MelodyConfig *got = melody_model_config(opened), *was = melody_model_config(model);
        assert_memory_equal(&got->notes, &was->notes, sizeof was->notes);
        assert_memory_equal(&got->samples, &was->samples, sizeof was->samples);
        assert_int_equal(got->rate, 16000);
        Safetensors *file = safetensors_open(path, &err);
        assert_non_null(file);
        assert_string_equal(safetensors_metadata(file, "kind"), "brume.melody");
        assert_string_equal(safetensors_metadata(file, "config"), CONFIG);
        assert_string_equal(safetensors_metadata(file, "bits_per_sample"), "6.5");
        safetensors_destroy(file);
        melody_model_destroy(opened);
        melody_model_destroy(model);
    }
    melody_model_destroy(NULL);
}

/* What is changed in an otherwise good file. */
typedef struct Change {
    const char *kind, *format, *config; /* NULL: as it should be; "": left out */
    const char *without;                /* tensor that is left out */
    const char *renamed;                /* tensor under another name */
    const char *reshaped;               /* tensor with its shape turned around */
} Change;

static void set(SafetensorsWriter *writer, const char *key, const char *change, const char *good)
{
    if (!change || *change)
        assert_int_equal(safetensors_writer_metadata(writer, key, change ? change : good, NULL), 0);
}

static void put_tier(SafetensorsWriter *writer, const char *prefix, const Parameters *parameters,
                     const float *weights, const Change *change)
{
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, info->name);
        size_t shape[3] = {info->shape[0], info->shape[1], info->shape[2]};
        if (change->without && !strcmp(change->without, name))
            continue;
        if (change->reshaped && !strcmp(change->reshaped, name)) {
            shape[0] = info->shape[1];
            shape[1] = info->shape[0];
        }
        if (change->renamed && !strcmp(change->renamed, name))
            strcpy(name, "other");
        assert_int_equal(safetensors_writer_tensor(writer, name, info->rank, shape,
                                                   weights + info->offset, false, NULL),
                         0);
    }
}

static void write_changed(const Change *change)
{
    MelodyModel *model = small_model();
    SafetensorsWriter *writer = safetensors_writer_create(NULL);
    assert_non_null(writer);
    set(writer, "kind", change->kind, "brume.melody");
    set(writer, "format_version", change->format, "1");
    set(writer, "config", change->config, CONFIG);
    put_tier(writer, "notes.", note_model_parameters(melody_model_notes(model)),
             melody_model_note_weights(model), change);
    put_tier(writer, "samples.", predictor_net_parameters(melody_model_samples(model)),
             melody_model_sample_weights(model), change);
    assert_int_equal(safetensors_writer_save(writer, path, NULL), 0);
    safetensors_writer_destroy(writer);
    melody_model_destroy(model);
}

static void refuse(const char *word)
{
    Error err = {""};
    MelodyModel *model = melody_model_open(path, &err);
    if (model)
        fail_msg("opened, though wrong: %s", word);
    if (!strstr(err.message, path) || !strstr(err.message, word))
        fail_msg("neither the file nor \"%s\" in: %s", word, err.message);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    const struct {
        Change change;
        const char *word;
    } cases[] = {
        {{.kind = "brume.texture"}, "give a melody model"},
        {{.kind = ""}, "missing"},
        {{.format = "2"}, "newer Brume"},
        {{.format = ""}, "format version is \"missing\""},
        {{.config = ""}, "no \"config\""},
        {{.without = "notes.in.pitch"}, "tensors where"},
        {{.without = "samples.told.weight"}, "where"},
        {{.renamed = "notes.in.pitch"}, "notes.in.pitch"},
        {{.reshaped = "notes.in.pitch"}, "notes.in.pitch"},
    };
    const Change none = {0};
    write_changed(&none);
    MelodyModel *model = melody_model_open(path, NULL);
    assert_non_null(model);
    char samples[128];
    snprintf(samples, sizeof samples, "samples.%s",
             parameters_info(predictor_net_parameters(melody_model_samples(model)), 0)->name);
    melody_model_destroy(model);
    for (size_t i = 0; i < COUNT(cases); i++) {
        Change change = cases[i].change;
        if (change.without && !strncmp(change.without, "samples", 7))
            change.without = samples;
        write_changed(&change);
        refuse(cases[i].word);
    }
}

/* Each field missing, of another type, out of range, or more than the file holds. */
static void wrong_configurations_are_refused(void **state)
{
    (void)state;
    static const char *const fields[] = {"rate",  "width", "heads", "layers",
                                         "reach", "wide",  "narrow"};
    static const char *const values[] = {"-1",      "0",    "\"a\"", "1e99",
                                         "1000001", "null", "[]",    "0.5"};
    for (size_t f = 0; f < COUNT(fields); f++)
        for (size_t v = 0; v < COUNT(values); v++) {
            char config[512], key[32];
            snprintf(key, sizeof key, "\"%s\":", fields[f]);
            const char *at = strstr(CONFIG, key);
            assert_non_null(at);
            const size_t start = (size_t)(at - CONFIG) + strlen(key);
            const size_t end = start + strcspn(CONFIG + start, ",}");
            snprintf(config, sizeof config, "%.*s%s%s", (int)start, CONFIG, values[v],
                     CONFIG + end);
            const Change change = {.config = config};
            write_changed(&change);
            refuse("");
        }
    const char *const whole[] = {"{", "[]", "{}", "{\"rate\":16000,\"notes\":1,\"samples\":2}",
                                 "{\"rate\":16000,\"rate\":16000}"};
    for (size_t i = 0; i < COUNT(whole); i++) {
        const Change change = {.config = whole[i]};
        write_changed(&change);
        refuse("config");
    }
    /* A hundred million weights promised, a few thousand there: told before memory is taken. */
    const Change large = {
        .config = "{\"rate\":16000,\"notes\":{\"width\":1024,\"heads\":2,\"layers\":2,\"hidden\":"
                  "4096,\"reach\":12},\"samples\":{\"structure\":\"convolution\",\"hidden\":8,"
                  "\"wide\":8,\"narrow\":8}}"};
    write_changed(&large);
    refuse("values where its configuration asks for");
}

/* A good file with every byte of its beginning changed, and cut anywhere, is opened or refused. */
static void spoilt_files_do_no_harm(void **state)
{
    (void)state;
    MelodyModel *model = small_model();
    assert_int_equal(melody_model_save(model, NULL, 0, true, path, NULL), 0);
    melody_model_destroy(model);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static unsigned char bytes[1 << 20];
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 10000 && size < sizeof bytes);
    for (size_t i = 0; i < 1200; i++) {
        const unsigned char kept = bytes[i];
        bytes[i] = (unsigned char)(i % 3 ? kept ^ 1u << i % 8 : 0);
        file = fopen(path, "wb");
        assert_int_equal(fwrite(bytes, 1, i % 4 ? size : size - 1 - i * (size / 1201), file),
                         i % 4 ? size : size - 1 - i * (size / 1201));
        fclose(file);
        Error err = {""};
        model = melody_model_open(path, &err);
        assert_true(model || strstr(err.message, path));
        assert_true(i % 4 || !model);
        melody_model_destroy(model);
        bytes[i] = kept;
    }
    /* The last value not a number. */
    bytes[size - 1] = 0x7e;
    bytes[size - 2] = 0x01;
    file = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    refuse("NaN");
}

static int folder_make(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/brume-melody-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/m.safetensors", folder);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_models_are_opened_again),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(wrong_configurations_are_refused),
        cmocka_unit_test(spoilt_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
