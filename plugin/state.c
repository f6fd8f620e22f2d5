#include "plugin/state.h"

#include "plugin/worker.h"

#include <lv2/core/lv2_util.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes of a place: four times what the shipped models need. */
#define MOST_PLACE ((size_t)4 << 20)

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
static LV2_State_Status save_path(const Brume *self, const Store *store, LV2_URID key,
                                  const char *path, const LV2_Feature *const *features)
{
    const PathFeatures paths = path_features(features);
    struct stat there;
    char *abstract =
        paths.map && !stat(path, &there) ? paths.map->abstract_path(paths.map->handle, path) : NULL;
    const LV2_State_Status status =
        store_text(store, key, self->uris.atom_Path, abstract ? abstract : path);
    if (abstract)
        path_free(&paths, abstract);
    return status;
}

/* "11 rain", into text (CHOICE_CLASS,): what a knob stands for by now. Empty before the first
 * block, or if another model came in between. */
static void name_class(Brume *self, size_t knob, char *text)
{
    const uint32_t told = atomic_load(&self->classes) >> (16 * knob);
    const unsigned number = told >> 8 & 0xff, class_ = told & 0xff;
    text[0] = '\0';
    if (!self->known || atomic_load(&self->classes_of) != self->known)
        return;
    const TextureConfig *config = texture_model_config(shared_model_texture(self->known));
    if (class_ < config->denoiser.classes)
        snprintf(text, CHOICE_CLASS, "%u %s", number, config->classes[class_]);
}

/* Copies what a session is to store of a kind of model from under the lock. */
static Choice take_choice(Brume *self, SharedKind kind)
{
    pthread_mutex_lock(&self->lock);
    Choice choice = self->kept[kind];
    for (size_t k = 0; k < CLASS_KNOBS && kind == SHARED_TEXTURE; k++) {
        char name[CHOICE_CLASS];
        name_class(self, k, name);
        if (name[0])
            memcpy(choice.classes[k], name, sizeof name);
    }
    pthread_mutex_unlock(&self->lock);
    return choice;
}

static void put_place(Brume *self, Place place)
{
    pthread_mutex_lock(&self->lock);
    void *before = self->place.bytes;
    self->place = place;
    pthread_mutex_unlock(&self->lock);
    free(before);
}

void state_forget_place(Brume *self)
{
    put_place(self, (Place){NULL, 0});
}

static LV2_State_Status store_place(const Brume *self, const Store *store, const void *bytes,
                                    size_t size)
{
    return store->call(store->handle, self->uris.place, bytes, size, self->uris.atom_Chunk,
                       PORTABLE);
}

/* Where the sound is; or, if nothing was heard yet, where it is to go on. */
static LV2_State_Status save_place(Brume *self, const Store *store)
{
    LV2_State_Status status = LV2_STATE_SUCCESS;
    pthread_mutex_lock(&self->lock);
    const bool pending = self->place.bytes && !atomic_load(&self->sounded);
    if (pending)
        status = store_place(self, store, self->place.bytes, self->place.size);
    pthread_mutex_unlock(&self->lock);
    if (pending || !self->generator || !atomic_load(&self->lasting))
        return status;
    Packer packer = {0};
    if (generator_pack(self->generator, &packer))
        status = store_place(self, store, packer.bytes, packer.size);
    free(packer.bytes);
    return status;
}

/* What a model is known by. */
static LV2_State_Status save_model(const Brume *self, const Store *store, const Choice *choice,
                                   SharedKind kind, const LV2_Feature *const *features)
{
    const ModelUris *keys = &self->uris.models[kind];
    LV2_State_Status status = LV2_STATE_SUCCESS;
    if (choice->name[0])
        status = store_text(store, keys->name, self->uris.atom_String, choice->name);
    if (!status && choice->hash[0])
        status = store_text(store, keys->hash, self->uris.atom_String, choice->hash);
    if (!status && choice->path[0])
        status = save_path(self, store, keys->model, choice->path, features);
    return status;
}

/* A session without a melody model of its own can be read by those who know of none. */
static int32_t version_for(const Choice *melody)
{
    return melody->name[0] || melody->path[0] ? CHOICE_VERSION : CHOICE_VERSION - 1;
}

static LV2_State_Status save(LV2_Handle handle, LV2_State_Store_Function call,
                             LV2_State_Handle call_handle, uint32_t flags,
                             const LV2_Feature *const *features)
{
    (void)flags;
    Brume *self = handle;
    const Store store = {call, call_handle};
    const Choice choice = take_choice(self, SHARED_TEXTURE);
    const Choice melody = take_choice(self, SHARED_MELODY);
    const int32_t version = version_for(&melody);
    LV2_State_Status status = call(call_handle, self->uris.state_version, &version, sizeof version,
                                   self->uris.atom_Int, PORTABLE);
    if (!status)
        status = save_model(self, &store, &choice, SHARED_TEXTURE, features);
    if (!status)
        status = save_model(self, &store, &melody, SHARED_MELODY, features);
    const LV2_URID keys[CLASS_KNOBS] = {self->uris.class_, self->uris.morph_class};
    for (size_t k = 0; k < CLASS_KNOBS && !status; k++)
        if (choice.classes[k][0])
            status = store_text(&store, keys[k], self->uris.atom_String, choice.classes[k]);
    return status ? status : save_place(self, &store);
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

static void retrieve_model(const Brume *self, const Retrieve *retrieve, Choice *choice,
                           const LV2_Feature *const *features)
{
    const ModelUris *keys = &self->uris.models[choice->kind];
    const LV2_URID string = self->uris.atom_String;
    const PathFeatures paths = path_features(features);
    char stored[CHOICE_PATH];
    retrieve_text(retrieve, keys->name, string, choice->name, sizeof choice->name);
    retrieve_text(retrieve, keys->hash, string, choice->hash, sizeof choice->hash);
    if (!retrieve_text(retrieve, keys->model, self->uris.atom_Path, stored, sizeof stored))
        return;
    char *absolute = paths.map ? paths.map->absolute_path(paths.map->handle, stored) : NULL;
    snprintf(choice->path, sizeof choice->path, "%s", absolute ? absolute : stored);
    if (absolute)
        path_free(&paths, absolute);
}

/* A place that does not fit is found out about when it is taken up; one that is absurdly long is
 * none. */
static void retrieve_place(Brume *self, const Retrieve *retrieve)
{
    size_t size = 0;
    uint32_t type = 0, flags = 0;
    const void *value = retrieve->call(retrieve->handle, self->uris.place, &size, &type, &flags);
    Place place = {NULL, 0};
    if (value && type == self->uris.atom_Chunk && size > 0 && size <= MOST_PLACE)
        place = (Place){malloc(size), size};
    if (place.bytes)
        memcpy(place.bytes, value, size);
    put_place(self, place);
}

static LV2_State_Status restore(LV2_Handle handle, LV2_State_Retrieve_Function call,
                                LV2_State_Handle call_handle, uint32_t flags,
                                const LV2_Feature *const *features)
{
    (void)flags;
    Brume *self = handle;
    const Retrieve retrieve = {call, call_handle};
    const LV2_Worker_Schedule *schedule = lv2_features_data(features, LV2_WORKER__schedule);
    Choice choice = {.kind = SHARED_TEXTURE, .session = true};
    Choice melody = {.kind = SHARED_MELODY, .session = true};
    retrieve_version(self, &retrieve, &choice);
    melody.version = choice.version;
    retrieve_model(self, &retrieve, &choice, features);
    retrieve_model(self, &retrieve, &melody, features);
    retrieve_text(&retrieve, self->uris.class_, self->uris.atom_String, choice.classes[0],
                  sizeof choice.classes[0]);
    retrieve_text(&retrieve, self->uris.morph_class, self->uris.atom_String, choice.classes[1],
                  sizeof choice.classes[1]);
    if (!self->active)
        retrieve_place(self, &retrieve);
    /* A preset of controls alone leaves the models as they are. */
    if (choice.version || choice.name[0] || choice.path[0])
        worker_restore(self, &choice, schedule);
    if (choice.version || melody.name[0] || melody.path[0])
        worker_restore(self, &melody, schedule);
    return LV2_STATE_SUCCESS;
}

const LV2_State_Interface *state_interface(void)
{
    static const LV2_State_Interface interface = {save, restore};
    return &interface;
}
