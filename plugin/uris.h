/* The URIs that the plugin speaks, mapped once when it is instantiated. */
#ifndef BRUME_PLUGIN_URIS_H
#define BRUME_PLUGIN_URIS_H

#include "plugin/shared_model.h"

#include <lv2/atom/atom.h>
#include <lv2/urid/urid.h>

#define BRUME__class        "urn:brume:brume#class"
#define BRUME__melody       "urn:brume:brume#melody"
#define BRUME__melodyHash   "urn:brume:brume#melodyHash"
#define BRUME__melodyName   "urn:brume:brume#melodyName"
#define BRUME__model        "urn:brume:brume#model"
#define BRUME__modelHash    "urn:brume:brume#modelHash"
#define BRUME__modelName    "urn:brume:brume#modelName"
#define BRUME__morphClass   "urn:brume:brume#morphClass"
#define BRUME__place        "urn:brume:brume#place"
#define BRUME__stateVersion "urn:brume:brume#stateVersion"
#define BRUME__status       "urn:brume:brume#status"

/* Of a kind of model: the parameter, and what sessions store beside its path. */
typedef struct ModelUris {
    LV2_URID model, name, hash;
} ModelUris;

typedef struct Uris {
    LV2_URID atom_Blank, atom_Chunk, atom_Double, atom_Float, atom_Int, atom_Long, atom_Object,
        atom_Path, atom_Sequence, atom_String, atom_URID;
    LV2_URID bufsz_maxBlockLength;
    LV2_URID midi_MidiEvent;
    LV2_URID patch_Get, patch_Set, patch_property, patch_subject, patch_value;
    LV2_URID time_Position, time_barBeat, time_beatsPerBar, time_beatsPerMinute, time_frame,
        time_speed;
    LV2_URID plugin, class_, morph_class, place, state_version, status;
    ModelUris models[SHARED_KINDS];
} Uris;

/* Thread class: instantiation. */
void uris_map(Uris *uris, LV2_URID_Map *map);

/* A number's value, whatever kind of number it is; `otherwise` if it is none (or NULL). Any thread.
 */
double uris_number(const Uris *uris, const LV2_Atom *atom, double otherwise);

#endif
