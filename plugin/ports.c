#include "plugin/ports.h"

#include "models/texture_model.h"

#include <math.h>
#include <stddef.h>

static const PortRange ranges[PORT_COUNT] = {
    [PORT_TEXTURE] = {"texture", 0, TEXTURE_MAX_CLASSES - 1, 0},
    [PORT_MORPH_TO] = {"morph_to", 0, TEXTURE_MAX_CLASSES - 1, 0},
    [PORT_MORPH] = {"morph", 0, 1, 0},
    [PORT_SEED] = {"seed", 0, 65535, 0},
    [PORT_STEPS] = {"steps", 1, 32, 8},
    [PORT_GO] = {"go", 0, 1, 0},
    [PORT_SYNC] = {"sync", 0, 2, 0},
    [PORT_WIDTH] = {"width", 0, 1, 0.5f},
    [PORT_DRY] = {"dry", -90, 12, 0},
    [PORT_WET] = {"wet", -90, 12, 0},
    [PORT_UNDERRUNS] = {"underruns", 0, 1e6f, 0},
    [PORT_LOAD] = {"load", 0, 1, 0},
    [PORT_BUFFERED] = {"buffered", 0, 10, 0},
    [PORT_ENABLED] = {"enabled", 0, 1, 1},
    [PORT_FREEWHEEL] = {"freewheel", 0, 1, 0},
    [PORT_LATENCY] = {"latency", 0, 3072000, 0}, /* DELAY_SECONDS at 768 kHz */
    [PORT_MODE] = {"mode", 0, 2, 0},
    [PORT_TEMPERATURE] = {"temperature", 0, 1.5f, 0.85f},
    [PORT_TOP_P] = {"top_p", 0, 1, 0.92f},
    [PORT_ANSWER] = {"answer", 0, 2, 1},
    [PORT_STRENGTH] = {"strength", 0, 1, 0.5f},
};

const PortRange *port_range(PortIndex port)
{
    return port < PORT_COUNT && ranges[port].symbol ? &ranges[port] : NULL;
}

float port_value(PortIndex port, const float *buffer, bool *bad)
{
    const PortRange *range = &ranges[port];
    if (!buffer)
        return range->usual;
    if (!isfinite(*buffer)) {
        *bad = true;
        return range->usual;
    }
    /* Not fminf and fmaxf: those are calls. */
    return *buffer < range->minimum   ? range->minimum
           : *buffer > range->maximum ? range->maximum
                                      : *buffer;
}
