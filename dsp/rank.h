/* Values by rank. Any thread; nothing allocates. */
#ifndef BRUME_DSP_RANK_H
#define BRUME_DSP_RANK_H

#include <stddef.h>

/* Sorts values (n,) from low to high, in place. None may be NaN. */
void rank_sort(float *values, size_t n);

/* The middle one of values (n,), n >= 1, the upper of two; sorts them. */
float rank_median(float *values, size_t n);

#endif
