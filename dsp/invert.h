/* Inversion: from log energies in bands back to audio, as a stream.
 *
 * Where a band is one bin, phases are integrated from the energies (dsp/phase.h). Where it is wide,
 * white noise gives the fine structure, loud and quiet with the upper half of the single bins, so
 * that a click stays a click all the way up. Layouts with under an eighth of the bins single begin
 * with steady white noise. Then the spectra are overlap-added, analysed, and multiplied until their
 * bands have the energies asked for, a number of times: Griffin & Lim (1984) with bands for
 * magnitudes, made faster as by Perraudin, Balazs, Soendergaard, "A fast Griffin-Lim algorithm",
 * WASPAA 2013. All of it is sums and products in a fixed order, the same on every processor. Frames
 * go in blocks with a few frames of look-ahead, so a stream has constant memory
 * and delay, and a block depends on its energies, its noise and the block before alone. */
#ifndef BRUME_DSP_INVERT_H
#define BRUME_DSP_INVERT_H

#include "dsp/bands.h"
#include "dsp/error.h"
#include "dsp/pack.h"

#include <complex.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Inverter Inverter;

/* Frames that are finished together, and frames of the future that a block must see. */
#define INVERTER_BLOCK 16
#define INVERTER_AHEAD 4

/* Standard Gaussian noise: n samples from number `first` of the stream on. It must depend on the
 * number alone: overlapping stretches are asked for. */
typedef void (*InverterNoise)(void *user, uint64_t first, float *out, size_t n);

/* For frames of `size` samples at a hop of size / 4 in the layout `bands`, which must outlive it.
 * iterations: 0..64 analysis rounds after the first. One thread at a time. NULL with a message when
 * a number is refused or memory runs out. */
Inverter *inverter_create(const Bands *bands, size_t size, int iterations, InverterNoise noise,
                          void *user, Error *err);
void inverter_destroy(Inverter *inverter);

/* Back to the beginning of the stream. */
void inverter_reset(Inverter *inverter);

/* All that changes from block to block, to be put back later: bytes, copy out, copy in (into an
 * inverter made with the same arguments). */
size_t inverter_state_size(const Inverter *inverter);
void inverter_save(const Inverter *inverter, void *state);
void inverter_load(Inverter *inverter, const void *state);

/* Such a state as bytes that can be read elsewhere; and back, if it is that before frame `frame`.
 * Trusts nothing of it: -1 where it cannot be, and then the inverter must be reset. */
void inverter_pack(const Inverter *inverter, const void *state, Packer *packer);
int inverter_unpack(Inverter *inverter, uint64_t frame, Unpacker *unpacker);

/* Log energies (INVERTER_BLOCK + INVERTER_AHEAD, count): the next block and the frames after it,
 * which come again at the head of the next call. gain (size / 2 + 1,) weighs the bins of what comes
 * out, unless it is NULL. Writes INVERTER_BLOCK * size / 4 samples. Frame f
 * covers samples f * size / 4 .. f * size / 4 + size - 1 of the stream: the first 3 size / 4
 * samples lack frames before them and swell up from nothing; whoever wants a hard start drops them.
 */
void inverter_block(Inverter *inverter, const float *log_energy, const float *gain, float *out);

/* A sound whose own fine structure is to be heard in what is made: its spectra (INVERTER_BLOCK +
 * INVERTER_AHEAD, size / 2 + 1), as stft_forward gives them, and how much of it is left in each
 * frame, share (INVERTER_BLOCK + INVERTER_AHEAD,) from 0 to 1. */
typedef struct InverterGuide {
    const float complex *spectra;
    const float *share;
} InverterGuide;

/* The same without gains, where the first guess is the guide, times its share and nowhere louder
 * than its bands are asked to be, and beside it what inverter_block would begin with, as loud as
 * the rest. Where all of a block's shares are 1 there is nothing left to find, and no round is
 * made: energies that are the guide's own give the guide back. */
void inverter_block_guided(Inverter *inverter, const float *log_energy, const InverterGuide *guide,
                           float *out);

#endif
