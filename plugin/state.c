#include "plugin/state.h"

#include "plugin/worker.h"

#include <lv2/core/lv2_util.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PORTABLE (LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE)

typedef struct PathFeatures {
    LV2_State_Map_Path *map;
    LV2_State_Free_Path *free;
} PathFeatures;

static PathFeatures path_features(const LV2_Feature *const *features)
{
    return (PathFeatures){.map = lv2_features_data(features, LV2_STATE__mapPath),
                          .free = lv2_features_data(features, LV2_STATE__freePath)};
}

static void path_free(const PathFeatures *paths, char *path)
{
    if (paths->free)
        paths->free->free_path(paths->free->handle, path);
    else
        free(path);
}

typedef struct Store {
    LV2_State_Store_Function call;
    LV2_State_Handle handle;
} Store;

static LV2_State_Status store_text(const Store *store, LV2_URID key, LV2_URID type,
                                   const char *text)
{
    return store->call(store->handle, key, text, strlen(text) + 1, type, PORTABLE);
}

/* Abstract, so that the session can move; as it is where the host maps no paths, and where the file
 * is missing, for then the host would have nothing to map. */
static LV2_State_Status save_path(const Brume *self, const Store *store, const char *path,
                                  const LV2_Feature *const *features)
{
    const PathFeatures paths = path_features(features);
    struct stat there;
    char *abstract =
        paths.map && !stat(path, &there) ? paths.map->abstract_path(paths.map->handle, path) : NULL;
    const LV2_State_Status status =
        store_text(store, self->uris.model, self->uris.atom_Path, abstract ? abstract : path);
    if (abstract)
        path_free(&paths, abstract);
    return status;
}

static LV2_State_Status save(LV2_Handle handle, LV2_State_Store_Function call,
                             LV2_State_Handle call_handle, uint32_t flags,
                             const LV2_Feature *const *features)
{
    (void)flags;
    Brume *self = handle;
    const Store store = {call, call_handle};
    const int32_t version = CHOICE_VERSION;
    pthread_mutex_lock(&self->lock);
    const Choice choice = self->kept;
    pthread_mutex_unlock(&self->lock);
    LV2_State_Status status = call(call_handle, self->uris.state_version, &version, sizeof version,
                                   self->uris.atom_Int, PORTABLE);
    if (!status && choice.name[0])
        status = store_text(&store, self->uris.model_name, self->uris.atom_String, choice.name);
    if (!status && choice.hash[0])
        status = store_text(&store, self->uris.model_hash, self->uris.atom_String, choice.hash);
    if (!status && choice.path[0])
        status = save_path(self, &store, choice.path, features);
    return status;
}

typedef struct Retrieve {
    LV2_State_Retrieve_Function call;
    LV2_State_Handle handle;
} Retrieve;

/* A property of that type, cut to `room` and terminated. False if there is none. */
static bool retrieve_text(const Retrieve *retrieve, LV2_URID key, LV2_URID type, char *to,
                          size_t room)
{
    size_t size = 0;
    uint32_t found = 0, flags = 0;
    const char *value = retrieve->call(retrieve->handle, key, &size, &found, &flags);
    if (!value || found != type)
        return false;
    const size_t n = strnlen(value, size < room ? size : room - 1);
    memcpy(to, value, n);
    to[n] = '\0';
    return n > 0;
}

static void retrieve_version(const Brume *self, const Retrieve *retrieve, Choice *choice)
{
    size_t size = 0;
    uint32_t type = 0, flags = 0;
    const void *value =
        retrieve->call(retrieve->handle, self->uris.state_version, &size, &type, &flags);
    if (value && type == self->uris.atom_Int && size == sizeof choice->version)
        memcpy(&choice->version, value, sizeof choice->version);
}

static void retrieve_path(const Brume *self, const Retrieve *retrieve, Choice *choice,
                          const LV2_Feature *const *features)
{
    const PathFeatures paths = path_features(features);
    char stored[CHOICE_PATH];
    if (!retrieve_text(retrieve, self->uris.model, self->uris.atom_Path, stored, sizeof stored))
        return;
    char *absolute = paths.map ? paths.map->absolute_path(paths.map->handle, stored) : NULL;
    snprintf(choice->path, sizeof choice->path, "%s", absolute ? absolute : stored);
    if (absolute)
        path_free(&paths, absolute);
}

static LV2_State_Status restore(LV2_Handle handle, LV2_State_Retrieve_Function call,
                                LV2_State_Handle call_handle, uint32_t flags,
                                const LV2_Feature *const *features)
{
    (void)flags;
    Brume *self = handle;
    const Retrieve retrieve = {call, call_handle};
    Choice choice = {.session = true};
    retrieve_version(self, &retrieve, &choice);
    retrieve_text(&retrieve, self->uris.model_name, self->uris.atom_String, choice.name,
                  sizeof choice.name);
    retrieve_text(&retrieve, self->uris.model_hash, self->uris.atom_String, choice.hash,
                  sizeof choice.hash);
    retrieve_path(self, &retrieve, &choice, features);
    /* A preset of controls alone leaves the model as it is. */
    if (choice.version || choice.name[0] || choice.path[0])
        worker_restore(self, &choice, lv2_features_data(features, LV2_WORKER__schedule));
    return LV2_STATE_SUCCESS;
}

const LV2_State_Interface *state_interface(void)
{
    static const LV2_State_Interface interface = {save, restore};
    return &interface;
}
