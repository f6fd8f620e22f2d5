/* Tones and tunes to test the analysis of melodies with. */
#ifndef BRUME_TESTS_UNIT_MELODY_TONES_H
#define BRUME_TESTS_UNIT_MELODY_TONES_H

#include "dsp/pitch.h"

#include <math.h>
#include <stddef.h>

static inline double tone_hertz(double pitch)
{
    return 440.0 * exp2((pitch - 69.0) / 12.0);
}

/* Adds a plucked tone to x (n,): six harmonics of amplitude level / p, straight attack of 3 ms,
 * falling by `fall` nepers a second, let go after `length` samples (then it falls by 60 a second).
 */
static inline void tone_add(float *x, size_t n, size_t onset, size_t length, double pitch,
                            double level, double fall)
{
    const double turn = 6.283185307179586 * tone_hertz(pitch) / PITCH_RATE;
    for (size_t t = 0; onset + t < n && t < length + 3200; t++) {
        const double seconds = (double)t / PITCH_RATE;
        double gain = level * exp(-fall * seconds) * (t < 48 ? (double)t / 48.0 : 1.0);
        if (t > length)
            gain *= exp(-60.0 * (double)(t - length) / PITCH_RATE);
        for (int p = 1; p <= 6 && p * turn < 3.1; p++)
            x[onset + t] += (float)(gain / p * cos(turn * p * (double)t + p));
    }
}

/* A tune of 24 notes, one in 0.25 s (4000 samples) from sample 1600 on, the first of each four
 * louder. Returns how many of them begin within n samples; pitch (24,) gets their MIDI numbers. */
static inline size_t tone_tune(float *x, size_t n, double fall, double *pitch)
{
    static const int steps[24] = {60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 72,
                                  71, 67, 65, 62, 64, 64, 65, 67, 69, 67, 64, 60};
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        x[i] = 0.0F;
    for (size_t i = 0; i < 24 && 1600 + 4000 * i < n; i++) {
        pitch[count++] = steps[i];
        tone_add(x, n, 1600 + 4000 * i, 3500, steps[i], i % 4 ? 0.15 : 0.2, fall);
    }
    return count;
}

#endif
