/* A session's or preset's state, as a host hands it over: any value, of any type and size, under
 * each key. Then the state is saved again. Input: for each property a byte for its type and one for
 * its size, then that many bytes. */
#include "tests/fuzz/fuzz.h"

#include "plugin/uris.h"
#include "tests/fuzz/instance.h"

#include <lv2/atom/atom.h>
#include <lv2/state/state.h>

#include <stdlib.h>
#include <string.h>

enum { PROPERTIES = 10 };

typedef struct Property {
    LV2_URID key, type;
    char *value;
    size_t size;
} Property;

typedef struct State {
    Property properties[PROPERTIES];
} State;

static const void *retrieve(LV2_State_Handle handle, uint32_t key, size_t *size, uint32_t *type,
                            uint32_t *flags)
{
    const State *state = handle;
    *flags = LV2_STATE_IS_POD;
    for (int i = 0; i < PROPERTIES; i++)
        if (state->properties[i].key == key && state->properties[i].value) {
            *size = state->properties[i].size;
            *type = state->properties[i].type;
            return state->properties[i].value;
        }
    return NULL;
}

/* What is stored must be text that ends, a number, or the bytes of a place. */
static LV2_State_Status store(LV2_State_Handle handle, uint32_t key, const void *value, size_t size,
                              uint32_t type, uint32_t flags)
{
    LV2_URID_Map *map = handle;
    (void)key;
    (void)flags;
    if (type != map->map(map->handle, LV2_ATOM__Int) &&
        type != map->map(map->handle, LV2_ATOM__Chunk) &&
        (size == 0 || strnlen(value, size) != size - 1))
        abort();
    return LV2_STATE_SUCCESS;
}

static LV2_URID type_of(const Uris *uris, uint8_t byte)
{
    const LV2_URID types[] = {uris->atom_Int, uris->atom_Path, uris->atom_String, byte};
    return types[byte % 4];
}

static void fill(State *state, const Uris *uris, const uint8_t *bytes, size_t size)
{
    /* In the order of the corpus: more may be added at the end. */
    const ModelUris *texture = &uris->models[SHARED_TEXTURE];
    const ModelUris *melody = &uris->models[SHARED_MELODY];
    const LV2_URID keys[PROPERTIES] = {
        uris->state_version, texture->name, texture->hash, texture->model, uris->class_,
        uris->morph_class,   uris->place,   melody->name,  melody->hash,   melody->model};
    size_t at = 0;
    for (int i = 0; i < PROPERTIES && size - at >= 2; i++) {
        const uint8_t type = bytes[at++];
        size_t length = bytes[at++];
        if (length == 255) /* all that there is */
            length = size;
        length = length < size - at ? length : size - at;
        char *value = malloc(length ? length : 1);
        if (!value)
            abort();
        memcpy(value, bytes + at, length);
        at += length;
        const LV2_URID known =
            keys[i] == uris->place && type % 2 == 0 ? uris->atom_Chunk : type_of(uris, type);
        state->properties[i] = (Property){keys[i], known, value, length};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Uris uris;
    State state = {{{0}}};
    const LV2_Feature *const features[] = {NULL};
    uris_map(&uris, instance_map());
    fill(&state, &uris, bytes, size);
    LV2_Handle plugin = instance_open();
    const LV2_State_Interface *interface =
        instance_descriptor()->extension_data(LV2_STATE__interface);
    interface->restore(plugin, retrieve, &state, 0, features);
    interface->save(plugin, store, instance_map(), LV2_STATE_IS_POD, features);
    instance_descriptor()->cleanup(plugin);
    for (int i = 0; i < PROPERTIES; i++)
        free(state.properties[i].value);
    return 0;
}
