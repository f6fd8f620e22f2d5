/* Sine and cosine for loops: branch-free, so they vectorise, and the same on every processor. */
#ifndef BRUME_DSP_SINE_H
#define BRUME_DSP_SINE_H

#include <stdint.h>

/* Of an angle in radians, -10^5 to 10^5; absolute error below 2e-7 up to 10^3, 1e-5 at the ends.
 * The polynomials of Cephes' sinf and cosf, about the nearest right angle. */
static inline void sine_cosine(float angle, float *sine, float *cosine)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
    const union {
        float f;
        uint32_t bits;
    } rounded = {.f = angle * 0.636619772f + magic};
    const float n = rounded.f - magic;
    /* Products with the first two parts of pi / 2 are exact. */
    const float x = ((angle - n * 1.5703125f) - n * 4.83751296997e-4f) - n * 7.54978995489e-8f;
    const float z = x * x;
    const float s =
        x + x * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
    const float c =
        1.0f - 0.5f * z +
        z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
    /* The last bits are the number of right angles. */
    const uint32_t quarters = rounded.bits;
    const float turned_s = quarters & 1 ? c : s, turned_c = quarters & 1 ? s : c;
    *sine = quarters & 2 ? -turned_s : turned_s;
    *cosine = (quarters + 1) & 2 ? -turned_c : turned_c;
}

#endif
