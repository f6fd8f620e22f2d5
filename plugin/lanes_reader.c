/* The audio thread's side of the lanes: sound from them, faded where it begins, ends or changes. */
#include "plugin/lanes_parts.h"

#include "dsp/gain.h"

#include <string.h>

enum { PIECE = 256 };

static void split(const float *frames, float *left, float *right, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        left[i] = frames[2 * i];
        right[i] = frames[2 * i + 1];
    }
}

/* Up to n frames of a lane, silence after what is there. Returns how many were there. */
static size_t read_lane(Lanes *lanes, int lane, float *left, float *right, size_t n)
{
    float frames[2 * PIECE];
    size_t done = 0;
    while (done < n) {
        const size_t m = n - done < PIECE ? n - done : PIECE;
        const size_t got = ring_read(lanes->rings[lane], frames, m);
        split(frames, left + done, right + done, got);
        done += got;
        if (got < m)
            break;
    }
    memset(left + done, 0, (n - done) * sizeof *left);
    memset(right + done, 0, (n - done) * sizeof *right);
    return done;
}

/* Number of the frame that is to be heard next. */
static uint64_t wanted(const Lanes *lanes)
{
    return lanes->timed ? lanes->clock : lanes->position;
}

/* Ends a hand-over: from here on the reader never looks at the old lane. */
static void arrive(Lanes *lanes)
{
    lanes->reading = 1 - lanes->reading;
    lanes->position = lanes->next_position;
    lanes->taken = lanes->serial;
    lanes->fading = false;
    /* Before the offer ends: the writer's next look at the horizon must not find the old stream's.
     */
    atomic_store_explicit(&lanes->horizon, wanted(lanes), memory_order_relaxed);
    atomic_store_explicit(&lanes->offer, NO_OFFER, memory_order_release);
}

/* How many frames the lane that is offered must still wait. What sounds must not run dry over that.
 */
static size_t held_back(const Lanes *lanes)
{
    if (lanes->serial < lanes->held)
        return 0;
    if (lanes->sounding == SILENT)
        return lanes->hold;
    const size_t ahead = ring_readable(lanes->rings[lanes->reading]);
    const size_t least = lanes->fade + lanes->reserve;
    const size_t most = ahead > least ? ahead - least : 0;
    return lanes->hold < most ? lanes->hold : most;
}

/* Begins to take an offered lane if its time has come. Frames of it that lie behind are passed
 * over. Returns how many frames may be read before that time: 0 = it has begun, or there is no
 * offer. */
static size_t consider_offer(Lanes *lanes)
{
    if (lanes->fading || atomic_load_explicit(&lanes->offer, memory_order_acquire) == NO_OFFER)
        return 0;
    const size_t held = held_back(lanes);
    if (held > 0)
        return held;
    Ring *next = lanes->rings[1 - lanes->reading];
    const bool silent = lanes->sounding == SILENT && lanes->gain == 0.0f;
    if (lanes->join == LANES_ALIGNED && !(silent && lanes->timed)) {
        /* In silence the stream stands still, and nothing need be matched. */
        if (silent)
            lanes->position = lanes->start;
        const uint64_t now = wanted(lanes);
        if (now < lanes->start)
            return (size_t)(lanes->start - now);
        lanes->start += ring_skip(next, (size_t)(now - lanes->start));
        if (lanes->start < now)
            return SIZE_MAX;
    }
    lanes->next_position = lanes->start;
    lanes->faded = 0;
    lanes->fading = true;
    /* Nothing sounds that could be faded from. */
    if (lanes->join == LANES_HARD || silent)
        arrive(lanes);
    return 0;
}

/* n frames, as many as are there, of the lane or of both lanes while one fades into the other. */
static size_t read_faded(Lanes *lanes, float *left, float *right, size_t n)
{
    if (!lanes->fading) {
        const size_t got = read_lane(lanes, lanes->reading, left, right, n);
        lanes->position += got;
        return got;
    }
    float next_left[PIECE], next_right[PIECE];
    size_t m = lanes->fade - lanes->faded;
    m = n < m ? n : m;
    m = m < PIECE ? m : PIECE;
    read_lane(lanes, lanes->reading, left, right, m);
    lanes->next_position += read_lane(lanes, 1 - lanes->reading, next_left, next_right, m);
    crossfade_power(left, next_left, left, m, lanes->faded, lanes->fade);
    crossfade_power(right, next_right, right, m, lanes->faded, lanes->fade);
    lanes->faded += m;
    if (lanes->faded == lanes->fade)
        arrive(lanes);
    return m;
}

uint64_t lanes_position(const Lanes *lanes)
{
    return lanes->fading ? lanes->next_position : lanes->position;
}

/* Of the lane that sound comes from at the end: the next one while one fades in. */
size_t lanes_ahead(const Lanes *lanes)
{
    return ring_readable(lanes->rings[lanes->fading ? 1 - lanes->reading : lanes->reading]);
}

/* Tells others how the reader stands after a block. */
static void publish(Lanes *lanes)
{
    atomic_store_explicit(&lanes->horizon, wanted(lanes), memory_order_relaxed);
    atomic_store_explicit(&lanes->buffered, lanes_ahead(lanes), memory_order_relaxed);
    atomic_store_explicit(&lanes->left, lanes->hold, memory_order_relaxed);
    atomic_store_explicit(&lanes->playing, lanes->sounding == PLAYING, memory_order_relaxed);
}

/* Where time is kept: passes over frames that come too late. Returns how many of the next m frames
 * there are before one that is there too early; m where time runs free. */
static size_t catch_up(Lanes *lanes, size_t m)
{
    if (!lanes->timed || lanes->fading)
        return m;
    if (lanes->position < lanes->clock)
        lanes->position +=
            ring_skip(lanes->rings[lanes->reading], (size_t)(lanes->clock - lanes->position));
    const uint64_t early = lanes->position > lanes->clock ? lanes->position - lanes->clock : m;
    return early < m ? (size_t)early : m;
}

/* Whether the lane's next frame is the one that is to be heard next. */
static bool in_time(const Lanes *lanes)
{
    return lanes->fading || lanes->position == wanted(lanes);
}

/* Decides between sound and silence for the next m frames. */
static void watch(Lanes *lanes, size_t m)
{
    const size_t there = in_time(lanes) ? lanes_ahead(lanes) : 0;
    if (lanes->sounding == PLAYING && there < m + lanes->reserve) {
        lanes->sounding = ENDING;
        if (!lanes->waited)
            atomic_fetch_add_explicit(&lanes->underruns, 1, memory_order_relaxed);
    } else if (lanes->sounding == SILENT && there >= m + lanes->resume &&
               lanes->taken >= lanes->hushed) {
        lanes->sounding = PLAYING;
        /* A stream's own beginning is faded in already; what follows an input has none. */
        if (!lanes->sounded && !lanes->timed)
            lanes->gain = 1.0f;
        lanes->sounded = true;
    }
    if (there >= m + lanes->resume + lanes_block_most(lanes))
        lanes->waited = false;
}

/* Moves the gain towards 1, or to 0 while ending, over m frames. */
static void ramp(Lanes *lanes, float *left, float *right, size_t m)
{
    const float target = lanes->sounding == PLAYING ? 1.0f : 0.0f;
    if (lanes->gain == 1.0f && target == 1.0f)
        return;
    const float step = 1.0f / (float)lanes->reserve;
    for (size_t i = 0; i < m; i++) {
        lanes->gain = target > 0.0f ? lanes->gain + step : lanes->gain - step;
        lanes->gain = lanes->gain > 1.0f ? 1.0f : lanes->gain < 0.0f ? 0.0f : lanes->gain;
        left[i] *= lanes->gain;
        right[i] *= lanes->gain;
    }
    if (lanes->sounding == ENDING && lanes->gain == 0.0f)
        lanes->sounding = SILENT;
}

void lanes_expect(Lanes *lanes, size_t block)
{
    if (block > atomic_load_explicit(&lanes->block, memory_order_relaxed))
        atomic_store_explicit(&lanes->block, block, memory_order_relaxed);
}

void lanes_read(Lanes *lanes, float *left, float *right, size_t n)
{
    atomic_store_explicit(&lanes->horizon, wanted(lanes) + n, memory_order_relaxed);
    for (size_t done = 0; done < n;) {
        size_t m = n - done < PIECE ? n - done : PIECE;
        const size_t before = consider_offer(lanes);
        if (before && before < m)
            m = before;
        m = catch_up(lanes, m);
        watch(lanes, m);
        if (lanes->sounding == SILENT) {
            memset(left + done, 0, m * sizeof *left);
            memset(right + done, 0, m * sizeof *right);
        } else {
            if (lanes->fading && lanes->fade - lanes->faded < m)
                m = lanes->fade - lanes->faded;
            read_faded(lanes, left + done, right + done, m);
            ramp(lanes, left + done, right + done, m);
        }
        done += m;
        lanes->clock += m;
        lanes->hold -= lanes->hold < m ? lanes->hold : m;
    }
    publish(lanes);
}

size_t lanes_read_there(Lanes *lanes, float *left, float *right, size_t n)
{
    size_t done = 0;
    while (done < n) {
        size_t m = n - done < PIECE ? n - done : PIECE;
        if (lanes->fading && lanes->fade - lanes->faded < m)
            m = lanes->fade - lanes->faded;
        m = catch_up(lanes, m);
        const bool early = lanes->timed && !lanes->fading && lanes->position > lanes->clock;
        const size_t there = early ? m : lanes_ahead(lanes);
        m = there < m ? there : m;
        if (m == 0)
            break;
        lanes->clock += m;
        if (early) {
            memset(left + done, 0, m * sizeof *left);
            memset(right + done, 0, m * sizeof *right);
            done += m;
            continue;
        }
        lanes->sounding = PLAYING;
        lanes->sounded = lanes->waited = true;
        lanes->gain = 1.0f;
        done += read_faded(lanes, left + done, right + done, m);
    }
    publish(lanes);
    return done;
}

uint64_t lanes_offered(const Lanes *lanes)
{
    return lanes_spare(lanes) ? 0 : lanes->serial;
}

void lanes_take(Lanes *lanes)
{
    lanes->hold = 0;
    if (lanes_spare(lanes) || lanes->fading)
        return;
    if (lanes->join == LANES_ALIGNED && !lanes->timed && lanes->position < lanes->start)
        lanes->position = lanes->start;
    consider_offer(lanes);
}

void lanes_settle(Lanes *lanes, uint64_t before)
{
    if (lanes_spare(lanes) || lanes->serial >= before)
        return;
    lanes_take(lanes);
    if (lanes->fading)
        arrive(lanes);
}

void lanes_hold(Lanes *lanes, uint64_t serial, size_t frames)
{
    lanes->held = serial;
    lanes->hold = frames;
    atomic_store_explicit(&lanes->left, frames, memory_order_relaxed);
}

/* At once. In silence a crossfade would stand still, and no other lane could be offered. */
static void silence(Lanes *lanes)
{
    if (lanes->fading)
        arrive(lanes);
    lanes->sounding = SILENT;
    lanes->sounded = false;
    lanes->gain = 0.0f;
}

void lanes_hush(Lanes *lanes, uint64_t serial)
{
    lanes->hushed = serial;
    lanes->hold = 0;
    silence(lanes);
}

uint64_t lanes_hushed(const Lanes *lanes)
{
    return lanes->taken < lanes->hushed ? lanes->hushed : 0;
}

void lanes_keep_time(Lanes *lanes, uint64_t now)
{
    lanes->timed = true;
    lanes->clock = now;
}

void lanes_lose_time(Lanes *lanes)
{
    lanes->timed = false;
}

void lanes_drop(Lanes *lanes)
{
    if (!lanes_spare(lanes))
        lanes_take(lanes);
    silence(lanes);
    ring_skip(lanes->rings[lanes->reading], SIZE_MAX);
}
