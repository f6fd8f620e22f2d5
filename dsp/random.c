#include "dsp/random.h"

#include "dsp/kernel.h"

#include <math.h>
#include <string.h>

enum { BLOCK_WORDS = 4, ROUNDS = 10 };

/* Blocks that Gaussian values are made from at once. */
enum { BATCH = 16, BATCH_VALUES = BATCH * BLOCK_WORDS };

/* The paper's multipliers and Weyl increments for 4x32. */
static const uint32_t MULTIPLIER_0 = 0xD2511F53U;
static const uint32_t MULTIPLIER_1 = 0xCD9E8D57U;
static const uint32_t WEYL_0 = 0x9E3779B9U;
static const uint32_t WEYL_1 = 0xBB67AE85U;

static const double TWO_TO_MINUS_32 = 1.0 / 4294967296.0;
static const double TWO_TO_MINUS_53 = 1.0 / 9007199254740992.0;
static const double TWO_PI = 6.283185307179586476925;

__extension__ typedef unsigned __int128 Wide;

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t product_0 = (uint64_t)MULTIPLIER_0 * x0;
        const uint64_t product_1 = (uint64_t)MULTIPLIER_1 * x2;
        x0 = (uint32_t)(product_1 >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)product_1;
        x2 = (uint32_t)(product_0 >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)product_0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

static void block_words(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[BLOCK_WORDS])
{
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream,
                                 (uint32_t)(stream >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    philox4x32(counter, key, out);
}

static uint64_t pair_of_words(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t words[BLOCK_WORDS];
    block_words(seed, stream, index / 2, words);
    const size_t at = (size_t)(index % 2) * 2;
    return (uint64_t)words[at + 1] << 32 | words[at];
}

void random_bits(uint64_t seed, uint64_t stream, uint64_t first, uint32_t *out, size_t n)
{
    for (size_t done = 0; done < n;) {
        const uint64_t word = first + done;
        const size_t skip = (size_t)(word % BLOCK_WORDS);
        const size_t rest = n - done;
        const size_t take = rest < BLOCK_WORDS - skip ? rest : BLOCK_WORDS - skip;
        uint32_t words[BLOCK_WORDS];
        block_words(seed, stream, word / BLOCK_WORDS, words);
        memcpy(out + done, words + skip, take * sizeof *out);
        done += take;
    }
}

double random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (double)(pair_of_words(seed, stream, index) >> 11) * TWO_TO_MINUS_53;
}

uint64_t random_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t limit)
{
    return (uint64_t)(((Wide)pair_of_words(seed, stream, index) * limit) >> 64);
}

/* The blocks number first .. first + BATCH - 1, which wrap where their values do; word w of each
 * lies in words[w]. */
static inline void batch_words(uint64_t seed, uint64_t stream, uint64_t first,
                               uint32_t words[BLOCK_WORDS][BATCH])
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (size_t i = 0; i < BATCH; i++) {
        const uint64_t index = (first + i) & UINT64_MAX / BLOCK_WORDS;
        words[0][i] = (uint32_t)index;
        words[1][i] = (uint32_t)(index >> 32);
        words[2][i] = (uint32_t)stream;
        words[3][i] = (uint32_t)(stream >> 32);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < BATCH; i++) {
            const uint64_t product_0 = (uint64_t)MULTIPLIER_0 * words[0][i];
            const uint64_t product_1 = (uint64_t)MULTIPLIER_1 * words[2][i];
            words[0][i] = (uint32_t)(product_1 >> 32) ^ words[1][i] ^ k0;
            words[1][i] = (uint32_t)product_1;
            words[2][i] = (uint32_t)(product_0 >> 32) ^ words[3][i] ^ k1;
            words[3][i] = (uint32_t)product_0;
        }
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
}

typedef union Bits {
    double value;
    uint64_t bits;
} Bits;

/* The natural logarithm of a normal number above 0, to less than a unit in the last place: with
 * x = 2^k m, m from sqrt(1/2) to sqrt(2), and s = (m - 1) / (m + 1), it is k ln 2 + 2 artanh s, by
 * the polynomial of FreeBSD's msun (e_log.c). */
static inline double logarithm(double x)
{
    const Bits least = {.value = 0x1.6a09ep-1}; /* sqrt(1/2), rounded down */
    const Bits one = {.value = 1.0};
    const Bits whole = {.value = 0x1p52}; /* with a small whole number for its last bits */
    Bits m = {.value = x};
    m.bits += one.bits - least.bits;
    const Bits exponent = {.bits = whole.bits | m.bits >> 52};
    const double k = exponent.value - (0x1p52 + 1023.0);
    m.bits = (m.bits & 0xfffffffffffffU) + least.bits;
    const double f = m.value - 1.0, s = f / (2.0 + f), z = s * s, w = z * z;
    const double odd = z * (6.666666666666735130e-01 +
                            w * (2.857142874366239149e-01 +
                                 w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    const double even = w * (3.999999999940941908e-01 +
                             w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    const double square = 0.5 * f * f;
    return k * 6.93147180369123816490e-01 -
           ((square - (s * (square + (odd + even)) + k * 1.90821492927058770002e-10)) - f);
}

/* Cosine and sine of an angle `quarters` right angles about x + tail, |x| at most pi / 4, by the
 * polynomials of msun (k_cos.c, k_sin.c). */
static inline void cosine_sine(double x, double tail, uint32_t quarters, double *cosine,
                               double *sine)
{
    const double z = x * x, half = 0.5 * z, w = 1.0 - half;
    const double c =
        z * (4.16666666666666019037e-02 +
             z * (-1.38888888888741095749e-03 +
                  z * (2.48015872894767294178e-05 +
                       z * (-2.75573143513906633035e-07 +
                            z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
    const double s = 8.33333333332248946124e-03 +
                     z * (-1.98412698298579493134e-04 +
                          z * (2.75573137070700676789e-06 +
                               z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)));
    const Bits along = {.value = w + (((1.0 - w) - half) + (z * c - x * tail))};
    const Bits across = {
        .value = x - ((z * (0.5 * tail - z * x * s) - tail) - z * x * -1.66666666666666324348e-01)};
    const uint64_t turned = -(uint64_t)(quarters & 1);
    const uint64_t sign_c = (uint64_t)((quarters + 1) >> 1 & 1) << 63;
    const uint64_t sign_s = (uint64_t)(quarters >> 1 & 1) << 63;
    const Bits c_bits = {.bits = ((along.bits & ~turned) | (across.bits & turned)) ^ sign_c};
    const Bits s_bits = {.bits = ((across.bits & ~turned) | (along.bits & turned)) ^ sign_s};
    *cosine = c_bits.value;
    *sine = s_bits.value;
}

/* Box and Muller's pairs from words a and b. The half keeps the logarithm's argument off zero, and
 * below one. */
static inline void gaussian_pairs(const uint32_t a[BATCH], const uint32_t b[BATCH],
                                  float first[BATCH], float second[BATCH])
{
    /* pi / 2 in two parts: whole multiples of the first are exact. */
    const double right = 1.57079632673412561417e+00, rest = 6.07710050650619224932e-11;
    for (size_t i = 0; i < BATCH; i++) {
        const double radius = sqrt(-2.0 * logarithm(((double)a[i] + 0.5) * TWO_TO_MINUS_32));
        const double angle = TWO_PI * ((double)b[i] * TWO_TO_MINUS_32);
        const uint32_t quarters = ((b[i] >> 29) + 1) >> 1;
        const double near = angle - (double)quarters * right, less = (double)quarters * rest;
        const double x = near - less;
        double cosine, sine;
        cosine_sine(x, (near - x) - less, quarters, &cosine, &sine);
        first[i] = (float)(radius * cosine);
        second[i] = (float)(radius * sine);
    }
}

/* The values of blocks first .. first + BATCH - 1. */
KERNEL static void gaussian_batch(uint64_t seed, uint64_t stream, uint64_t first,
                                  float out[BATCH_VALUES])
{
    uint32_t words[BLOCK_WORDS][BATCH];
    float values[BLOCK_WORDS][BATCH];
    batch_words(seed, stream, first, words);
    gaussian_pairs(words[0], words[1], values[0], values[1]);
    gaussian_pairs(words[2], words[3], values[2], values[3]);
    for (size_t i = 0; i < BATCH; i++)
        for (size_t w = 0; w < BLOCK_WORDS; w++)
            out[i * BLOCK_WORDS + w] = values[w][i];
}

void random_gaussian(uint64_t seed, uint64_t stream, uint64_t first, float *out, size_t n)
{
    for (size_t done = 0; done < n;) {
        const uint64_t value = first + done;
        const size_t skip = (size_t)(value % BLOCK_WORDS);
        const size_t rest = n - done, there = BATCH_VALUES - skip;
        if (skip == 0 && rest >= there) {
            gaussian_batch(seed, stream, value / BLOCK_WORDS, out + done);
            done += there;
            continue;
        }
        const size_t take = rest < there ? rest : there;
        float values[BATCH_VALUES];
        gaussian_batch(seed, stream, value / BLOCK_WORDS, values);
        memcpy(out + done, values + skip, take * sizeof *out);
        done += take;
    }
}
