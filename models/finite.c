#include "models/finite.h"

#include "dsp/kernel.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Infinities and NaNs have all bits of the exponent. */
KERNEL static bool any_odd(const float *values, size_t n)
{
    const uint32_t exponent = 0x7f800000u;
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits &= exponent;
        most = bits > most ? bits : most;
    }
    return most == exponent;
}

size_t finite_count(const float *values, size_t n)
{
    size_t i = any_odd(values, n) ? 0 : n;
    while (i < n && isfinite(values[i]))
        i++;
    return i;
}
