/* Numbers that are none. */
#ifndef BRUME_MODELS_FINITE_H
#define BRUME_MODELS_FINITE_H

#include <stddef.h>

/* How many of `values` (n,) come before the first infinity or NaN: n if there is none. Any thread.
 */
size_t finite_count(const float *values, size_t n);

#endif
