/* SiLU with fused multiply-adds, for each instruction set that has them: half the time. The
 * exponential is that of models/exponential.h, but for the rounding between a product and a sum. */
#include "models/exponential.h"
#include "models/panels_layer.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { MOST_LANES = 16 };

static void silu_baseline(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] / (1 + exponential(-x[i]));
}

#if defined(__x86_64__)

typedef uint32_t Bits8 __attribute__((vector_size(32)));
typedef uint32_t Bits16 __attribute__((vector_size(64)));

/* Defines NAME, for n a multiple of MOST_LANES. */
#define DEFINE_SILU(NAME, ATTRIBUTES, VECTOR, BITS, LANES, LOAD, STORE, EVERY, FUSED, LESS, MORE)  \
    ATTRIBUTES static void NAME(size_t n, float *x)                                                \
    {                                                                                              \
        const VECTOR magic = EVERY(12582912.0f), one = EVERY(1.0f);                                \
        for (size_t i = 0; i < n; i += (LANES)) {                                                  \
            const VECTOR value = LOAD(x + i);                                                      \
            const VECTOR power = MORE(LESS(-value, EVERY(87.0f)), EVERY(-87.0f));                  \
            const VECTOR rounded = FUSED(power, EVERY(1.44269504f), magic);                        \
            const VECTOR whole = rounded - magic;                                                  \
            const VECTOR r =                                                                       \
                FUSED(whole, EVERY(2.12194440e-4f), FUSED(whole, EVERY(-0.693359375f), power));    \
            VECTOR p = FUSED(EVERY(1.9875691500e-4f), r, EVERY(1.3981999507e-3f));                 \
            p = FUSED(p, r, EVERY(8.3334519073e-3f));                                              \
            p = FUSED(p, r, EVERY(4.1665795894e-2f));                                              \
            p = FUSED(p, r, EVERY(1.6666665459e-1f));                                              \
            p = FUSED(p, r, EVERY(5.0000001201e-1f));                                              \
            p = FUSED(p * r, r, r + one);                                                          \
            const BITS two = ((BITS)rounded - 0x4b400000u + 127u) << 23;                           \
            STORE(x + i, value / FUSED(p, (VECTOR)two, one));                                      \
        }                                                                                          \
    }

DEFINE_SILU(silu_avx2, __attribute__((target("avx2,fma"))), __m256, Bits8, 8, _mm256_loadu_ps,
            _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_min_ps, _mm256_max_ps)
DEFINE_SILU(silu_avx512, __attribute__((target("avx512f"))), __m512, Bits16, 16, _mm512_loadu_ps,
            _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_min_ps, _mm512_max_ps)

static void silu(size_t n, float *x)
{
    if (panels_has(PANELS_AVX512))
        silu_avx512(n, x);
    else if (panels_has(PANELS_AVX2))
        silu_avx2(n, x);
    else
        silu_baseline(n, x);
}

#else

static void silu(size_t n, float *x)
{
    silu_baseline(n, x);
}

#endif

void panels_silu(size_t n, float *x)
{
    const size_t rest = n % MOST_LANES;
    silu(n - rest, x);
    if (rest) {
        float last[MOST_LANES] = {0.0f};
        memcpy(last, x + n - rest, rest * sizeof *x);
        silu(MOST_LANES, last);
        memcpy(x + n - rest, last, rest * sizeof *x);
    }
}
