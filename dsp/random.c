#include "dsp/random.h"

#include <math.h>
#include <string.h>

enum { BLOCK_WORDS = 4, ROUNDS = 10 };

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

/* The half keeps the logarithm's argument off zero, and below one. */
static void gaussian_pair(uint32_t a, uint32_t b, float out[2])
{
    const double radius = sqrt(-2.0 * log(((double)a + 0.5) * TWO_TO_MINUS_32));
    const double angle = TWO_PI * ((double)b * TWO_TO_MINUS_32);
    out[0] = (float)(radius * cos(angle));
    out[1] = (float)(radius * sin(angle));
}

void random_gaussian(uint64_t seed, uint64_t stream, uint64_t first, float *out, size_t n)
{
    for (size_t done = 0; done < n;) {
        const uint64_t value = first + done;
        const size_t skip = (size_t)(value % BLOCK_WORDS);
        const size_t rest = n - done;
        const size_t take = rest < BLOCK_WORDS - skip ? rest : BLOCK_WORDS - skip;
        uint32_t words[BLOCK_WORDS];
        float values[BLOCK_WORDS];
        block_words(seed, stream, value / BLOCK_WORDS, words);
        gaussian_pair(words[0], words[1], values);
        gaussian_pair(words[2], words[3], values + 2);
        memcpy(out + done, values + skip, take * sizeof *out);
        done += take;
    }
}
