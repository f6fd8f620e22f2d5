/* Levels: decibels, fades, and the soft limiter at the end of the chain.
 *
 * All functions: any thread, no allocation, no state, no failure. Audio is any number of float
 * samples in a row; full scale is 1. */
#ifndef BRUME_DSP_GAIN_H
#define BRUME_DSP_GAIN_H

#include <stddef.h>

/* The factor 10^(db / 20): 0 dB is 1, minus infinity is 0. */
float gain_from_db(float db);

/* The level 20 log10(linear) in dB, never below -200: zero, negative numbers and NaN give -200. */
float gain_to_db(float linear);

/* Multiplies x[0 .. n - 1] by a gain that moves in a straight line: x[i] by
 * from + (to - from) (i + 1) / n. The last sample has exactly `to`, so that a block which goes on
 * from `to` joins without a step, and from == to multiplies by exactly that. */
void fade_ramp(float *x, size_t n, float from, float to);

/* Crossfades n samples at equal power: out[i] = old[i] cos(t) + new_[i] sin(t) with
 * t = pi/2 (position + i + 1) / length. `position` is how many samples of the fade came before this
 * block; sample number length - 1 of the fade, and all after it, are exactly new_ (at once when
 * length is 0). `out` may be `old` or `new_`. A fade cut into blocks equals the whole to the bit.
 */
void crossfade_power(const float *old, const float *new_, float *out, size_t n, size_t position,
                     size_t length);

/* The magnitude from which limiter_apply bends the signal: -1.0025 dBFS. */
#define LIMITER_KNEE 0.891F

/* Soft-limits x[0 .. n - 1] in place, each sample by itself. With a = |x|, k = LIMITER_KNEE and
 * e = (a - k) / (1 - k), the magnitude becomes
 *     a                                  a <= k: the same bits
 *     k + (1 - k) e / sqrt(1 + e^2)      a > k
 * and keeps its sign. Slope 1 and curvature 0 at the knee (the curve is smooth there to the second
 * derivative), 0.9681 at a = 1, and 1 in the limit; never above 1. NaN and infinities become 0, and
 * denormal numbers a zero of their sign. */
void limiter_apply(float *x, size_t n);

#endif
