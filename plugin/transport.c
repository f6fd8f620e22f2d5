#include "plugin/transport.h"

#include "plugin/atoms.h"

#include <math.h>
#include <stddef.h>

/* Hosts round the time line's frame when the speed is not exactly 1. */
#define JUMP_FRAMES 2.0

/* Less than this is on the beat: a sample is 1e-5 beats or more at any tempo and rate. */
#define ON_BEAT 1e-6

void transport_reset(Transport *transport, double rate)
{
    *transport = (Transport){.rate = rate, .beat = -1};
}

static double number(const LV2_Atom_Object *position, const Uris *uris, LV2_URID key,
                     double otherwise)
{
    return uris_number(uris, atoms_value(position, key), otherwise);
}

bool transport_update(Transport *transport, const Uris *uris, const LV2_Atom_Object *position)
{
    const Transport before = *transport;
    transport->speed = number(position, uris, uris->time_speed, before.speed);
    transport->frame = number(position, uris, uris->time_frame, before.frame);
    transport->beats_per_minute =
        number(position, uris, uris->time_beatsPerMinute, before.beats_per_minute);
    transport->beats_per_bar = number(position, uris, uris->time_beatsPerBar, before.beats_per_bar);
    transport->beat = number(position, uris, uris->time_barBeat, before.beat);
    if (!isfinite(transport->speed))
        transport->speed = 0;
    if (!isfinite(transport->frame))
        transport->frame = before.frame;
    return transport->speed != 0 &&
           (before.speed == 0 || fabs(transport->frame - before.frame) > JUMP_FRAMES);
}

/* Beats a frame; 0 if nothing moves or the tempo is unknown or absurd. */
static double beats_per_frame(const Transport *transport)
{
    const double beats = transport->speed * transport->beats_per_minute / 60.0 / transport->rate;
    return beats > 1e-12 && beats < 1.0 ? beats : 0;
}

void transport_advance(Transport *transport, uint32_t frames)
{
    transport->frame += frames * transport->speed;
    if (transport->beat < 0)
        return;
    transport->beat += frames * beats_per_frame(transport);
    if (transport->beats_per_bar > 0)
        transport->beat = fmod(transport->beat, transport->beats_per_bar);
}

uint32_t transport_wait(const Transport *transport, Sync sync)
{
    const double pace = beats_per_frame(transport);
    if (sync == SYNC_NONE || pace == 0 || !(transport->beat >= 0))
        return 0;
    double next = ceil(transport->beat - ON_BEAT);
    if (sync == SYNC_BAR && transport->beat > ON_BEAT && transport->beats_per_bar > 0)
        next = transport->beats_per_bar;
    const double beats = next - transport->beat;
    return beats > ON_BEAT ? (uint32_t)fmin(ceil(beats / pace - 1e-3), 1e9) : 0;
}

uint32_t transport_wait_after(const Transport *transport, Sync sync, uint32_t least)
{
    Transport then = *transport;
    transport_advance(&then, least);
    return least + transport_wait(&then, sync);
}

double transport_beat(const Transport *transport)
{
    const double pace = beats_per_frame(transport);
    return pace > 0 ? 1.0 / (pace * transport->rate) : 0;
}
