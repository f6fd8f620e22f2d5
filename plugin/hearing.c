#include "plugin/hearing.h"

#include "dsp/downmix.h"
#include "dsp/resample.h"
#include "dsp/ring.h"

#include <stdlib.h>
#include <string.h>

/* The ring's room: the generator may be busy for as long. Kept beyond HEARING_SECONDS, so that the
 * end of a prompt may lie back in time. */
static const double RING_SECONDS = 6.0, MARGIN_SECONDS = 2.0;

enum { PIECE = 256 };

struct Hearing {
    double rate;
    Ring *ring;
    uint64_t written; /* the audio thread's own */

    /* The generator's own. */
    float *past; /* (room, 2): frame k at k % room */
    size_t room;
    uint64_t heard; /* frames taken over */
};

Hearing *hearing_create(double rate, Error *err)
{
    Hearing *hearing = calloc(1, sizeof *hearing);
    if (hearing) {
        hearing->rate = rate;
        hearing->room = (size_t)((HEARING_SECONDS + MARGIN_SECONDS) * rate) + 1;
        hearing->past = calloc(hearing->room, 2 * sizeof *hearing->past);
        hearing->ring = ring_create((size_t)(RING_SECONDS * rate) + 1, 2, err);
    }
    if (!hearing || !hearing->past || !hearing->ring) {
        error_set(err, "out of memory for what comes in");
        hearing_destroy(hearing);
        return NULL;
    }
    return hearing;
}

void hearing_destroy(Hearing *hearing)
{
    if (!hearing)
        return;
    ring_destroy(hearing->ring);
    free(hearing->past);
    free(hearing);
}

void hearing_reset(Hearing *hearing)
{
    ring_reset(hearing->ring);
    hearing->written = hearing->heard = 0;
}

bool hearing_write(Hearing *hearing, const float *left, const float *right, uint32_t n)
{
    float frames[2 * PIECE];
    for (uint32_t done = 0; done < n;) {
        const uint32_t m = n - done < PIECE ? n - done : PIECE;
        for (uint32_t i = 0; i < m; i++) {
            frames[2 * i] = left[done + i];
            frames[2 * i + 1] = right[done + i];
        }
        const size_t went = ring_write(hearing->ring, frames, m);
        hearing->written += went;
        if (went < m)
            return false;
        done += m;
    }
    return true;
}

uint64_t hearing_written(const Hearing *hearing)
{
    return hearing->written;
}

size_t hearing_room(const Hearing *hearing)
{
    return ring_writable(hearing->ring);
}

void hearing_take(Hearing *hearing)
{
    for (;;) {
        const size_t at = (size_t)(hearing->heard % hearing->room);
        const size_t got = ring_read(hearing->ring, hearing->past + 2 * at, hearing->room - at);
        if (got == 0)
            return;
        hearing->heard += got;
    }
}

uint64_t hearing_heard(const Hearing *hearing)
{
    return hearing->heard;
}

uint64_t hearing_oldest(const Hearing *hearing)
{
    return hearing->heard > hearing->room ? hearing->heard - hearing->room : 0;
}

void hearing_copy(const Hearing *hearing, uint64_t from, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + 2 * i, hearing->past + 2 * ((from + i) % hearing->room), 2 * sizeof *out);
}

int hearing_prompt(const Hearing *hearing, uint64_t since, uint64_t end, double rate, float **sound,
                   size_t *n, Error *err)
{
    *sound = NULL;
    *n = 0;
    const uint64_t last = end < hearing->heard ? end : hearing->heard;
    const uint64_t oldest = hearing_oldest(hearing);
    const uint64_t wanted = (uint64_t)(HEARING_SECONDS * hearing->rate);
    uint64_t first = last > wanted ? last - wanted : 0;
    first = first > oldest ? first : oldest;
    first = first > since ? first : since;
    if (first >= last)
        return 0;
    const size_t count = (size_t)(last - first);
    float *frames = malloc(2 * count * sizeof *frames);
    if (!frames)
        return error_set(err, "out of memory for what came in");
    hearing_copy(hearing, first, frames, count);
    downmix(frames, count, 2, frames);
    const int failed = resampler_all(frames, count, 1, hearing->rate, rate, sound, n, err);
    free(frames);
    return failed;
}
