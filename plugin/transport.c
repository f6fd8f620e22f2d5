#include "plugin/transport.h"

#include <lv2/atom/util.h>

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

bool transport_update(Transport *transport, const Uris *uris, const LV2_Atom_Object *position)
{
    const LV2_Atom *speed = NULL, *frame = NULL, *tempo = NULL, *bar = NULL, *beat = NULL;
    lv2_atom_object_get(position, uris->time_speed, &speed, uris->time_frame, &frame,
                        uris->time_beatsPerMinute, &tempo, uris->time_beatsPerBar, &bar,
                        uris->time_barBeat, &beat, 0);
    const Transport before = *transport;
    transport->speed = uris_number(uris, speed, before.speed);
    transport->frame = uris_number(uris, frame, before.frame);
    transport->beats_per_minute = uris_number(uris, tempo, before.beats_per_minute);
    transport->beats_per_bar = uris_number(uris, bar, before.beats_per_bar);
    transport->beat = uris_number(uris, beat, before.beat);
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
