/* IEEE 754 binary16, the format that the weights files keep numbers in to be half the size. */
#ifndef BRUME_MODELS_HALF_H
#define BRUME_MODELS_HALF_H

#include <stddef.h>
#include <stdint.h>

/* Rounds in[0..n) to binary16 bit patterns, to nearest, ties to even (IEEE 754-2019, 4.3.1).
 * What is 65520 or more in size becomes an infinity; results below 2^-14 are denormal numbers or
 * signed zeros; a NaN stays a NaN (quiet, with the upper bits of its payload). The result does not
 * depend on the processor's rounding or flush-to-zero mode. in and out must not overlap.
 * Any thread; cannot fail. */
void half_from_float(const float *in, uint16_t *out, size_t n);

/* Widens the binary16 bit patterns in[0..n) to float, exactly. A NaN stays a NaN (quiet).
 * in and out must not overlap. Any thread; cannot fail. */
void half_to_float(const uint16_t *in, float *out, size_t n);

#endif
