#include "dsp/relay.h"

#include "dsp/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Input frames asked for at a time; and what a resampler must have heard before it counts, at the
 * lower of the two rates. */
enum { PIECE = 512, HEARD = 512 };

static const double STRETCH_SECONDS = 0.25;

struct Relay {
    Resampler *resampler;
    RelaySource source;
    void *user;
    unsigned channels;
    double ratio;                     /* input frames for an output frame */
    uint64_t step_in, step_out;       /* frames after which both rates meet again; 0: never */
    uint64_t stretch_in, stretch_out; /* frames of a stretch; 0: it has no end */
    uint64_t lead;                    /* input frames before one that counts */
    uint64_t next, end;               /* output frame to be read next; first of the next stretch */
    uint64_t skip;                    /* output frames to be passed over before it */
    uint64_t read;                    /* number of the input frame that is resampled next */
    float *kept;                      /* input frames from number `first` on (room, channels) */
    size_t count, room;
    uint64_t first;
};

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t round_up(uint64_t number, uint64_t step)
{
    return (number + step - 1) / step * step;
}

static void measure(Relay *relay, double from, double to)
{
    relay->ratio = from / to;
    relay->lead = (uint64_t)ceil(HEARD * fmax(1.0, relay->ratio));
    if (from == to) {
        relay->step_in = relay->step_out = 1;
        relay->lead = 0;
    } else if (from == floor(from) && to == floor(to)) {
        const uint64_t divisor = greatest_common_divisor((uint64_t)from, (uint64_t)to);
        relay->step_in = (uint64_t)from / divisor;
        relay->step_out = (uint64_t)to / divisor;
        relay->lead = round_up(relay->lead, relay->step_in);
        relay->stretch_in = round_up((uint64_t)(STRETCH_SECONDS * from), relay->step_in);
        relay->stretch_out = relay->stretch_in / relay->step_in * relay->step_out;
    }
}

Relay *relay_create(double from, double to, unsigned channels, RelaySource source, void *user,
                    Error *err)
{
    Relay *relay = calloc(1, sizeof *relay);
    if (!relay) {
        error_set(err, "out of memory for a resampler");
        return NULL;
    }
    relay->resampler = resampler_create(from, to, channels, err);
    if (!relay->resampler) {
        relay_destroy(relay);
        return NULL;
    }
    relay->source = source;
    relay->user = user;
    relay->channels = channels;
    measure(relay, from, to);
    relay_seek(relay, 0, 0);
    return relay;
}

void relay_destroy(Relay *relay)
{
    if (!relay)
        return;
    resampler_destroy(relay->resampler);
    free(relay->kept);
    free(relay);
}

uint64_t relay_position(const Relay *relay)
{
    return relay->next;
}

uint64_t relay_stretch_end(const Relay *relay, uint64_t frame)
{
    return relay->stretch_out ? (frame / relay->stretch_out + 1) * relay->stretch_out : UINT64_MAX;
}

/* Input frame that the resampler of stretch number `stretch` begins with. */
static uint64_t begin_of(const Relay *relay, uint64_t stretch)
{
    const uint64_t start = stretch * relay->stretch_in;
    return start > relay->lead ? start - relay->lead : 0;
}

uint64_t relay_origin(const Relay *relay, uint64_t frame)
{
    if (relay->stretch_out)
        return begin_of(relay, frame / relay->stretch_out);
    return relay->step_in ? frame : 0;
}

uint64_t relay_near(const Relay *relay, uint64_t frame)
{
    uint64_t input = relay->step_in ? frame / relay->step_out * relay->step_in
                                    : (uint64_t)((double)frame * relay->ratio);
    return input > relay->lead ? input - relay->lead : 0;
}

uint64_t relay_meet(const Relay *relay, uint64_t input, uint64_t *output)
{
    if (!relay->step_in) {
        *output = (uint64_t)llround((double)input / relay->ratio);
        return input;
    }
    const uint64_t steps = (input + relay->step_in - 1) / relay->step_in;
    *output = steps * relay->step_out;
    return steps * relay->step_in;
}

/* A resampler begins with input frame `origin`, so that the next frame comes out. */
static void begin(Relay *relay, uint64_t origin)
{
    uint64_t output;
    resampler_reset(relay->resampler);
    relay->read = relay_meet(relay, origin, &output);
    relay->skip = relay->next > output ? relay->next - output : 0;
}

void relay_seek(Relay *relay, uint64_t origin, uint64_t frame)
{
    relay->next = frame;
    relay->end = relay_stretch_end(relay, frame);
    relay->count = 0;
    begin(relay, origin);
    relay->first = relay->read;
}

/* Forgets what neither this stretch nor the next one needs any more. */
static void forget(Relay *relay)
{
    uint64_t needed = relay->read;
    if (relay->stretch_out) {
        const uint64_t next = begin_of(relay, relay->end / relay->stretch_out);
        needed = next < needed ? next : needed;
    }
    if (needed <= relay->first)
        return;
    const uint64_t past = needed - relay->first;
    const size_t gone = past < relay->count ? (size_t)past : relay->count;
    relay->count -= gone;
    relay->first += gone;
    memmove(relay->kept, relay->kept + gone * relay->channels,
            relay->count * relay->channels * sizeof *relay->kept);
}

static int fetch(Relay *relay, Error *err)
{
    forget(relay);
    if (relay->count + PIECE > relay->room) {
        const size_t room = 2 * relay->room + PIECE;
        float *kept = realloc(relay->kept, room * relay->channels * sizeof *kept);
        if (!kept)
            return error_set(err, "out of memory for a resampler");
        relay->kept = kept;
        relay->room = room;
    }
    if (relay->source(relay->user, relay->kept + relay->count * relay->channels, PIECE, err))
        return -1;
    relay->count += PIECE;
    return 0;
}

/* The next n frames of the stretch's resampler. */
static int resample(Relay *relay, float *out, size_t n, Error *err)
{
    const unsigned channels = relay->channels;
    for (size_t done = 0; done < n;) {
        if (relay->read == relay->first + relay->count && fetch(relay, err))
            return -1;
        const size_t at = (size_t)(relay->read - relay->first);
        size_t used = 0, made = 0;
        if (resampler_process(relay->resampler, relay->kept + at * channels, relay->count - at,
                              &used, out + done * channels, n - done, &made, err))
            return -1;
        relay->read += used;
        done += made;
    }
    return 0;
}

static int pass_over(Relay *relay, Error *err)
{
    float passed[2 * PIECE];
    while (relay->skip) {
        const size_t n = relay->skip < PIECE ? (size_t)relay->skip : PIECE;
        if (resample(relay, passed, n, err))
            return -1;
        relay->skip -= n;
    }
    return 0;
}

int relay_read(Relay *relay, float *out, size_t n, Error *err)
{
    for (size_t done = 0; done < n;) {
        if (relay->next == relay->end) {
            /* Right after a seek there may be less to begin with. */
            const uint64_t origin = relay_origin(relay, relay->next);
            relay->end = relay_stretch_end(relay, relay->next);
            begin(relay, origin > relay->first ? origin : relay->first);
        }
        const uint64_t left = relay->end - relay->next;
        const size_t m = left < n - done ? (size_t)left : n - done;
        if (pass_over(relay, err) || resample(relay, out + done * relay->channels, m, err))
            return -1;
        done += m;
        relay->next += m;
    }
    return 0;
}
