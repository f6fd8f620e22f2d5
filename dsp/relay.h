/* A relay of resamplers: sound at another rate that can be gone on with anywhere, to the bit.
 *
 * A resampler's last digits depend on how its input lies in the blocks that it works in, that is on
 * where it began. So the output is cut into *stretches* of a quarter of a second or more, at frames
 * where both rates meet, and each is made by a resampler that begins anew a little before it: a
 * frame then depends on the input around it and its own number alone. A filter of constant length
 * makes the same of the same input but for rounding, so there is no seam (test_relay measures it).
 * Rates that are no whole numbers of Hz never meet: their output is one stretch without end. */
#ifndef BRUME_DSP_RELAY_H
#define BRUME_DSP_RELAY_H

#include "dsp/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Relay Relay;

/* The next n input frames, interleaved (n, channels). -1 with a message: the relay then fails too.
 */
typedef int (*RelaySource)(void *user, float *frames, size_t n, Error *err);

/* Rates and channels as in resampler_create. NULL with a message when they are refused or memory is
 * short. One thread at a time; not for a real-time thread. */
Relay *relay_create(double from, double to, unsigned channels, RelaySource source, void *user,
                    Error *err);
void relay_destroy(Relay *relay);

/* The next n frames, interleaved. -1 with a message when the source fails or memory is short: then
 * what was read so far is lost, and the relay must be sought anew. */
int relay_read(Relay *relay, float *out, size_t n, Error *err);

/* Number of the next frame. */
uint64_t relay_position(const Relay *relay);

/* Input frame that the resampler of frame `frame` begins with; what follows is then what would have
 * been read there. */
uint64_t relay_origin(const Relay *relay, uint64_t frame);

/* A later one, as near to the frame as it can be heard from: what follows is the same but for
 * rounding (for rates that never meet: but for half a frame) up to the stretch's end, and then
 * equal. */
uint64_t relay_near(const Relay *relay, uint64_t frame);

/* The next input frame at or after `input` that a resampler may begin with, and the output frame
 * that falls together with it. */
uint64_t relay_meet(const Relay *relay, uint64_t input, uint64_t *output);

/* Goes on with frame `frame`, from a resampler that begins with input frame `origin` (as one of
 * those above), which the source must give next. */
void relay_seek(Relay *relay, uint64_t origin, uint64_t frame);

/* The first frame of the stretch after that of frame `frame`. */
uint64_t relay_stretch_end(const Relay *relay, uint64_t frame);

#endif
