/* A long night, block by block. */
#include "plugin/ports.h"
#include "tests/host/night_parts.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_MOST = 8192, TURN = 2 * TUNE_FRAMES };

static const double STUCK_SECONDS = 15.0;

/* splitmix64. */
static uint64_t next(Night *night)
{
    uint64_t z = *(night->plays ? &night->chance : &night->random) += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

double night_draw(Night *night)
{
    return (double)(next(night) >> 11) * 0x1p-53;
}

uint32_t night_pick(Night *night, uint32_t n)
{
    return (uint32_t)(night_draw(night) * n);
}

double night_draw_between(Night *night, double a, double b)
{
    return a * pow(b / a, night_draw(night));
}

void night_tell(const Night *night, const char *format, ...)
{
    va_list arguments;
    if (!night->plan->tells)
        return;
    va_start(arguments, format);
    fprintf(stderr, "%10.2f s  ", night->report->seconds);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* The tune at the host's rate, and as much silence. */
static float tune_at(const Night *night, uint64_t frame)
{
    const double at = fmod((double)frame * TUNE_RATE / night->rate, TURN);
    const size_t i = (size_t)at;
    const double part = at - (double)i;
    if (i >= TUNE_FRAMES)
        return 0.0F;
    return (float)((1 - part) * (double)night->tune[i] + part * (double)night->tune[i + 1]);
}

static float hostile(Night *night)
{
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e35F, -FLT_MAX, FLT_MIN / 16};
    return night_pick(night, 1000) ? 0.1F : bad[night_pick(night, sizeof bad / sizeof *bad)];
}

static float input_at(Night *night, uint64_t frame)
{
    switch (night->input) {
    case NIGHT_TUNE:
        return tune_at(night, frame);
    case NIGHT_NOISE:
        return (float)(2 * night_draw(night) - 1);
    case NIGHT_HOSTILE:
        return hostile(night);
    case NIGHT_SILENCE:
    case NIGHT_INPUTS:
        break;
    }
    return 0.0F;
}

static void fill(Night *night, float came[2][BLOCK_MOST], uint32_t n)
{
    float *left = host_in(night->host, 0), *right = host_in(night->host, 1);
    for (uint32_t i = 0; i < n; i++) {
        const float x = input_at(night, night->heard + i);
        came[0][i] = left[i] = x;
        came[1][i] = right[i] = night->input == NIGHT_TUNE ? x : 0.5F * x;
    }
    night->heard += n;
}

static void look_at_sound(Night *night, uint32_t n)
{
    for (int c = 0; c < 2; c++) {
        const float *out = host_out(night->host, c);
        for (uint32_t i = 0; i < n; i++) {
            const float a = fabsf(out[i]);
            const bool sane = a <= NIGHT_PEAK && (a == 0.0F || a >= FLT_MIN);
            if (!sane && night->report->insane++ == 0)
                fprintf(stderr, "%.3f s: a sample of %g\n", night->report->seconds, (double)out[i]);
            night->report->peak = fmaxf(night->report->peak, isfinite(a) ? a : 0);
            night->loudest = fmax(night->loudest, (double)a);
        }
    }
}

/* What cannot be: a counter that is no whole number or falls, a share of more than one core, more
 * in store than there is room, a latency where there is none or that is no whole number. */
static void look_at_meters(Night *night)
{
    const double underruns = (double)host_get(night->host, "underruns");
    const double load = (double)host_get(night->host, "load");
    const double buffered = (double)host_get(night->host, "buffered");
    const double latency = (double)host_get(night->host, "latency");
    const bool sane = underruns >= night->underruns && underruns == floor(underruns) && load >= 0 &&
                      load <= 1.02 && buffered >= 0 && buffered <= 2.01 && latency >= 0 &&
                      latency <= 4 * night->rate && latency == floor(latency);
    if (!sane && night->report->meters++ == 0)
        fprintf(stderr, "%.3f s: underruns %g after %g, load %g, buffered %g, latency %g\n",
                night->report->seconds, underruns, night->underruns, load, buffered, latency);
    if (underruns > night->underruns) {
        night->report->underruns += (uint64_t)(underruns - night->underruns);
        fprintf(stderr,
                "%.3f s: underruns %g after %g: mode %g, steps %g, load %g, buffered %g; longest "
                "stall so far %.3f s, late by %.3f s\n",
                night->report->seconds, underruns, night->underruns,
                (double)host_get(night->host, "mode"), (double)host_get(night->host, "steps"), load,
                buffered, night->report->stall, night->report->late);
    }
    night->underruns = underruns;
}

/* Ten times a second: each move makes an export's sound anew from there. */
static void sweep(Night *night)
{
    if (night->swept < 0 || !night->watching || night->report->seconds < night->swept_at + 0.1)
        return;
    night->swept_at = night->report->seconds;
    const PortRange *range = port_range((PortIndex)night->swept);
    const double at =
        (double)range->minimum + night_draw(night) * (double)(range->maximum - range->minimum);
    host_set(night->host, range->symbol, (float)at);
    night->report->knobs++;
}

/* Where the transport is, told now and then as hosts do. */
static void roll(Night *night, uint32_t n)
{
    if (night->rolls && night_pick(night, 16) == 0)
        host_position(night->host, 0, night->position, 1,
                      (float)fmod((double)night->position * 2 / night->rate, 4));
    night->position += night->rolls ? n : 0;
}

static uint32_t draw_block(Night *night)
{
    if (night->block > 0)
        return night->block;
    return (uint32_t)night_draw_between(night, 1, BLOCK_MOST);
}

/* In real time a host whose audio thread was held up goes on from where it is, as after an xrun. */
static void run_block(Night *night, uint32_t n)
{
    if (!night->plan->paced || night->exporting) {
        host_run(night->host, n);
        return;
    }
    const double late = host_late(night->host);
    if (late > 0.05)
        host_pace_begin(night->host);
    night->report->late = fmax(night->report->late, late);
    host_run_paced(night->host, n);
}

static void compare(Night *night, float came[2][BLOCK_MOST], uint32_t n)
{
    for (int c = 0; c < 2; c++)
        if (memcmp(came[c], host_out(night->host, c), n * sizeof(float))) {
            night->report->bypassed++;
            return;
        }
}

static void look(Night *night, float came[2][BLOCK_MOST], uint32_t n)
{
    const double took = host_took(night->host).seconds;
    night->report->longest = fmax(night->report->longest, took);
    if (took > STUCK_SECONDS && night->report->stuck++ < 8)
        fprintf(stderr, "%.3f s: run() of %u frames took %.1f s; mode %g, status: %s\n",
                night->report->seconds, n, took, (double)host_get(night->host, "mode"),
                host_status(night->host));
    look_at_sound(night, n);
    if (night->compares)
        compare(night, came, n);
    if (night->watching)
        look_at_meters(night);
}

void night_activate(Night *night)
{
    host_activate(night->host);
    night->underruns = 0;
    night->report->activations++;
}

void night_play(Night *night, double seconds)
{
    static float came[2][BLOCK_MOST];
    /* What this thread did meanwhile no host does on that of sound. But the next block is not due
     * before the last one has sounded. */
    if (host_late(night->host) > 0)
        host_pace_begin(night->host);
    night->plays = true;
    for (double done = 0; done < seconds;) {
        const uint32_t n = draw_block(night);
        fill(night, came, n);
        sweep(night);
        roll(night, n);
        run_block(night, n);
        look(night, came, n);
        done += n / night->rate;
        night->report->seconds += n / night->rate;
        night->report->blocks++;
    }
    night->plays = false;
}

void night_settle(Night *night)
{
    do
        night_play(night, 0.05);
    while (!host_idle(night->host));
    night_play(night, 0.05);
}
