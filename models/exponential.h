/* exp, the logistic function and tanh for loops over channels: branch-free, so they vectorise, and
 * the same on every processor. */
#ifndef BRUME_MODELS_EXPONENTIAL_H
#define BRUME_MODELS_EXPONENTIAL_H

#include "models/real.h"

#include <math.h>
#include <stdint.h>

#ifdef BRUME_DOUBLE
static inline real exponential(real x)
{
    return exp(x);
}
#else
/* exp(x) for x clamped to +-87, relative error below 2e-7: 2^n times the polynomial of Cephes'
 * expf. Branch-free, so loops over it vectorise. */
static inline float exponential(float x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
    x = x > 87.0f ? 87.0f : x;
    x = x < -87.0f ? -87.0f : x;
    const union {
        float f;
        uint32_t bits;
    } rounded = {.f = x * 1.44269504f + magic};
    const float n = rounded.f - magic;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    /* Its last bits are the whole number. No conversion, which would be undefined for a NaN. */
    const union {
        uint32_t bits;
        float f;
    } power = {.bits = (rounded.bits - 0x4b400000u + 127u) << 23};
    return p * power.f;
}
#endif

/* 1 / (1 + exp(-x)). */
static inline real sigmoid(real x)
{
    return 1 / (1 + exponential(-x));
}

/* tanh(x), absolute error below 2e-7 in float. */
static inline real hyperbolic(real x)
{
    return 1 - 2 / (1 + exponential(2 * x));
}

#endif
