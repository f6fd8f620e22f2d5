#include "dsp/pulse.h"

#include <math.h>
#include <string.h>

#define STEPS 220

static const double TURN = 6.283185307179586;
static const double SHORTEST = 0.08, LONGEST = 0.7;

static double seconds(size_t samples)
{
    return (double)samples / PITCH_RATE;
}

static double step_at(size_t i)
{
    return SHORTEST * pow(LONGEST / SHORTEST, (double)i / (STEPS - 1));
}

/* Mean cosine of the intervals' phase; longer intervals count less, for a pulse may drift. */
static double score(const Note *note, size_t count, double step)
{
    double sum = 0.0, weights = 0.0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count && j <= i + 4; j++) {
            const double interval = seconds(note[j].onset - note[i].onset);
            const double weight = (double)(note[i].sure * note[j].sure + 0.01F) / (double)(j - i);
            if (interval > 3.0)
                break;
            sum += weight * cos(TURN * interval / step);
            weights += weight;
        }
    return weights > 0.0 ? sum / weights : 0.0;
}

/* Phase of the step, in seconds from the start, by the onsets' mean direction on its circle. */
static double phase_of(const Note *note, size_t count, double step)
{
    double real = 0.0, imaginary = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double turn = TURN * seconds(note[i].onset) / step;
        real += cos(turn);
        imaginary += sin(turn);
    }
    const double phase = atan2(imaginary, real) / TURN * step;
    return phase < 0.0 ? phase + step : phase;
}

/* How much more of the notes' length starts on every m-th step than on the others, best offset. */
static double accent(const Note *note, size_t count, double step, double phase, size_t multiple)
{
    double weight[8] = {0.0}, all = 0.0, best = 0.0;
    for (size_t i = 0; i + 1 < count; i++) {
        const double length = fmin(1.0, seconds(note[i + 1].onset - note[i].onset));
        const long at = lround((seconds(note[i].onset) - phase) / step);
        weight[(size_t)(at + 840) % multiple] += length;
        all += length;
    }
    for (size_t i = 0; i < multiple; i++)
        best = fmax(best, weight[i]);
    return all > 0.0 ? best / all * (double)multiple : 1.0;
}

static double beat_of(const Note *note, size_t count, double step, double phase)
{
    static const size_t multiples[] = {1, 2, 3, 4, 6, 8};
    double best = 0.0, beat = step;
    for (size_t i = 0; i < sizeof multiples / sizeof *multiples; i++) {
        const double length = step * (double)multiples[i];
        const double away = log2(length / 0.5);
        const double value =
            exp(-away * away) * sqrt(accent(note, count, step, phase, multiples[i]));
        if (value > best) {
            best = value;
            beat = length;
        }
    }
    return beat;
}

/* A finer step about `step`, and its score. */
static double sharpen(const Note *note, size_t count, double *step)
{
    double best = score(note, count, *step);
    for (double width = 0.004; width > 0.0002; width *= 0.5) {
        const double down = *step * (1.0 - width), up = *step * (1.0 + width);
        const double lower = score(note, count, down), upper = score(note, count, up);
        if (lower > best && lower >= upper) {
            best = lower;
            *step = down;
        } else if (upper > best) {
            best = upper;
            *step = up;
        }
    }
    return best;
}

void pulse_find(const Note *note, size_t count, Pulse pulse[NOTES_PULSES])
{
    memset(pulse, 0, NOTES_PULSES * sizeof *pulse);
    if (count < 4)
        return;
    double scores[STEPS + 2] = {-1.0}, highest = 0.0;
    scores[STEPS + 1] = -1.0;
    for (size_t i = 0; i < STEPS; i++) {
        scores[i + 1] = score(note, count, step_at(i));
        highest = fmax(highest, scores[i + 1]);
    }
    size_t found = 0;
    for (size_t i = STEPS; i-- > 0 && found < NOTES_PULSES;) {
        if (scores[i + 1] < scores[i] || scores[i + 1] <= scores[i + 2] ||
            scores[i + 1] < 0.8 * highest || scores[i + 1] < 0.2)
            continue;
        double step = step_at(i);
        const double strength = sharpen(note, count, &step);
        const double phase = phase_of(note, count, step);
        pulse[found++] =
            (Pulse){(float)step, (float)phase, (float)beat_of(note, count, step, phase),
                    (float)fmax(0.0, fmin(1.0, strength))};
    }
}
