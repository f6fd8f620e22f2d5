#include "plugin/notify.h"

#include <string.h>

/* What a patch:Set takes beside its value: event, object, three keys and their URIDs, padding. */
#define SET_OVERHEAD 160

/* patch:Set of `property`, whose value is a path or a string of n bytes. False if the host's buffer
 * has no room for it: then with a later block. */
static bool write_set(Brume *self, LV2_URID property, LV2_URID type, const char *text, size_t n)
{
    const Uris *uris = &self->uris;
    LV2_Atom_Forge *forge = &self->forge;
    LV2_Atom_Forge_Frame frame;
    if (forge->size - forge->offset < n + SET_OVERHEAD)
        return false;
    lv2_atom_forge_frame_time(forge, 0);
    lv2_atom_forge_object(forge, &frame, 0, uris->patch_Set);
    lv2_atom_forge_key(forge, uris->patch_subject);
    lv2_atom_forge_urid(forge, uris->plugin);
    lv2_atom_forge_key(forge, uris->patch_property);
    lv2_atom_forge_urid(forge, property);
    lv2_atom_forge_key(forge, uris->patch_value);
    if (type == uris->atom_Path)
        lv2_atom_forge_path(forge, text, (uint32_t)n);
    else
        lv2_atom_forge_string(forge, text, (uint32_t)n);
    lv2_atom_forge_pop(forge, &frame);
    return true;
}

void notify_write(Brume *self)
{
    LV2_Atom_Sequence *out = self->ports[PORT_NOTIFY];
    if (!out)
        return;
    /* The host says how much room there is in the size of the atom that lies in the buffer. */
    const uint32_t room = out->atom.size;
    LV2_Atom_Forge_Frame frame;
    lv2_atom_forge_set_buffer(&self->forge, (uint8_t *)out, room);
    if (!lv2_atom_forge_sequence_head(&self->forge, &frame, 0)) {
        out->atom.size = 0;
        return;
    }
    for (SharedKind kind = 0; kind < SHARED_KINDS; kind++) {
        const char *path = brume_model_path(self, kind);
        if (self->slots[kind].wanted && path)
            self->slots[kind].wanted = !write_set(self, self->uris.models[kind].model,
                                                  self->uris.atom_Path, path, strlen(path));
    }
    if (self->status.changed)
        self->status.changed = !write_set(self, self->uris.status, self->uris.atom_String,
                                          self->status.text, self->status.length);
    lv2_atom_forge_pop(&self->forge, &frame);
}
