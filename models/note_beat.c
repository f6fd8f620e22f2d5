#include "models/note_beat.h"

#include <math.h>
#include <string.h>

enum { TRIALS = 202, LIKELY = 11, LOOKED_AT = 256 };

static const double FASTEST = 0.2, TRIAL_STEP = 1.01; /* 0.2 s * 1.01^202 = 1.5 s */
static const double JITTER = 0.015;                   /* seconds, standard deviation of an onset */
static const double FARTHEST = 4.0;   /* deviations beyond which an onset is no worse: a slip */
static const double FOLLOWING = 0.25; /* how far the grid goes along with an onset beside it */
static const double BENDING = 0.1;    /* and the beat */

/* -ln p of the steps that tunes are made of, in twelfths of a beat; measured on folk tunes. */
static const struct {
    int units;
    double cost;
} LIKELY_STEPS[LIKELY] = {{6, 0.5}, {12, 1.5}, {18, 3.4}, {3, 3.7}, {24, 3.8}, {4, 4.3},
                          {9, 5.1}, {36, 5.4}, {48, 6.6}, {2, 7.0}, {8, 7.0}};
static const double UNLIKELY = 9.0;

static double step_cost(int units)
{
    for (int i = 0; i < LIKELY; i++)
        if (LIKELY_STEPS[i].units == units)
            return LIKELY_STEPS[i].cost;
    return UNLIKELY;
}

/* The best step for `span` seconds; what it costs is added to `beat`. */
static uint8_t best_step(double span, double unit, NoteBeat *beat)
{
    const unsigned near = note_step_nearest(span / unit);
    const unsigned first = near > 3 ? near - 3 : 0;
    NoteBeat least = {.misfit = INFINITY, .rarity = INFINITY};
    uint8_t best = 0;
    for (unsigned s = first; s < NOTE_STEPS && s <= near + 3; s++) {
        const double off = fabs(span - note_step_units(s) * unit) / JITTER;
        const double misfit = 0.5 * fmin(off * off, FARTHEST * FARTHEST + 0.2 * off);
        const double rarity = step_cost(note_step_units(s));
        if (misfit + rarity < least.misfit + least.rarity) {
            least.misfit = misfit;
            least.rarity = rarity;
            best = (uint8_t)s;
        }
    }
    beat->misfit += least.misfit;
    beat->rarity += least.rarity;
    return best;
}

NoteBeat note_steps_fit(const NoteHeard *heard, size_t count, double seconds, uint8_t *steps,
                        double *late)
{
    double grid = heard[0].onset, unit = seconds / NOTE_GRID;
    NoteBeat beat = {.seconds = seconds};
    for (size_t i = 0; i + 1 < count; i++) {
        steps[i] = best_step(heard[i + 1].onset - grid, unit, &beat);
        const double units = note_step_units(steps[i]);
        grid += units * unit;
        const double beside = heard[i + 1].onset - grid;
        if (fabs(beside) > FARTHEST * JITTER) {
            grid += beside; /* a slip: the grid begins again */
        } else {
            grid += FOLLOWING * beside;
            unit += BENDING * beside / units;
        }
    }
    beat.seconds = unit * NOTE_GRID;
    if (late)
        *late = heard[count - 1].onset - grid;
    return beat;
}

/* The beat that puts the onsets nearest to their steps: least squares of onset on grid. */
static double refine(const NoteHeard *heard, size_t count, double seconds)
{
    uint8_t steps[LOOKED_AT];
    double place = 0.0, sums[4] = {0.0};
    note_steps_fit(heard, count, seconds, steps, NULL);
    for (size_t i = 0; i < count; i++) {
        sums[0] += place;
        sums[1] += heard[i].onset;
        sums[2] += place * place;
        sums[3] += place * heard[i].onset;
        place += i + 1 < count ? note_step_units(steps[i]) : 0;
    }
    const double n = (double)count, spread = sums[2] - sums[0] * sums[0] / n;
    const double slope = (sums[3] - sums[0] * sums[1] / n) / spread;
    const double refined = slope * NOTE_GRID;
    return fabs(refined / seconds - 1.0) < 0.03 ? refined : seconds;
}

static double cost_of(NoteBeat beat)
{
    return beat.misfit + beat.rarity;
}

/* Puts a beat in its place among those so far, unless one as good is there; returns their number.
 */
static size_t insert(NoteBeat *beats, size_t count, NoteBeat beat)
{
    for (size_t i = 0; i < count; i++)
        if (fabs(log(beats[i].seconds / beat.seconds)) < 0.02) {
            if (cost_of(beats[i]) <= cost_of(beat))
                return count;
            memmove(beats + i, beats + i + 1, (count - i - 1) * sizeof *beats);
            count--;
            break;
        }
    size_t at = count;
    while (at > 0 && cost_of(beats[at - 1]) > cost_of(beat))
        at--;
    if (at == NOTE_BEATS)
        return count;
    const size_t moved = (count < NOTE_BEATS ? count : NOTE_BEATS - 1) - at;
    memmove(beats + at + 1, beats + at, moved * sizeof *beats);
    beats[at] = beat;
    return count < NOTE_BEATS ? count + 1 : count;
}

size_t note_beats_find(const NoteHeard *heard, size_t count, NoteBeat beats[NOTE_BEATS])
{
    if (count < 3)
        return 0;
    if (count > LOOKED_AT) { /* the newest say what the beat is now */
        heard += count - LOOKED_AT;
        count = LOOKED_AT;
    }
    uint8_t steps[LOOKED_AT];
    size_t found = 0;
    double trial = FASTEST;
    for (int i = 0; i < TRIALS; i++, trial *= TRIAL_STEP) {
        NoteBeat beat = {.seconds = refine(heard, count, trial)};
        const NoteBeat fit = note_steps_fit(heard, count, beat.seconds, steps, NULL);
        beat.misfit = fit.misfit;
        beat.rarity = fit.rarity;
        found = insert(beats, found, beat);
    }
    return found;
}
