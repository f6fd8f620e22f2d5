#include "plugin/delay.h"

#include "dsp/gain.h"
#include "dsp/pages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 256, CHANNELS = 2 };

static const double FADE_SECONDS = 0.05;

struct Delay {
    float *past[CHANNELS]; /* (room,) each, in one block: frame k at k % room */
    size_t room, fade;
    uint64_t taken;  /* frames */
    size_t by, next; /* the delay that is heard, and the one that fades in */
    size_t faded;    /* frames of that */
    bool fresh;      /* nothing was heard yet: no delay need be faded from */
};

Delay *delay_create(double rate, Error *err)
{
    Delay *delay = calloc(1, sizeof *delay);
    if (delay) {
        delay->fade = (size_t)(FADE_SECONDS * rate) + 1;
        delay->room = (size_t)(DELAY_SECONDS * rate) + PIECE + 1;
        delay->past[0] = pages_alloc(CHANNELS * delay->room, sizeof(float));
    }
    if (!delay || !delay->past[0]) {
        error_set(err, "out of memory for what passes");
        delay_destroy(delay);
        return NULL;
    }
    delay->past[1] = delay->past[0] + delay->room;
    pages_touch(delay->past[0], CHANNELS * delay->room * sizeof(float));
    delay->fresh = true;
    return delay;
}

void delay_destroy(Delay *delay)
{
    if (!delay)
        return;
    pages_free(delay->past[0], CHANNELS * delay->room, sizeof(float));
    free(delay);
}

void delay_reset(Delay *delay)
{
    for (int c = 0; c < CHANNELS; c++)
        memset(delay->past[c], 0, delay->room * sizeof(float));
    delay->taken = 0;
    delay->fresh = true;
}

static void write(Delay *delay, const float *left, const float *right, size_t n)
{
    const float *const in[CHANNELS] = {left, right};
    const size_t first = (size_t)(delay->taken % delay->room);
    const size_t whole = delay->room - first < n ? delay->room - first : n;
    for (int c = 0; c < CHANNELS; c++) {
        memcpy(delay->past[c] + first, in[c], whole * sizeof *in[c]);
        memcpy(delay->past[c], in[c] + whole, (n - whole) * sizeof *in[c]);
    }
}

/* The n frames that were written last, `by` frames before. */
static void read(const Delay *delay, int channel, size_t by, float *out, size_t n)
{
    const size_t first = (size_t)((delay->taken + delay->room - by) % delay->room);
    const size_t whole = delay->room - first < n ? delay->room - first : n;
    memcpy(out, delay->past[channel] + first, whole * sizeof *out);
    memcpy(out + whole, delay->past[channel], (n - whole) * sizeof *out);
}

static void run_piece(Delay *delay, float *left, float *right, size_t n)
{
    float *const out[CHANNELS] = {left, right};
    write(delay, left, right, n);
    for (int c = 0; c < CHANNELS; c++) {
        read(delay, c, delay->by, out[c], n);
        if (delay->next == delay->by)
            continue;
        float next[PIECE];
        read(delay, c, delay->next, next, n);
        crossfade_power(out[c], next, out[c], n, delay->faded, delay->fade);
    }
    delay->taken += n;
    delay->faded += n;
    if (delay->faded >= delay->fade)
        delay->by = delay->next;
}

void delay_run(Delay *delay, uint64_t by, float *left, float *right, uint32_t n)
{
    const size_t most = delay->room - PIECE;
    const size_t wanted = by < most ? (size_t)by : most;
    if (delay->fresh)
        delay->by = delay->next = wanted;
    delay->fresh = false;
    if (delay->by == delay->next && wanted != delay->by) {
        delay->next = wanted;
        delay->faded = 0;
    }
    for (uint32_t done = 0; done < n; done += PIECE) {
        const uint32_t m = n - done < PIECE ? n - done : PIECE;
        run_piece(delay, left + done, right + done, m);
    }
}
