/* Cosine and sine of angles in turns, for loops over many: branch-free, so they vectorise, and the
 * same on every processor. */
#ifndef BRUME_DSP_TURNS_H
#define BRUME_DSP_TURNS_H

#include <stdint.h>

/* What is left of `turns` (within +-1e15) without whole turns: -0.5..0.5. */
static inline float turns_left(double turns)
{
    const double magic = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to a whole number */
    const double whole = (turns + magic) - magic;
    return (float)(turns - whole);
}

/* cos and sin of 2 pi turns, turns within +-0.5; absolute error below 2e-7. The polynomials of
 * Cephes' sinf and cosf, for up to an eighth of a turn on both sides of whole quarters. */
static inline void turns_phasor(float turns, float *cosine, float *sine)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23 */
    const union {
        float f;
        uint32_t bits;
    } rounded = {.f = 4.0f * turns + magic};
    const uint32_t quarter = rounded.bits;
    const float x = 1.57079633f * (4.0f * turns - (rounded.f - magic)), z = x * x;
    const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * x + x;
    const float c = ((2.4433157118e-5f * z - 1.3887316255e-3f) * z + 4.1666645683e-2f) * z * z -
                    0.5f * z + 1.0f;
    *sine = (quarter & 1 ? c : s) * (quarter & 2 ? -1.0f : 1.0f);
    *cosine = (quarter & 1 ? s : c) * ((quarter + 1) & 2 ? -1.0f : 1.0f);
}

#endif
