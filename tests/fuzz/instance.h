/* An instance of the plugin without a model, called from one thread, for the targets that play a
 * hostile host. */
#ifndef BRUME_TESTS_INSTANCE_H
#define BRUME_TESTS_INSTANCE_H

#include <lv2/core/lv2.h>
#include <lv2/urid/urid.h>

/* Numbers of URIs: small ones, the same in every run. */
LV2_URID_Map *instance_map(void);

/* Instantiated anew; instance_descriptor()->cleanup ends it. Ends the program if it can't. */
LV2_Handle instance_open(void);
const LV2_Descriptor *instance_descriptor(void);

#endif
