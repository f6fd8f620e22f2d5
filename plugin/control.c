#include "plugin/control.h"

#include "plugin/atoms.h"
#include "plugin/mix.h"
#include "plugin/settings.h"
#include "plugin/worker.h"

#include <math.h>
#include <string.h>

static bool freewheels(Brume *self)
{
    return settings_control(self, PORT_FREEWHEEL) > 0.5f;
}

void control_begin_block(Brume *self, uint32_t frames)
{
    if (self->promised > 0 && frames > self->promised)
        status_complain(&self->status, COMPLAINT_BLOCK);
    if (self->generator)
        generator_begin_block(self->generator, frames, freewheels(self));
}

void control_knobs(Brume *self)
{
    const bool freewheel = freewheels(self);
    if (freewheel && !self->freewheel) {
        mix_rewind(self);
        delay_reset(self->delay);
    }
    self->freewheel = freewheel;
    self->sync = (Sync)lroundf(settings_control(self, PORT_SYNC));
    mix_aim(self);
    const bool go = settings_control(self, PORT_GO) > 0.0f;
    if (go && !self->go)
        mix_start(self);
    self->go = go;
}

static void position_take(Brume *self, const LV2_Atom_Object *position)
{
    const bool starts = transport_update(&self->transport, &self->uris, position);
    if (starts && self->freewheel)
        mix_rewind(self);
}

/* A patch message to another subject is not for us. */
static bool is_subject(const Brume *self, const LV2_Atom *subject)
{
    return !subject || atoms_urid(subject, self->uris.atom_URID) == self->uris.plugin;
}

/* Which kind of model is set or asked for by that property; SHARED_KINDS: none. */
static SharedKind model_kind(const Brume *self, LV2_URID key)
{
    SharedKind kind = SHARED_TEXTURE;
    while (kind < SHARED_KINDS && key != self->uris.models[kind].model)
        kind++;
    return kind;
}

static void model_set(Brume *self, SharedKind kind, const LV2_Atom *value)
{
    const bool is_text =
        value && (value->type == self->uris.atom_Path || value->type == self->uris.atom_String);
    const char *text = is_text ? LV2_ATOM_BODY_CONST(value) : "";
    const size_t length = is_text ? strnlen(text, value->size) : CHOICE_PATH;
    if (length >= CHOICE_PATH)
        status_complain(&self->status, COMPLAINT_PATH);
    else
        worker_load(self, kind, text, length);
}

static void patch_take(Brume *self, const LV2_Atom_Object *object)
{
    const Uris *uris = &self->uris;
    if (!is_subject(self, atoms_value(object, uris->patch_subject)))
        return;
    const LV2_Atom *property = atoms_value(object, uris->patch_property);
    const LV2_URID key = atoms_urid(property, uris->atom_URID);
    const SharedKind asked = model_kind(self, key);
    if (object->body.otype == uris->patch_Get) {
        for (SharedKind kind = 0; kind < SHARED_KINDS; kind++)
            self->slots[kind].wanted |= !property || kind == asked;
        self->status.changed |= !property || key == uris->status;
    } else if (asked < SHARED_KINDS) {
        model_set(self, asked, atoms_value(object, uris->patch_value));
    }
}

void control_event(Brume *self, const LV2_Atom_Event *event)
{
    const Uris *uris = &self->uris;
    const LV2_Atom *body = &event->body;
    if (body->type == uris->midi_MidiEvent) {
        if (self->mode != MODE_TEXTURE)
            return;
        const bool silent = ramp_silent(&self->voice.level);
        if (voice_midi(&self->voice, LV2_ATOM_BODY_CONST(body), body->size)) {
            self->restart = true;
            self->hush |= silent;
            self->start_pending = false; /* the key overrules what waits for the beat */
            self->start_wait = 0;
        }
    } else if ((body->type == uris->atom_Object || body->type == uris->atom_Blank) &&
               body->size >= sizeof(LV2_Atom_Object_Body)) {
        const LV2_Atom_Object *object = (const LV2_Atom_Object *)body;
        if (object->body.otype == uris->time_Position)
            position_take(self, object);
        else if (object->body.otype == uris->patch_Set || object->body.otype == uris->patch_Get)
            patch_take(self, object);
    }
}
