/* From several channels to one, for analysis. Any thread; no allocation, no failure. */
#ifndef BRUME_DSP_DOWNMIX_H
#define BRUME_DSP_DOWNMIX_H

#include <stddef.h>

/* frames (n, channels) -> mono (n,): their mean; or the loudest of them where the mean has less
 * than an eighth of its power, as with channels of opposite phase. `mono` may be `frames`. */
void downmix(const float *frames, size_t n, unsigned channels, float *mono);

#endif
