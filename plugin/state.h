/* What a session stores beside the controls: which models, by path (mapPath), name and SHA-256; the
 * names of the classes that the knobs stand for; and where in a texture or an answer it was saved,
 * which an instance that is not active yet takes up: not one that plays, as when somebody chooses a
 * preset. */
#ifndef BRUME_PLUGIN_STATE_H
#define BRUME_PLUGIN_STATE_H

#include "plugin/instance.h"

#include <lv2/state/state.h>

/* For extension_data. save() may run beside run(); restore() too, if the host knows
 * state:threadSafeRestore. */
const LV2_State_Interface *state_interface(void);

/* The place that was restored is no longer one to go on from. Any thread but the audio thread. */
void state_forget_place(Brume *self);

#endif
