#include "models/half.h"

#include "dsp/kernel.h"

#include <string.h>

#define SIGN         0x8000u
#define INFINITE     0x7c00u
#define QUIET        0x0200u
#define EXPONENT_GAP (112u << 23) /* the difference of the two formats' biases, 127 - 15 */

/* Divides by 2^shift and rounds to nearest, ties to even. */
static uint32_t shift_rounded(uint32_t bits, uint32_t shift)
{
    const uint32_t odd = (bits >> shift) & 1u;
    return (bits + (1u << (shift - 1u)) - 1u + odd) >> shift;
}

static uint32_t magnitude_narrowed(uint32_t size)
{
    if (size > 0x7f800000u) /* NaN */
        return INFINITE | QUIET | ((size >> 13) & 0x3ffu);
    if (size >= 0x477ff000u) /* 65520, half way between the largest number and 2^16 */
        return INFINITE;
    if (size >= 0x38800000u) /* 2^-14 */
        return shift_rounded(size - EXPONENT_GAP, 13u);
    if (size <= 0x33000000u) /* 2^-25, half of the smallest number: the tie goes to zero */
        return 0;
    return shift_rounded((size & 0x7fffffu) | 0x800000u, 126u - (size >> 23));
}

void half_from_float(const float *in, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &in[i], sizeof bits);
        out[i] = (uint16_t)(((bits >> 16) & SIGN) | magnitude_narrowed(bits & 0x7fffffffu));
    }
}

/* Branch-free, so that loops over it vectorise. A denormal half is a normal float, so that no
 * flush-to-zero mode touches it. */
static inline uint32_t magnitude_widened(uint32_t size)
{
    const float value = (float)(int32_t)size * 0x1p-24f;
    uint32_t denormal;
    memcpy(&denormal, &value, sizeof denormal);
    const uint32_t normal = (size << 13) + EXPONENT_GAP;
    const uint32_t odd = 0x7f800000u | (size << 13) | (size > INFINITE ? QUIET << 13 : 0);
    return size >= INFINITE ? odd : size >= 0x0400u ? normal : denormal;
}

KERNEL static void widen(const uint16_t *restrict in, float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t half = in[i];
        const uint32_t bits = ((half & SIGN) << 16) | magnitude_widened(half & 0x7fffu);
        memcpy(&out[i], &bits, sizeof bits);
    }
}

void half_to_float(const uint16_t *in, float *out, size_t n)
{
    widen(in, out, n);
}
