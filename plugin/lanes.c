/* Lanes: what both sides need, and the generator's. lanes_reader.c is the audio thread's. */
#include "plugin/lanes_parts.h"

#include <stdlib.h>

/* Crossfades and fades around an underrun; what must be there again after one. */
static const double FADE_SECONDS = 0.02, RESERVE_SECONDS = 0.005, RESUME_SECONDS = 0.06;

/* A block that is longer still is not wholly there when it fades over. */
static const double LONGEST_BLOCK_SECONDS = 0.4;

Lanes *lanes_create(double rate, double seconds, Error *err)
{
    Lanes *lanes = calloc(1, sizeof *lanes);
    if (!lanes) {
        error_set(err, "out of memory for the output");
        return NULL;
    }
    lanes->fade = (size_t)(FADE_SECONDS * rate) + 1;
    lanes->reserve = (size_t)(RESERVE_SECONDS * rate) + 1;
    lanes->resume = (size_t)(RESUME_SECONDS * rate) + 1;
    lanes->longest = (size_t)(LONGEST_BLOCK_SECONDS * rate);
    for (int i = 0; i < 2; i++)
        if (!(lanes->rings[i] = ring_create((size_t)(seconds * rate) + 1, 2, err))) {
            lanes_destroy(lanes);
            return NULL;
        }
    lanes_reset(lanes);
    return lanes;
}

void lanes_destroy(Lanes *lanes)
{
    if (!lanes)
        return;
    ring_destroy(lanes->rings[0]);
    ring_destroy(lanes->rings[1]);
    free(lanes);
}

void lanes_reset(Lanes *lanes)
{
    ring_reset(lanes->rings[0]);
    ring_reset(lanes->rings[1]);
    atomic_store(&lanes->offer, NO_OFFER);
    lanes->writing = lanes->reading = 0;
    lanes->position = lanes->next_position = lanes->begun = 0;
    lanes->fading = lanes->sounded = lanes->waited = false;
    lanes->sounding = SILENT;
    lanes->gain = 0.0f;
    lanes->taken = lanes->hushed = lanes->held = 0;
    lanes->hold = 0;
    lanes->timed = false;
    atomic_store(&lanes->horizon, 0);
    atomic_store(&lanes->block, 0);
    atomic_store(&lanes->buffered, 0);
    atomic_store(&lanes->left, 0);
    atomic_store(&lanes->underruns, 0);
    atomic_store(&lanes->playing, false);
}

void lanes_place(Lanes *lanes, uint64_t position)
{
    lanes->position = lanes->begun = position;
    atomic_store(&lanes->horizon, position);
}

bool lanes_spare(const Lanes *lanes)
{
    return atomic_load_explicit(&lanes->offer, memory_order_acquire) == NO_OFFER;
}

void lanes_begin(Lanes *lanes, uint64_t start)
{
    lanes->writing = 1 - lanes->writing;
    ring_reset(lanes->rings[lanes->writing]);
    lanes->start = lanes->begun = start;
}

void lanes_abandon(Lanes *lanes)
{
    lanes->writing = 1 - lanes->writing;
}

void lanes_offer(Lanes *lanes, LanesJoin join, uint64_t serial)
{
    lanes->serial = serial;
    lanes->join = join;
    atomic_store_explicit(&lanes->offer, 1 + lanes->writing, memory_order_release);
}

size_t lanes_write(Lanes *lanes, const float *frames, size_t n)
{
    return ring_write(lanes->rings[lanes->writing], frames, n);
}

size_t lanes_room(const Lanes *lanes)
{
    return ring_writable(lanes->rings[lanes->writing]);
}

size_t lanes_waiting(const Lanes *lanes)
{
    return ring_readable(lanes->rings[lanes->writing]);
}

size_t lanes_least(const Lanes *lanes)
{
    return lanes->fade + lanes->resume + lanes->reserve + lanes_block_most(lanes);
}

uint64_t lanes_horizon(const Lanes *lanes)
{
    return atomic_load_explicit(&lanes->horizon, memory_order_relaxed);
}

uint64_t lanes_due(const Lanes *lanes)
{
    /* The reader tells its new horizon before it gives the spare lane back. */
    const bool taken = lanes_spare(lanes);
    const uint64_t horizon = lanes_horizon(lanes);
    return taken || (lanes->join == LANES_ALIGNED && horizon > lanes->begun) ? horizon
                                                                             : lanes->begun;
}

size_t lanes_held(const Lanes *lanes)
{
    return lanes_spare(lanes) ? 0 : atomic_load_explicit(&lanes->left, memory_order_relaxed);
}

size_t lanes_buffered(const Lanes *lanes)
{
    return atomic_load_explicit(&lanes->buffered, memory_order_relaxed);
}

uint64_t lanes_underruns(const Lanes *lanes)
{
    return atomic_load_explicit(&lanes->underruns, memory_order_relaxed);
}

bool lanes_playing(const Lanes *lanes)
{
    return atomic_load_explicit(&lanes->playing, memory_order_relaxed);
}
