/* Lanes: the wait-free way of sound from the generator to the audio thread.
 *
 * Two rings. The reader plays one; the writer fills it, or prepares the other and *offers* it. The
 * reader crossfades over when it gets there, and by that gives the old one back. One atomic,
 * `offer`, carries the hand-over both ways: the writer stores it with release after the lane is
 * prepared, the reader clears it with release after its last look at the old lane; each loads it
 * with acquire. */
#ifndef BRUME_PLUGIN_LANES_H
#define BRUME_PLUGIN_LANES_H

#include "dsp/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Lanes Lanes;

/* How an offered lane is to be taken. */
typedef enum {
    LANES_ALIGNED, /* it is the same stream: frame k of it replaces frame k */
    LANES_ANEW,    /* it is another stream, from the next block on */
    LANES_HARD     /* the same without a crossfade */
} LanesJoin;

/* Stereo lanes of `seconds` at `rate` Hz. NULL with a message out of memory. */
Lanes *lanes_create(double rate, double seconds, Error *err);
void lanes_destroy(Lanes *lanes);

/* Empties both, while neither side is at work; the writer fills the one that the reader plays, from
 * frame 0. Underruns count from 0. */
void lanes_reset(Lanes *lanes);

/* The next frame is number `position`: after lanes_reset, while neither side is at work. */
void lanes_place(Lanes *lanes, uint64_t position);

/* Writer: */

/* Frames that fit into the lane turned to. */
size_t lanes_room(const Lanes *lanes);

/* Whether the spare lane is free: no offer is under way. */
bool lanes_spare(const Lanes *lanes);

/* Turns to the spare lane, emptied; what is written to it begins at frame `start` of its stream. */
void lanes_begin(Lanes *lanes, uint64_t start);

/* Turns back to the lane that is played: what was begun is not offered after all. */
void lanes_abandon(Lanes *lanes);

/* Offers the lane begun: once it holds lanes_least frames, or empty where time is kept. `serial`
 * (not 0) names what it answers. */
void lanes_offer(Lanes *lanes, LanesJoin join, uint64_t serial);

/* Appends n frames, interleaved, to the lane turned to; returns how many fitted. */
size_t lanes_write(Lanes *lanes, const float *frames, size_t n);

/* Frames that wait in the lane turned to. */
size_t lanes_waiting(const Lanes *lanes);

/* Frames that an offered lane must hold, for the reader to fade over and go on: also through the
 * rest of a block, in whose midst it may be taken. */
size_t lanes_least(const Lanes *lanes);

/* Frame of the stream (of the clock, where time is kept) that the reader will want after the block
 * that it may be reading now. */
uint64_t lanes_horizon(const Lanes *lanes);

/* While the writer stands still: frame that the lane turned to will be heard from next, as far as
 * can be told from here. */
uint64_t lanes_due(const Lanes *lanes);

/* ... and for how many frames it will still be held back. */
size_t lanes_held(const Lanes *lanes);

/* Reader, on the audio thread: */

/* So many frames will be read at once, in whatever pieces. */
void lanes_expect(Lanes *lanes, size_t block);

/* The next n frames. Waits for nothing: fades out before the lane runs dry, counts an underrun,
 * fades in again once there is enough. Running dry right after lanes_read_there, which leaves
 * nothing ahead, is no underrun. */
void lanes_read(Lanes *lanes, float *left, float *right, size_t n);

/* The same where waiting is allowed: up to n frames, as many as are there; returns how many. No
 * fades but those between lanes. */
size_t lanes_read_there(Lanes *lanes, float *left, float *right, size_t n);

/* Serial of the offer that is under way, 0 if none is. */
uint64_t lanes_offered(const Lanes *lanes);

/* Where waiting is allowed: begins to take the lane that is offered, if any, from the next frame
 * on; one that begins later is jumped to. */
void lanes_take(Lanes *lanes);

/* The same, but to the end and at once, and only an offer of a serial below `before`. */
void lanes_settle(Lanes *lanes, uint64_t before);

/* Offers of `serial` or later are not taken for the next `frames` frames, counted by lanes_read:
 * so that what was asked for early is heard on the beat. Sooner if the lane that is played would
 * run dry. */
void lanes_hold(Lanes *lanes, uint64_t serial, size_t frames);

/* Silence, at once and without a fade, until an offer of `serial` or later has been taken (0: no
 * more): for when nothing is heard anyhow, and the old sound is not to be heard again. */
void lanes_hush(Lanes *lanes, uint64_t serial);

/* Where waiting is allowed: passes over all that is there. */
void lanes_drop(Lanes *lanes);

/* Keeps time from now on: frame k of what is offered with its number belongs to frame k of a clock
 * that stands at `now` and goes on in silence too. What is there too early waits, what comes too
 * late is passed over; a lane may be offered empty. For what must not slip against an input. */
void lanes_keep_time(Lanes *lanes, uint64_t now);

/* No more of that. */
void lanes_lose_time(Lanes *lanes);

/* The serial that silence waits for, or 0. */
uint64_t lanes_hushed(const Lanes *lanes);

/* Frames that the reader has before it, now. */
size_t lanes_ahead(const Lanes *lanes);

/* Number of the next frame of the stream; of the one that fades in while one does. */
uint64_t lanes_position(const Lanes *lanes);

/* Any thread: */

/* Frames that the reader has before it, as of its last block. */
size_t lanes_buffered(const Lanes *lanes);
uint64_t lanes_underruns(const Lanes *lanes);
bool lanes_playing(const Lanes *lanes);

#endif
