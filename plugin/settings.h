/* From the control ports to what the generator is asked for. Audio thread, or while it stands. */
#ifndef BRUME_PLUGIN_SETTINGS_H
#define BRUME_PLUGIN_SETTINGS_H

#include "plugin/instance.h"

/* What the controls and the keys ask of `model` (which may be NULL), sanitised. */
TextureSettings settings_read(Brume *self, const SharedModel *model);

/* Tells save(), and the player, which classes the knobs stand for. */
void settings_tell_classes(Brume *self);

/* A control's value; a bad one is complained of. */
float settings_control(Brume *self, PortIndex port);

#endif
