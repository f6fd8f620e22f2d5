/* What comes in: keys, the host's time, patch messages; and the knobs. Audio thread. */
#ifndef BRUME_PLUGIN_CONTROL_H
#define BRUME_PLUGIN_CONTROL_H

#include "plugin/instance.h"

#include <lv2/atom/util.h>

/* A block of so many frames begins: before anything else. */
void control_begin_block(Brume *self, uint32_t frames);

/* The control ports, at the start of a block. */
void control_knobs(Brume *self);

/* One event at the control port, after the sound before it was played. */
void control_event(Brume *self, const LV2_Atom_Event *event);

#endif
