/* The plugin's ports: their order, which ttl/brume.ttl.in repeats (a test compares the two), and
 * how a control's value is read. Hosts know ports by symbol, so new ones may be put at the end. */
#ifndef BRUME_PLUGIN_PORTS_H
#define BRUME_PLUGIN_PORTS_H

#include <stdbool.h>

#define BRUME_URI "urn:brume:brume"

typedef enum PortIndex {
    PORT_IN_L,
    PORT_IN_R,
    PORT_OUT_L,
    PORT_OUT_R,
    PORT_CONTROL,
    PORT_NOTIFY,
    PORT_TEXTURE,
    PORT_MORPH_TO,
    PORT_MORPH,
    PORT_SEED,
    PORT_STEPS,
    PORT_GO,
    PORT_SYNC,
    PORT_WIDTH,
    PORT_DRY,
    PORT_WET,
    PORT_UNDERRUNS,
    PORT_LOAD,
    PORT_BUFFERED,
    PORT_ENABLED,
    PORT_FREEWHEEL,
    PORT_LATENCY,
    PORT_KEYS,
    PORT_MODE,
    PORT_TEMPERATURE,
    PORT_TOP_P,
    PORT_ANSWER,
    PORT_STRENGTH,
    PORT_COUNT
} PortIndex;

/* Range and default of a control. */
typedef struct PortRange {
    const char *symbol;
    float minimum, maximum, usual;
} PortRange;

/* NULL if the port is no control. `texture` and `morph_to` end at the last class that any model can
 * have; the class is held to the model's own later. */
const PortRange *port_range(PortIndex port);

/* The value at a control's buffer, held to its range. Not a number, infinity and a NULL buffer give
 * the usual value; the first two set *bad, which is left alone otherwise. */
float port_value(PortIndex port, const float *buffer, bool *bad);

#endif
