/* A ring: frames of floats from one thread to another, never waiting. One producer, one consumer.
 *
 * Each side owns its own index and only reads the other's: the producer stores `written` with
 * release after it has filled frames, the consumer loads it with acquire before it reads them, and
 * the other way round for `read`. Nothing else orders memory. Indices count frames for ever and are
 * reduced by a power of two on use. */
#ifndef BRUME_DSP_RING_H
#define BRUME_DSP_RING_H

#include "dsp/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Ring Ring;

/* Room for at least `frames` frames (1..2^24) of `channels` (1..64) values, rounded up to a power
 * of two; locked in memory where the system allows it (ring_locked). Not on the audio thread. */
Ring *ring_create(size_t frames, unsigned channels, Error *err);
void ring_destroy(Ring *ring);

/* Frames it can hold. Any thread. */
size_t ring_room(const Ring *ring);

/* Whether it lies in memory that cannot be paged out. Any thread. */
bool ring_locked(const Ring *ring);

/* Frames that can be written now. Producer. */
size_t ring_writable(const Ring *ring);

/* Writes up to n frames, interleaved; returns how many went in. Producer; waits for nothing. */
size_t ring_write(Ring *ring, const float *frames, size_t n);

/* Frames that can be read now. Consumer; others see a number that was true. */
size_t ring_readable(const Ring *ring);

/* Reads up to n frames; returns how many there were. Consumer; waits for nothing. */
size_t ring_read(Ring *ring, float *frames, size_t n);

/* Passes over up to n frames; returns how many. Consumer. */
size_t ring_skip(Ring *ring, size_t n);

/* Empties it, while neither side is at work. */
void ring_reset(Ring *ring);

#endif
