#include "plugin/shared_model.h"

#include "dsp/sha256.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ATTEMPTS 2 /* at a file that changes while it is read */

/* What a file is known by; whoever replaces or rewrites it changes one of these. And as what it is
 * read. */
typedef struct FileKey {
    SharedKind kind;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
} FileKey;

struct SharedModel {
    SharedModel *next; /* this and the references: under the registry's lock */
    size_t references;
    FileKey key;
    pthread_mutex_t loading; /* held while the file is read; the rest is filled under it, once */
    TextureModel *texture;   /* one of the two, once it is loaded */
    MelodyModel *melody;
    char *path;
    char hash[SHA256_ROOM];
};

/* All models that are open in the process. The one global that is written: instances of a plugin
 * share nothing else that could hold it. Its lock is never held while a file is read, so that a
 * reference can be given back at any time. */
static struct {
    pthread_mutex_t lock;
    SharedModel *first;
} registry = {PTHREAD_MUTEX_INITIALIZER, NULL};

static int key_get(const char *path, SharedKind kind, FileKey *key, Error *err)
{
    struct stat status;
    if (stat(path, &status) < 0) {
        error_set(err, "%.400s: cannot be found (%s); check the path and its permissions", path,
                  strerror(errno));
        return -1;
    }
    *key = (FileKey){kind, status.st_dev, status.st_ino, status.st_size, status.st_mtim};
    return 0;
}

static bool key_same(const FileKey *a, const FileKey *b)
{
    return a->kind == b->kind && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static SharedModel *entry_create(const FileKey *key)
{
    SharedModel *model = calloc(1, sizeof *model);
    if (model && pthread_mutex_init(&model->loading, NULL)) {
        free(model);
        return NULL;
    }
    if (model)
        model->key = *key;
    return model;
}

static void entry_destroy(SharedModel *model)
{
    pthread_mutex_destroy(&model->loading);
    texture_model_destroy(model->texture);
    melody_model_destroy(model->melody);
    free(model->path);
    free(model);
}

/* A reference to the entry of that file, which is a new and empty one if there was none. */
static SharedModel *entry_take(const FileKey *key, Error *err)
{
    pthread_mutex_lock(&registry.lock);
    SharedModel *model = registry.first;
    while (model && !key_same(&model->key, key))
        model = model->next;
    if (!model && (model = entry_create(key))) {
        model->next = registry.first;
        registry.first = model;
    }
    if (model)
        model->references++;
    pthread_mutex_unlock(&registry.lock);
    if (!model)
        error_set(err, "out of memory for a model; close other programs");
    return model;
}

typedef enum Outcome { LOADED, CHANGED, FAILED } Outcome;

static bool entry_loaded(const SharedModel *model)
{
    return model->texture || model->melody;
}

static void entry_open(SharedModel *model, const char *path, Error *err)
{
    if (model->key.kind == SHARED_TEXTURE)
        model->texture = texture_model_open(path, err);
    else
        model->melody = melody_model_open(path, err);
}

static void entry_close(SharedModel *model)
{
    texture_model_destroy(model->texture);
    melody_model_destroy(model->melody);
    model->texture = NULL;
    model->melody = NULL;
}

/* Under `loading`. The file is read twice, by its path: what was read is one and the same if the
 * key is the entry's before and after. */
static Outcome entry_load(SharedModel *model, const char *path, Error *err)
{
    entry_open(model, path, err);
    const bool read = entry_loaded(model) && sha256_file(path, model->hash, err) == 0;
    FileKey key;
    const bool changed = key_get(path, model->key.kind, &key, NULL) || !key_same(&key, &model->key);
    model->path = read && !changed ? strdup(path) : NULL;
    if (model->path)
        return LOADED;
    if (read && !changed)
        error_set(err, "out of memory for a model's path; close other programs");
    entry_close(model);
    return changed ? CHANGED : FAILED;
}

SharedModel *shared_model_open(const char *path, SharedKind kind, Error *err)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        FileKey key;
        SharedModel *model = key_get(path, kind, &key, err) ? NULL : entry_take(&key, err);
        if (!model)
            return NULL;
        Error fault = {""};
        pthread_mutex_lock(&model->loading);
        const Outcome outcome = entry_loaded(model) ? LOADED : entry_load(model, path, &fault);
        pthread_mutex_unlock(&model->loading);
        if (outcome == LOADED)
            return model;
        shared_model_release(model);
        if (outcome == FAILED) {
            error_set(err, "%s", fault.message);
            return NULL;
        }
    }
    error_set(err, "%.400s: was changed while it was read; open it again when it is complete",
              path);
    return NULL;
}

SharedModel *shared_model_keep(SharedModel *model)
{
    pthread_mutex_lock(&registry.lock);
    model->references++;
    pthread_mutex_unlock(&registry.lock);
    return model;
}

void shared_model_release(SharedModel *model)
{
    if (!model)
        return;
    pthread_mutex_lock(&registry.lock);
    const bool last = --model->references == 0;
    if (last) {
        SharedModel **at = &registry.first;
        while (*at != model)
            at = &(*at)->next;
        *at = model->next;
    }
    pthread_mutex_unlock(&registry.lock);
    if (last)
        entry_destroy(model);
}

const TextureModel *shared_model_texture(const SharedModel *model)
{
    return model->texture;
}

const MelodyModel *shared_model_melody(const SharedModel *model)
{
    return model->melody;
}

const char *shared_model_path(const SharedModel *model)
{
    return model->path;
}

const char *shared_model_hash(const SharedModel *model)
{
    return model->hash;
}
