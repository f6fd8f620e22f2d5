/* A tune for tests: a plucked string, six seconds in C at 48 kHz. */
#ifndef BRUME_TESTS_TUNE_H
#define BRUME_TESTS_TUNE_H

#include <math.h>
#include <stddef.h>

enum { TUNE_RATE = 48000, TUNE_NOTES = 24, TUNE_FRAMES = TUNE_NOTES * TUNE_RATE / 4 };

/* Its frame number i: eighths of 0.25 s, each of eight partials that die away. */
static inline float tune_frame(size_t i)
{
    static const int notes[TUNE_NOTES] = {60, 62, 64, 65, 67, 65, 64, 62, 64, 65, 67, 69,
                                          67, 64, 62, 60, 64, 67, 72, 71, 69, 67, 64, 60};
    const double hertz = 440 * pow(2, (notes[i / (TUNE_RATE / 4) % TUNE_NOTES] - 69) / 12.0);
    const double t = (double)(i % (TUNE_RATE / 4)) / TUNE_RATE;
    double sum = 0;
    for (int k = 1; k <= 8; k++)
        sum += exp(-2.0 * t * k) * sin(6.283185307 * hertz * k * t) / k;
    return (float)(0.25 * sum * fmin(1.0, t / 0.002));
}

/* Adds it to in (frames,), from frame `from` on, as far as there is room. */
static inline void tune_add(float *in, size_t frames, size_t from)
{
    for (size_t i = 0; i < TUNE_FRAMES && from + i < frames; i++)
        in[from + i] += tune_frame(i);
}

#endif
