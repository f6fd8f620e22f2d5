#include "dsp/pitch.h"

#include "dsp/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW     512
#define LONGEST    268 /* lag of the lowest pitch */
#define SHORTEST   5
#define CANDIDATES 7 /* the last one stands for "no pitch" */

/* Costs of the path: a frame without a pitch; becoming voiced or unvoiced; an octave's leap; a lag
 * twice as long as another that fits as well. */
static const float UNVOICED = 0.42F, TURN = 0.08F, OCTAVE = 0.35F, LONGER = 0.025F;

typedef struct Candidate {
    float lag, difference, cost;
    unsigned char from;
} Candidate;

size_t pitch_frames(size_t n)
{
    return n / PITCH_HOP + 1;
}

/* Sum of squared differences, in eight partial sums that fill a vector register. */
KERNEL static float difference(const float *a, const float *b)
{
    float sums[8] = {0.0F};
    for (size_t i = 0; i < WINDOW; i += 8)
        for (size_t j = 0; j < 8; j++) {
            const float d = a[i + j] - b[i + j];
            sums[j] += d * d;
        }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/* Samples around a frame's centre, silence beyond the ends: room (WINDOW + LONGEST + 2,). */
static void gather(const float *x, size_t n, size_t centre, float *room)
{
    const size_t size = WINDOW + LONGEST + 2;
    for (size_t i = 0; i < size; i++) {
        const size_t at = centre + i;
        room[i] = at >= size / 2 && at - size / 2 < n ? x[at - size / 2] : 0.0F;
    }
}

/* YIN's cumulative mean normalised difference at lags 0..LONGEST + 1. */
static void normalised(const float *room, float *out)
{
    float sum = 0.0F;
    out[0] = 1.0F;
    for (size_t lag = 1; lag <= LONGEST + 1; lag++) {
        const float *first = room + (LONGEST + 2 - lag) / 2;
        const float d = difference(first, first + lag);
        sum += d;
        out[lag] = sum > 0.0F ? d * (float)lag / sum : 1.0F;
    }
}

/* Keeps the candidates in order of difference; the worst falls out. */
static void insert(Candidate *list, size_t *count, float lag, float value)
{
    const float judged = value + LONGER * log2f(lag);
    size_t at = *count;
    while (at > 0 && list[at - 1].cost > judged)
        at--;
    if (at >= CANDIDATES - 1)
        return;
    if (*count < CANDIDATES - 1)
        (*count)++;
    for (size_t i = *count - 1; i > at; i--)
        list[i] = list[i - 1];
    list[at] = (Candidate){lag, value, judged, 0};
}

/* Minima of the difference, between samples by a parabola. Unused places get lag 0 and a cost that
 * no path takes; the last place is "no pitch". */
static void find_candidates(const float *d, Candidate *list, int audible)
{
    size_t count = 0;
    for (size_t lag = SHORTEST; audible && lag <= LONGEST; lag++) {
        if (!(d[lag] < d[lag - 1] && d[lag] <= d[lag + 1]) || d[lag] > 0.9F)
            continue;
        const float bend = d[lag - 1] - 2.0F * d[lag] + d[lag + 1];
        const float shift = bend > 0.0F ? 0.5F * (d[lag - 1] - d[lag + 1]) / bend : 0.0F;
        const float least = d[lag] - 0.25F * (d[lag - 1] - d[lag + 1]) * shift;
        insert(list, &count, (float)lag + shift, least > 0.0F ? least : 0.0F);
    }
    for (size_t i = count; i < CANDIDATES; i++)
        list[i] = (Candidate){0.0F, 1.0F, i + 1 < CANDIDATES ? 1e9F : UNVOICED, 0};
}

static float step_cost(const Candidate *from, const Candidate *to)
{
    if (from->lag <= 0.0F || to->lag <= 0.0F)
        return (from->lag > 0.0F) != (to->lag > 0.0F) ? TURN : 0.0F;
    const float leap = fabsf(log2f(to->lag / from->lag));
    return OCTAVE * (leap < 1.0F ? leap : 1.0F) + (leap > 0.03F ? TURN : 0.0F);
}

/* Adds to every candidate's cost that of the best path to it. */
static void extend(const Candidate *before, Candidate *now)
{
    for (size_t i = 0; i < CANDIDATES; i++) {
        float best = INFINITY;
        for (size_t j = 0; j < CANDIDATES; j++) {
            const float cost = before[j].cost + step_cost(before + j, now + i);
            if (cost < best) {
                best = cost;
                now[i].from = (unsigned char)j;
            }
        }
        now[i].cost += best;
    }
    float least = INFINITY;
    for (size_t i = 0; i < CANDIDATES; i++)
        least = fminf(least, now[i].cost);
    for (size_t i = 0; i < CANDIDATES; i++)
        now[i].cost -= least;
}

static void trace_back(const Candidate *list, size_t frames, PitchFrame *out)
{
    size_t at = 0;
    for (size_t i = 1; i < CANDIDATES; i++)
        if (list[(frames - 1) * CANDIDATES + i].cost < list[(frames - 1) * CANDIDATES + at].cost)
            at = i;
    for (size_t f = frames; f-- > 0;) {
        const Candidate *row = list + f * CANDIDATES;
        out[f].hertz = row[at].lag > 0.0F ? (float)PITCH_RATE / row[at].lag : 0.0F;
        out[f].period = 1.0F - (row[at].lag > 0.0F ? row[at].difference : row[0].difference);
        at = row[at].from;
    }
}

static float level_at(const float *x, size_t n, size_t centre)
{
    const size_t first = centre > WINDOW / 2 ? centre - WINDOW / 2 : 0;
    const size_t end = centre + WINDOW / 2 < n ? centre + WINDOW / 2 : n;
    double sum = 0.0;
    for (size_t i = first; i < end; i++)
        sum += (double)x[i] * (double)x[i];
    return end > first ? (float)sqrt(sum / (double)(end - first)) : 0.0F;
}

int pitch_track(const float *x, size_t n, PitchFrame *out, Error *err)
{
    const size_t frames = pitch_frames(n);
    Candidate *list = malloc(frames * CANDIDATES * sizeof *list);
    if (!list)
        return error_set(err, "out of memory for the pitch of %zu frames", frames);
    float loudest = 0.0F;
    for (size_t f = 0; f < frames; f++) {
        out[f].level = level_at(x, n, f * PITCH_HOP);
        loudest = fmaxf(loudest, out[f].level);
    }
    const float gate = fmaxf(1e-3F * loudest, 3e-5F);
    float room[WINDOW + LONGEST + 2], d[LONGEST + 2];
    for (size_t f = 0; f < frames; f++) {
        const int audible = out[f].level > gate;
        if (audible) {
            gather(x, n, f * PITCH_HOP, room);
            normalised(room, d);
        }
        find_candidates(d, list + f * CANDIDATES, audible);
        if (f > 0)
            extend(list + (f - 1) * CANDIDATES, list + f * CANDIDATES);
    }
    trace_back(list, frames, out);
    free(list);
    return 0;
}
