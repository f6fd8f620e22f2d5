#include "models/integer_product.h"

#include "dsp/kernel.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* Outputs of the panel that begins at output o. */
static inline size_t panel_width(size_t width, size_t o)
{
    return width - o < INTEGER_PANEL ? width - o : INTEGER_PANEL;
}

size_t integer_place(size_t in, size_t width, size_t input, size_t output)
{
    const size_t first = output / INTEGER_PANEL * INTEGER_PANEL;
    return in * first + 4 * (input / 4 * panel_width(width, first) + output - first) + input % 4;
}

static void product_plain(size_t in, size_t width, const uint8_t *rows, const IntegerVector *x,
                          int32_t *y)
{
    for (size_t first = 0; first < width; first += INTEGER_PANEL) {
        const size_t n = panel_width(width, first);
        for (size_t o = 0; o < n; o++)
            y[first + o] = -INTEGER_OFFSET * x->sum;
        for (size_t i = 0; i < in; i += 4)
            for (size_t o = 0; o < n; o++, rows += 4)
                y[first + o] += rows[0] * x->x[i] + rows[1] * x->x[i + 1] + rows[2] * x->x[i + 2] +
                                rows[3] * x->x[i + 3];
    }
}

#ifdef __x86_64__

/* Four activations as one number of 32 bits, to be spread over a register. */
static inline int32_t four_at(const IntegerVector *x, size_t i)
{
    int32_t four;
    memcpy(&four, x->x + i, sizeof four);
    return four;
}

/* Panels are macros, since a loop over registers must know how many there are. n: the panel's
 * outputs, of which those from o on are meant; at: where their weights begin. */
#define SSSE3_PANEL(VECTORS)                                                                       \
    do {                                                                                           \
        __m128i sum[VECTORS];                                                                      \
        for (int v = 0; v < (VECTORS); v++)                                                        \
            sum[v] = _mm_set1_epi32(-INTEGER_OFFSET * x->sum);                                     \
        for (size_t i = 0; i < in; i += 4) {                                                       \
            const __m128i *row = (const __m128i *)(at + i * n);                                    \
            const int32_t four = four_at(x, i);                                                    \
            if (four == 0)                                                                         \
                continue;                                                                          \
            const __m128i a = _mm_set1_epi32(four), one = _mm_set1_epi16(1);                       \
            for (int v = 0; v < (VECTORS); v++) {                                                  \
                const __m128i two = _mm_maddubs_epi16(_mm_load_si128(row + v), a);                 \
                sum[v] = _mm_add_epi32(sum[v], _mm_madd_epi16(two, one));                          \
            }                                                                                      \
        }                                                                                          \
        for (int v = 0; v < (VECTORS); v++)                                                        \
            _mm_storeu_si128((__m128i *)(y + o) + v, sum[v]);                                      \
    } while (0)

__attribute__((target("ssse3"))) static void
product_ssse3(size_t in, size_t width, const uint8_t *rows, const IntegerVector *x, int32_t *y)
{
    for (size_t first = 0; first < width; first += INTEGER_PANEL) {
        const size_t n = panel_width(width, first);
        for (size_t o = first; o < first + n; o += 16) {
            const uint8_t *at = rows + in * first + 4 * (o - first);
            SSSE3_PANEL(4);
        }
    }
}

#define AVX2_PANEL(VECTORS)                                                                        \
    do {                                                                                           \
        __m256i sum[VECTORS];                                                                      \
        for (int v = 0; v < (VECTORS); v++)                                                        \
            sum[v] = _mm256_set1_epi32(-INTEGER_OFFSET * x->sum);                                  \
        for (size_t i = 0; i < in; i += 4) {                                                       \
            const __m256i *row = (const __m256i *)at + i / 4 * (VECTORS);                          \
            const int32_t four = four_at(x, i);                                                    \
            if (four == 0)                                                                         \
                continue;                                                                          \
            const __m256i a = _mm256_set1_epi32(four), one = _mm256_set1_epi16(1);                 \
            for (int v = 0; v < (VECTORS); v++) {                                                  \
                const __m256i two = _mm256_maddubs_epi16(_mm256_load_si256(row + v), a);           \
                sum[v] = _mm256_add_epi32(sum[v], _mm256_madd_epi16(two, one));                    \
            }                                                                                      \
        }                                                                                          \
        for (int v = 0; v < (VECTORS); v++)                                                        \
            _mm256_storeu_si256((__m256i *)(y + o) + v, sum[v]);                                   \
    } while (0)

__attribute__((target("avx2"))) static void
product_avx2(size_t in, size_t width, const uint8_t *rows, const IntegerVector *x, int32_t *y)
{
    for (size_t o = 0; o < width; o += INTEGER_PANEL) {
        const uint8_t *at = rows + in * o;
        switch (panel_width(width, o)) {
        case 64:
            AVX2_PANEL(8);
            break;
        case 48:
            AVX2_PANEL(6);
            break;
        case 32:
            AVX2_PANEL(4);
            break;
        default:
            AVX2_PANEL(2);
        }
    }
}

/* Each of CHAINS fours has sums of its own, since a sum takes longer than a register waits its
 * turn. */
#define VNNI_PANEL(VECTORS)                                                                        \
    do {                                                                                           \
        enum { CHAINS = 4 };                                                                       \
        __m512i sum[CHAINS][VECTORS];                                                              \
        for (int v = 0; v < (VECTORS); v++) {                                                      \
            sum[0][v] = _mm512_set1_epi32(-INTEGER_OFFSET * x->sum);                               \
            for (int c = 1; c < CHAINS; c++)                                                       \
                sum[c][v] = _mm512_setzero_si512();                                                \
        }                                                                                          \
        for (size_t i = 0; i < in; i += 4 * CHAINS) {                                              \
            static const int8_t none[4 * CHAINS];                                                  \
            if (!memcmp(x->x + i, none, sizeof none))                                              \
                continue;                                                                          \
            for (size_t c = 0; c < CHAINS; c++) {                                                  \
                const __m512i *row = (const __m512i *)at + (i / 4 + c) * (VECTORS);                \
                const __m512i a = _mm512_set1_epi32(four_at(x, i + 4 * c));                        \
                for (int v = 0; v < (VECTORS); v++)                                                \
                    sum[c][v] = _mm512_dpbusd_epi32(sum[c][v], _mm512_load_si512(row + v), a);     \
            }                                                                                      \
        }                                                                                          \
        for (int v = 0; v < (VECTORS); v++) {                                                      \
            const __m512i all = _mm512_add_epi32(_mm512_add_epi32(sum[0][v], sum[1][v]),           \
                                                 _mm512_add_epi32(sum[2][v], sum[3][v]));          \
            _mm512_storeu_si512(y + o + 16 * v, all);                                              \
        }                                                                                          \
    } while (0)

__attribute__((target("avx512f,avx512bw,avx512vnni"))) static void
product_vnni(size_t in, size_t width, const uint8_t *rows, const IntegerVector *x, int32_t *y)
{
    for (size_t o = 0; o < width; o += INTEGER_PANEL) {
        const uint8_t *at = rows + in * o;
        switch (panel_width(width, o)) {
        case 64:
            VNNI_PANEL(4);
            break;
        case 48:
            VNNI_PANEL(3);
            break;
        case 32:
            VNNI_PANEL(2);
            break;
        default:
            VNNI_PANEL(1);
        }
    }
}

IntegerProduct *integer_product_for(IntegerKernel kernel)
{
    __builtin_cpu_init();
    switch (kernel) {
    case INTEGER_VNNI:
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni")
                   ? product_vnni
                   : NULL;
    case INTEGER_AVX2:
        return __builtin_cpu_supports("avx2") ? product_avx2 : NULL;
    case INTEGER_SSSE3:
        return __builtin_cpu_supports("ssse3") ? product_ssse3 : NULL;
    default:
        return product_plain;
    }
}

#else

IntegerProduct *integer_product_for(IntegerKernel kernel)
{
    return kernel == INTEGER_PLAIN ? product_plain : NULL;
}

#endif

IntegerProduct *integer_product_best(void)
{
    int kernel = INTEGER_KERNELS - 1;
    while (!integer_product_for((IntegerKernel)kernel))
        kernel--;
    return integer_product_for((IntegerKernel)kernel);
}

/* 1.5 * 2^23 is added, which rounds to a whole number, and then is in the bits with it. Bits are
 * cut off as whole numbers, in whose order floats are and negative ones come before. Bytes are made
 * apart: compilers do each loop with whole registers. */
KERNEL static int32_t round_all(size_t n, float factor, const float *restrict x,
                                int8_t *restrict out)
{
    const int32_t zero = 0x4b400000, least = zero - INTEGER_MOST, most = zero + INTEGER_MOST;
    int32_t whole[INTEGER_INPUTS], sum = 0;
    n = n / INTEGER_WIDTH * INTEGER_WIDTH; /* which the compiler is to know */
    for (size_t i = 0; i < n; i++) {
        const union {
            float f;
            int32_t bits;
        } rounded = {.f = x[i] * factor + 12582912.0f};
        const int32_t kept = rounded.bits > least ? rounded.bits : least;
        whole[i] = (kept < most ? kept : most) - zero;
        sum += whole[i];
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (int8_t)whole[i];
    return sum;
}

void integer_round(size_t n, float factor, const float *x, IntegerVector *out)
{
    out->sum = round_all(n, factor, x, out->x);
}
