/* The host's time: whether it rolls, and how far the next beat and bar are. Audio thread. */
#ifndef BRUME_PLUGIN_TRANSPORT_H
#define BRUME_PLUGIN_TRANSPORT_H

#include "plugin/uris.h"

#include <stdbool.h>
#include <stdint.h>

/* Values of the port `sync`. */
typedef enum Sync { SYNC_NONE, SYNC_BEAT, SYNC_BAR } Sync;

typedef struct Transport {
    double rate;
    double speed; /* 0 = stands still */
    double frame; /* of the host's time line */
    double beats_per_minute, beats_per_bar;
    double beat; /* within the bar; negative when the host does not tell */
} Transport;

void transport_reset(Transport *transport, double rate);

/* Takes over a time:Position. True if the transport starts to roll, or jumps while it rolls. */
bool transport_update(Transport *transport, const Uris *uris, const LV2_Atom_Object *position);

/* `frames` frames go by. */
void transport_advance(Transport *transport, uint32_t frames);

/* Frames until the next beat or bar begins; 0 if it begins right now, and always 0 while the
 * transport stands still or the host tells no tempo. */
uint32_t transport_wait(const Transport *transport, Sync sync);

/* Frames until the first beat or bar that is `least` frames away or more; `least` where
 * transport_wait would be 0 always. */
uint32_t transport_wait_after(const Transport *transport, Sync sync, uint32_t least);

/* Seconds of a beat; 0 while the transport stands still or the host tells no tempo. */
double transport_beat(const Transport *transport);

#endif
