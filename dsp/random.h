/* Random numbers by counting: number k of a stream is a function of (seed, stream, k) and of
 * nothing else, so any part of a stream can be had in any order, in any thread, without a state to
 * carry.
 *
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). A stream has 2^64 words; streams and seeds do not overlap. The functions
 * below read the same words: whoever wants independent uniforms and Gaussians takes two streams.
 *
 * All functions: any thread, no allocation, no failure. */
#ifndef BRUME_DSP_RANDOM_H
#define BRUME_DSP_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The bijection itself, ten rounds: 128 bits of `counter` under 64 bits of `key` give 128 bits in
 * `out`. `out` may be `counter`. */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Writes the 32-bit words number first .. first + n - 1 of (seed, stream) to out[0 .. n - 1].
 * Word w is element w % 4 of the block with key = {seed low, seed high} and counter = {index low,
 * index high, stream low, stream high}, index = w / 4. Word numbers wrap at 2^64. */
void random_bits(uint64_t seed, uint64_t stream, uint64_t first, uint32_t *out, size_t n);

/* Number `index` of (seed, stream), uniform in [0, 1), a multiple of 2^-53. Made from the words
 * 2 index and 2 index + 1. */
double random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* Number `index` of (seed, stream), a whole number uniform in 0 .. limit - 1; 0 when limit is 0.
 * The upper half of 64 random bits (words 2 index and 2 index + 1) times `limit`; no outcome's
 * probability is off by more than 2^-64. */
uint64_t random_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t limit);

/* Writes the values number first .. first + n - 1 of a standard normal distribution to
 * out[0 .. n - 1]. Value k depends on (seed, stream, k) only, whatever `first` and `n` it was asked
 * with. Value numbers wrap at 2^64.
 *
 * Box and Muller (1958): the words a, b number 2j and 2j + 1 give the values 2j and 2j + 1,
 * r cos t and r sin t with r = sqrt(-2 ln((a + 1/2) / 2^32)), t = 2 pi b / 2^32, computed in double
 * by sums and products that are the same on every processor, to less than a unit in the last place,
 * and rounded once to float. Always finite; the tail ends at sqrt(66 ln 2) = 6.7637, beyond which a
 * true normal has 1.3e-11 of its mass. Made 64 at a time: a few cost as much as 64. */
void random_gaussian(uint64_t seed, uint64_t stream, uint64_t first, float *out, size_t n);

#endif
