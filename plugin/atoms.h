/* What a host hands in as atoms, read within bounds: it vouches for the size of a sequence alone.
 * Sizes inside come from whoever made the events, and an event or property that does not fit into
 * what holds it ends the reading. Audio thread. Format: LV2's atom extension,
 * http://lv2plug.in/ns/ext/atom. */
#ifndef BRUME_PLUGIN_ATOMS_H
#define BRUME_PLUGIN_ATOMS_H

#include <lv2/atom/atom.h>
#include <lv2/urid/urid.h>

#include <stddef.h>

/* The events of a sequence, from one to the next. */
typedef struct Events {
    const char *at;
    size_t left; /* bytes from there on */
} Events;

/* From a sequence's first event on; NULL has none. */
Events events_of(const LV2_Atom_Sequence *sequence);

/* The earlier of two sequences' next events, the first one's if both come at once; NULL at the end
 * of both. */
const LV2_Atom_Event *events_take(Events *first, Events *second);

/* The value of the first property of that key, or NULL. The object's own size must have been
 * checked, as that of an event's body is. */
const LV2_Atom *atoms_value(const LV2_Atom_Object *object, LV2_URID key);

/* An atom's URID; 0 if it is NULL or none. `type`: atom:URID. */
LV2_URID atoms_urid(const LV2_Atom *atom, LV2_URID type);

#endif
