/* Shared models: one file is one object, whoever opens it; another file at the same path is
 * another; and nothing stays when nobody refers to it. The source is included, so that a test can
 * act while a file is being read, make memory short, and see the registry. */
#include "plugin/shared_model.h"

#include "models/texture_past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_size_t loads;       /* files read since the test began */
static void (*meanwhile)(void);   /* what happens to a file while it is read */
static int allocations_left = -1; /* until memory is short; -1: it never is */

static TextureModel *open_watched(const char *path, Error *err)
{
    atomic_fetch_add(&loads, 1);
    TextureModel *texture = texture_model_open(path, err);
    if (meanwhile)
        meanwhile();
    return texture;
}

static int memory_short(void)
{
    if (allocations_left > 0)
        allocations_left--;
    else if (allocations_left == 0)
        return 1;
    return 0;
}

static void *calloc_short(size_t count, size_t size)
{
    return memory_short() ? NULL : calloc(count, size);
}

static char *strdup_short(const char *text)
{
    return memory_short() ? NULL : strdup(text);
}

#define texture_model_open open_watched
#define calloc             calloc_short
#define strdup             strdup_short
#include "plugin/shared_model.c"
#undef texture_model_open
#undef calloc
#undef strdup

enum { THREADS = 8, TURNS = 200, BANDS = 16 };

static char folder[] = "/tmp/brume-shared-XXXXXX";
static char path[64], other[64], spare[64];
static char wide[64], narrow[64]; /* two models, of different size */
static char hash_wide[SHA256_ROOM], hash_narrow[SHA256_ROOM];

static SharedModel *model_open(const char *file)
{
    Error err = {""};
    SharedModel *model = shared_model_open(file, SHARED_TEXTURE, &err);
    if (!model)
        fail_msg("%s", err.message);
    assert_string_equal(err.message, "");
    return model;
}

static void open_refused(const char *file, const char *fault)
{
    Error err = {""};
    assert_null(shared_model_open(file, SHARED_TEXTURE, &err));
    assert_non_null(strstr(err.message, file));
    if (!strstr(err.message, fault))
        fail_msg("\"%s\" is not about \"%s\"", err.message, fault);
    assert_null(shared_model_open(file, SHARED_TEXTURE, NULL));
    assert_null(registry.first);
}

/* Writes a small model whose every weight is `value`. */
static int model_save(const char *file, float value, bool half)
{
    TextureConfig config = {.rate = 16000,
                            .frame = 256,
                            .linear = 12,
                            .upper = 4,
                            .top = 7500.0,
                            .denoiser = {.bands = BANDS,
                                         .channels = 16,
                                         .condition = 12,
                                         .classes = 1,
                                         .blocks = 1,
                                         .dilations = {1},
                                         .past = TEXTURE_PAST_VALUES,
                                         .refiner = {.channels = 4, .blocks = 1, .stride = 4}},
                            .prediction = PREDICTION_EPSILON,
                            .schedule = SCHEDULE_LINEAR,
                            .window = 32};
    strcpy(config.classes[0], "rain");
    TextureModel *model = texture_model_create(&config, NULL);
    if (!model)
        return -1;
    const size_t size = parameters_size(denoiser_parameters(texture_model_denoiser(model)));
    for (size_t i = 0; i < size; i++)
        texture_model_weights(model)[i] = value;
    static float frames[500 * BANDS];
    for (size_t i = 0; i < 500 * BANDS; i++)
        frames[i] = -15.0f + 0.01f * (float)(i * 7919 % 500);
    const int failed = normaliser_fit(texture_model_normaliser(model), 0, frames, 500, NULL) ||
                       texture_model_save(model, NULL, 0, half, file, NULL);
    texture_model_destroy(model);
    return failed ? -1 : 0;
}

static void file_copy(const char *from, const char *to)
{
    char command[256];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    assert_int_equal(system(command), 0);
}

/* Another file at `path`: written beside it and renamed, as careful programs do. */
static void file_replace(const char *from)
{
    file_copy(from, spare);
    assert_int_equal(rename(spare, path), 0);
}

static bool model_wide(const SharedModel *model)
{
    return texture_model_values(shared_model_texture(model))[0] == 0.5f;
}

/* That all weights and the hash are those of one file. */
static bool model_whole(const SharedModel *model)
{
    const TextureModel *texture = shared_model_texture(model);
    const real *values = texture_model_values(texture);
    const size_t size = parameters_size(denoiser_parameters(texture_model_denoiser(texture)));
    for (size_t i = 0; i < size; i++)
        if (values[i] != (model_wide(model) ? 0.5f : -0.25f))
            return false;
    return !strcmp(shared_model_hash(model), model_wide(model) ? hash_wide : hash_narrow);
}

static void same_file_is_the_same_object(void **state)
{
    (void)state;
    SharedModel *model = model_open(path);
    SharedModel *again = model_open(path);
    assert_ptr_equal(again, model);
    assert_string_equal(shared_model_path(model), path);
    assert_string_equal(shared_model_hash(model), hash_wide);
    assert_true(model_wide(model));
    assert_int_equal(symlink(path, other), 0);
    SharedModel *linked = model_open(other);
    assert_ptr_equal(linked, model);
    assert_int_equal(loads, 1);
    shared_model_release(linked);
    shared_model_release(again);
    assert_ptr_equal(registry.first, model);
    assert_string_equal(shared_model_hash(model), hash_wide);
    shared_model_release(model);
    assert_null(registry.first);
    model = model_open(path);
    assert_int_equal(loads, 2);
    shared_model_release(model);
}

static void kept_references_are_counted(void **state)
{
    (void)state;
    SharedModel *model = model_open(path);
    assert_ptr_equal(shared_model_keep(model), model);
    shared_model_release(model);
    assert_true(model_whole(model));
    shared_model_release(model);
    assert_null(registry.first);
    shared_model_release(NULL);
}

static void a_copy_is_another_object(void **state)
{
    (void)state;
    file_copy(path, other);
    SharedModel *model = model_open(path), *copy = model_open(other);
    assert_ptr_not_equal(copy, model);
    assert_string_equal(shared_model_path(copy), other);
    assert_string_equal(shared_model_hash(copy), shared_model_hash(model));
    shared_model_release(model);
    assert_ptr_equal(registry.first, copy);
    assert_true(model_whole(copy));
    shared_model_release(copy);
}

static void a_replaced_file_is_another_object(void **state)
{
    (void)state;
    SharedModel *old = model_open(path);
    file_replace(narrow);
    SharedModel *model = model_open(path);
    assert_ptr_not_equal(model, old);
    assert_true(model_wide(old) && model_whole(old));
    assert_true(!model_wide(model) && model_whole(model));
    file_replace(wide);
    SharedModel *third = model_open(path);
    assert_ptr_not_equal(third, old);
    assert_ptr_not_equal(third, model);
    assert_true(model_wide(third) && model_whole(third));
    shared_model_release(model);
    shared_model_release(old);
    shared_model_release(third);
}

/* Written over where it lies, with the same size: only the time tells. */
static void a_rewritten_file_is_another_object(void **state)
{
    (void)state;
    struct stat status;
    SharedModel *old = model_open(path);
    assert_int_equal(stat(path, &status), 0);
    struct timespec times[2] = {status.st_atim, status.st_mtim};
    times[1].tv_nsec = times[1].tv_nsec < 500000000 ? times[1].tv_nsec + 1 : 0;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    SharedModel *model = model_open(path);
    assert_ptr_not_equal(model, old);
    assert_int_equal(loads, 2);
    shared_model_release(old);
    shared_model_release(model);
}

static void an_open_model_needs_its_file_no_more(void **state)
{
    (void)state;
    SharedModel *model = model_open(path);
    assert_int_equal(truncate(path, 0), 0);
    assert_true(model_wide(model) && model_whole(model));
    assert_int_equal(unlink(path), 0);
    assert_true(model_wide(model) && model_whole(model));
    shared_model_release(model);
}

static void replace_once(void)
{
    meanwhile = NULL;
    file_replace(narrow);
}

static void replace_always(void)
{
    file_replace(loads % 2 ? narrow : wide);
}

static void delete_it(void)
{
    unlink(path);
}

static void a_file_that_changes_while_it_is_read(void **state)
{
    (void)state;
    meanwhile = replace_once;
    SharedModel *model = model_open(path);
    assert_int_equal(loads, 2);
    assert_true(!model_wide(model) && model_whole(model));
    shared_model_release(model);
    assert_int_equal(truncate(path, 100), 0); /* a fault in what is replaced is nobody's concern */
    meanwhile = replace_once;
    model = model_open(path);
    assert_true(!model_wide(model) && model_whole(model));
    shared_model_release(model);
    loads = 0;
    meanwhile = replace_always;
    open_refused(path, "was changed while it was read; open it again");
    assert_int_equal(loads, 4); /* twice for each of two calls */
    meanwhile = delete_it;
    open_refused(path, "No such file");
}

static void failures_leave_nothing(void **state)
{
    (void)state;
    open_refused(folder, "folder");
    assert_int_equal(truncate(path, 100), 0);
    open_refused(path, "");
    assert_int_equal(truncate(path, 0), 0);
    open_refused(path, "");
    assert_int_equal(unlink(path), 0);
    open_refused(path, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(60); /* should it wait for a writer after all */
    open_refused(path, "pipe");
    alarm(0);
}

static void short_memory_is_reported(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        Error err = {""};
        allocations_left = n;
        assert_null(shared_model_open(path, SHARED_TEXTURE, &err));
        assert_non_null(strstr(err.message, "out of memory"));
        assert_null(registry.first);
    }
    allocations_left = 2;
    shared_model_release(model_open(path));
    assert_int_equal(allocations_left, 0);
}

/* What a thread found wrong is counted, and looked at when all are done. */
static void *open_and_release(void *argument)
{
    size_t *wrong = argument;
    for (int i = 0; i < TURNS; i++) {
        SharedModel *model = shared_model_open(i % 3 ? path : other, SHARED_TEXTURE, NULL);
        if (!model) {
            ++*wrong;
            continue;
        }
        shared_model_keep(model);
        *wrong += !model_whole(model);
        shared_model_release(model);
        *wrong += strcmp(shared_model_hash(model), i % 3 ? hash_wide : hash_narrow) != 0;
        shared_model_release(model);
    }
    return NULL;
}

static void threads_run(void *(*work)(void *))
{
    pthread_t threads[THREADS];
    size_t wrong[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &wrong[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(wrong[i], 0);
}

static void eight_threads(void **state)
{
    (void)state;
    file_copy(narrow, other);
    threads_run(open_and_release);
    assert_null(registry.first);
    /* Held by somebody, nothing is read again. */
    SharedModel *first = model_open(path), *second = model_open(other);
    loads = 0;
    threads_run(open_and_release);
    assert_int_equal(loads, 0);
    shared_model_release(first);
    shared_model_release(second);
    assert_null(registry.first);
}

static void *open_only(void *argument)
{
    SharedModel *model = shared_model_open(path, SHARED_TEXTURE, NULL);
    *(SharedModel **)argument = model;
    return NULL;
}

static void opened_at_once_it_is_read_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    SharedModel *models[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_only, &models[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(loads, 1);
    for (int i = 0; i < THREADS; i++) {
        assert_ptr_equal(models[i], models[0]);
        assert_non_null(models[i]);
    }
    for (int i = 0; i < THREADS; i++)
        shared_model_release(models[i]);
    assert_null(registry.first);
}

static int models_make(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    snprintf(other, sizeof other, "%s/other.safetensors", folder);
    snprintf(spare, sizeof spare, "%s/spare.safetensors", folder);
    snprintf(wide, sizeof wide, "%s/wide.safetensors", folder);
    snprintf(narrow, sizeof narrow, "%s/narrow.safetensors", folder);
    return model_save(wide, 0.5f, false) || model_save(narrow, -0.25f, true) ||
           sha256_file(wide, hash_wide, NULL) || sha256_file(narrow, hash_narrow, NULL);
}

static int models_remove(void **state)
{
    (void)state;
    unlink(wide);
    unlink(narrow);
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

/* Before each test: the wide model at `path`, nothing at `other`. */
static int files_set(void **state)
{
    (void)state;
    loads = 0;
    meanwhile = NULL;
    allocations_left = -1;
    unlink(path);
    unlink(other);
    file_copy(wide, path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(same_file_is_the_same_object, files_set),
        cmocka_unit_test_setup(kept_references_are_counted, files_set),
        cmocka_unit_test_setup(a_copy_is_another_object, files_set),
        cmocka_unit_test_setup(a_replaced_file_is_another_object, files_set),
        cmocka_unit_test_setup(a_rewritten_file_is_another_object, files_set),
        cmocka_unit_test_setup(an_open_model_needs_its_file_no_more, files_set),
        cmocka_unit_test_setup(a_file_that_changes_while_it_is_read, files_set),
        cmocka_unit_test_setup(failures_leave_nothing, files_set),
        cmocka_unit_test_setup(short_memory_is_reported, files_set),
        cmocka_unit_test_setup(opened_at_once_it_is_read_once, files_set),
        cmocka_unit_test_setup(eight_threads, files_set),
    };
    return cmocka_run_group_tests(tests, models_make, models_remove);
}
