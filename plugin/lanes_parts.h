/* What both sides of the lanes have in common: included by plugin/lanes*.c alone. */
#ifndef BRUME_PLUGIN_LANES_PARTS_H
#define BRUME_PLUGIN_LANES_PARTS_H

#include "dsp/ring.h"
#include "plugin/lanes.h"

#include <stdatomic.h>

enum { NO_OFFER = 0 };

typedef enum { SILENT, PLAYING, ENDING } Sounding;

struct Lanes {
    Ring *rings[2];
    size_t fade, reserve, resume, longest; /* frames */

    /* Written by the writer before it stores `offer`. */
    uint64_t start, serial;
    LanesJoin join;
    _Atomic int offer; /* NO_OFFER, or 1 + the lane offered */

    /* The writer's own. */
    int writing;
    uint64_t begun; /* the frame that the lane turned to begins with */

    /* The reader's own. */
    int reading;
    uint64_t position; /* of the next frame */
    size_t faded;      /* frames of a crossfade that are done; it is under way if `fading` */
    bool fading, sounded;
    bool waited;    /* the reader waited until now: there is as little ahead as that leaves */
    bool timed;     /* frame `position` belongs to frame `clock` of the input */
    uint64_t clock; /* of the next frame, if so */
    uint64_t next_position; /* of the lane that fades in */
    Sounding sounding;
    float gain;
    uint64_t taken;  /* serial of the last offer taken */
    uint64_t hushed; /* silence until an offer of this serial is taken */
    uint64_t held;   /* offers from this serial on are not taken ... */
    size_t hold;     /* ... for so many frames */

    /* From the reader to anybody. */
    _Atomic uint64_t horizon, underruns;
    _Atomic size_t block;          /* the longest so far, of those that were not waited for */
    _Atomic size_t buffered, left; /* frames ready; of `hold` */
    atomic_bool playing;
};

/* What a block may take at once, before the writer can add anything. */
static inline size_t lanes_block_most(const Lanes *lanes)
{
    const size_t block = atomic_load_explicit(&lanes->block, memory_order_relaxed);
    return block < lanes->longest ? block : lanes->longest;
}

#endif
