#include "plugin/uris.h"

#include "plugin/ports.h"

#include <lv2/atom/util.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <lv2/time/time.h>

void uris_map(Uris *uris, LV2_URID_Map *map)
{
    const struct {
        LV2_URID *to;
        const char *uri;
    } all[] = {
        {&uris->atom_Blank, LV2_ATOM__Blank},
        {&uris->atom_Chunk, LV2_ATOM__Chunk},
        {&uris->atom_Double, LV2_ATOM__Double},
        {&uris->atom_Float, LV2_ATOM__Float},
        {&uris->atom_Int, LV2_ATOM__Int},
        {&uris->atom_Long, LV2_ATOM__Long},
        {&uris->atom_Object, LV2_ATOM__Object},
        {&uris->atom_Path, LV2_ATOM__Path},
        {&uris->atom_Sequence, LV2_ATOM__Sequence},
        {&uris->atom_String, LV2_ATOM__String},
        {&uris->atom_URID, LV2_ATOM__URID},
        {&uris->bufsz_maxBlockLength, LV2_BUF_SIZE__maxBlockLength},
        {&uris->midi_MidiEvent, LV2_MIDI__MidiEvent},
        {&uris->patch_Get, LV2_PATCH__Get},
        {&uris->patch_Set, LV2_PATCH__Set},
        {&uris->patch_property, LV2_PATCH__property},
        {&uris->patch_subject, LV2_PATCH__subject},
        {&uris->patch_value, LV2_PATCH__value},
        {&uris->time_Position, LV2_TIME__Position},
        {&uris->time_barBeat, LV2_TIME__barBeat},
        {&uris->time_beatsPerBar, LV2_TIME__beatsPerBar},
        {&uris->time_beatsPerMinute, LV2_TIME__beatsPerMinute},
        {&uris->time_frame, LV2_TIME__frame},
        {&uris->time_speed, LV2_TIME__speed},
        {&uris->plugin, BRUME_URI},
        {&uris->class_, BRUME__class},
        {&uris->models[SHARED_TEXTURE].model, BRUME__model},
        {&uris->models[SHARED_TEXTURE].hash, BRUME__modelHash},
        {&uris->models[SHARED_TEXTURE].name, BRUME__modelName},
        {&uris->models[SHARED_MELODY].model, BRUME__melody},
        {&uris->models[SHARED_MELODY].hash, BRUME__melodyHash},
        {&uris->models[SHARED_MELODY].name, BRUME__melodyName},
        {&uris->morph_class, BRUME__morphClass},
        {&uris->place, BRUME__place},
        {&uris->state_version, BRUME__stateVersion},
        {&uris->status, BRUME__status},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        *all[i].to = map->map(map->handle, all[i].uri);
}

double uris_number(const Uris *uris, const LV2_Atom *atom, double otherwise)
{
    if (!atom)
        return otherwise;
    if (atom->type == uris->atom_Float && atom->size >= sizeof(float))
        return (double)((const LV2_Atom_Float *)atom)->body;
    if (atom->type == uris->atom_Double && atom->size >= sizeof(double))
        return ((const LV2_Atom_Double *)atom)->body;
    if (atom->type == uris->atom_Int && atom->size >= sizeof(int32_t))
        return ((const LV2_Atom_Int *)atom)->body;
    if (atom->type == uris->atom_Long && atom->size >= sizeof(int64_t))
        return (double)((const LV2_Atom_Long *)atom)->body;
    return otherwise;
}
