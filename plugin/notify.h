/* What goes out: the models and the status, when they change and when they are asked for. Audio
 * thread, once a block. */
#ifndef BRUME_PLUGIN_NOTIFY_H
#define BRUME_PLUGIN_NOTIFY_H

#include "plugin/instance.h"

void notify_write(Brume *self);

#endif
