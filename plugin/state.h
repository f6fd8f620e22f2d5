/* What a session stores beside the controls: which model, by path (mapPath), name and SHA-256. */
#ifndef BRUME_PLUGIN_STATE_H
#define BRUME_PLUGIN_STATE_H

#include <lv2/state/state.h>

/* For extension_data. save() may run beside run(); restore() too, if the host knows
 * state:threadSafeRestore. */
const LV2_State_Interface *state_interface(void);

#endif
