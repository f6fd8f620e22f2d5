#include "dsp/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#define BLOCK  64            /* bytes */
#define BUFFER (512 * BLOCK) /* bytes read at a time */
#define WORDS  8

/* FIPS 180-4, 5.3.3 and 4.2.2: the first 32 bits of the fractions of the square roots of the first
 * 8 primes, and of the cube roots of the first 64. */
static const uint32_t START[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static uint32_t word_get(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* 6.2.2, step 1: the message schedule. */
static void schedule_fill(const unsigned char *block, uint32_t schedule[64])
{
    for (size_t t = 0; t < 16; t++)
        schedule[t] = word_get(block + 4 * t);
    for (size_t t = 16; t < 64; t++) {
        const uint32_t x = schedule[t - 15], y = schedule[t - 2];
        schedule[t] = (rotated(y, 17) ^ rotated(y, 19) ^ y >> 10) + schedule[t - 7] +
                      (rotated(x, 7) ^ rotated(x, 18) ^ x >> 3) + schedule[t - 16];
    }
}

/* 6.2.2, steps 2 to 4. */
static void block_add(uint32_t hash[WORDS], const unsigned char *block)
{
    uint32_t schedule[64];
    schedule_fill(block, schedule);
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (size_t t = 0; t < 64; t++) {
        const uint32_t one = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) +
                             ((e & f) ^ (~e & g)) + ROUNDS[t] + schedule[t];
        const uint32_t two =
            (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + one;
        d = c;
        c = b;
        b = a;
        a = one + two;
    }
    const uint32_t sums[WORDS] = {a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < WORDS; i++)
        hash[i] += sums[i];
}

static void blocks_add_plain(uint32_t hash[WORDS], const unsigned char *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        block_add(hash, blocks + i * BLOCK);
}

#if defined(__x86_64__)
/* Whether the processor has SHA-256's rounds as instructions (and the SSE 4.1 used beside them). */
static bool rounds_built_in(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* The same with them. They want the words of the hash in the orders ABEF and CDGH, and do two
 * rounds each; w holds the schedule's last 16 words (Intel, "Intel SHA Extensions", 2013). */
__attribute__((target("sha,sse4.1"))) static void
blocks_add_built_in(uint32_t hash[WORDS], const unsigned char *blocks, size_t count)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(hash + 0)), 0xb1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(hash + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (size_t i = 0; i < count; i++) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (size_t j = 0; j < 4; j++)
            w[j] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(blocks + i * BLOCK + j * sizeof w[j])), swap);
#pragma GCC unroll 16
        for (size_t t = 0; t < 16; t++) {
            const __m128i words =
                _mm_add_epi32(w[t % 4], _mm_loadu_si128((const __m128i *)(ROUNDS + 4 * t)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
            const __m128i x = _mm_sha256msg1_epu32(w[t % 4], w[(t + 1) % 4]);
            const __m128i y = _mm_alignr_epi8(w[(t + 3) % 4], w[(t + 2) % 4], 4);
            w[t % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(x, y), w[(t + 3) % 4]);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(hash + 0), _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(hash + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#endif

typedef void (*BlocksAdd)(uint32_t hash[WORDS], const unsigned char *blocks, size_t count);

static BlocksAdd blocks_add_best(void)
{
#if defined(__x86_64__)
    if (rounds_built_in())
        return blocks_add_built_in;
#endif
    return blocks_add_plain;
}

/* 5.1.1: what is left of the message (less than a block), a one, zeros, and the length in bits. */
static void end_add(uint32_t hash[WORDS], const unsigned char *rest, size_t n, uint64_t total)
{
    unsigned char last[2 * BLOCK] = {0};
    const size_t size = n < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    memcpy(last, rest, n);
    last[n] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        last[size - 1 - i] = (unsigned char)(total * 8 >> 8 * i);
    for (size_t at = 0; at < size; at += BLOCK)
        block_add(hash, last + at);
}

/* Fills the buffer as far as the file goes. */
static int buffer_fill(int fd, unsigned char buffer[BUFFER], size_t *n)
{
    *n = 0;
    while (*n < BUFFER) {
        const ssize_t got = read(fd, buffer + *n, BUFFER - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        *n += (size_t)got;
    }
    return 0;
}

static int file_add(int fd, uint32_t hash[WORDS])
{
    const BlocksAdd blocks_add = blocks_add_best();
    unsigned char buffer[BUFFER];
    uint64_t total = 0;
    size_t n;
    do {
        if (buffer_fill(fd, buffer, &n) < 0)
            return -1;
        total += n;
        const size_t whole = n / BLOCK;
        blocks_add(hash, buffer, whole);
        if (n < BUFFER)
            end_add(hash, buffer + whole * BLOCK, n - whole * BLOCK, total);
    } while (n == BUFFER);
    return 0;
}

int sha256_file(const char *path, char hex[SHA256_ROOM], Error *err)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(err, "%.400s: cannot be opened (%s); check the path and its permissions",
                         path, strerror(errno));
    uint32_t hash[WORDS];
    memcpy(hash, START, sizeof hash);
    struct stat status;
    int result = 0;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        result = error_set(err, "%.400s: is not a regular file; give the path of one", path);
    else if (file_add(fd, hash) < 0)
        result = error_set(err, "%.400s: cannot be read (%s); fetch the file again", path,
                           strerror(errno));
    close(fd);
    for (size_t i = 0; result == 0 && i < WORDS; i++)
        snprintf(hex + 8 * i, 9, "%08x", (unsigned)hash[i]);
    return result;
}

void sha256_bytes(const void *bytes, size_t n, unsigned char digest[SHA256_BYTES])
{
    const unsigned char *at = bytes;
    const size_t whole = n / BLOCK;
    uint32_t hash[WORDS];
    memcpy(hash, START, sizeof hash);
    blocks_add_plain(hash, at, whole); /* few: not worth asking what the processor has */
    end_add(hash, at + whole * BLOCK, n - whole * BLOCK, n);
    for (size_t i = 0; i < SHA256_BYTES; i++)
        digest[i] = (unsigned char)(hash[i / 4] >> (24 - 8 * (i % 4)));
}
