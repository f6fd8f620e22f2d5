/* Sample rate conversion, streaming and for whole clips: libsoxr's "HQ" (linear phase, 20 bits,
 * delay already taken out: output frame 0 is at the time of input frame 0), in float, on the
 * caller's thread. What comes out depends on the input alone, to the bit, and not on how it is cut
 * into calls.
 *
 * Audio is interleaved: (frames, channels). Different resamplers may be used by different threads
 * at the same time, one resampler by one thread at a time. Nothing here is for a real-time thread:
 * libsoxr takes memory as it goes. */
#ifndef BRUME_DSP_RESAMPLE_H
#define BRUME_DSP_RESAMPLE_H

#include <stddef.h>

#include "dsp/error.h"

typedef struct Resampler Resampler;

/* A converter from one rate to another, both 1000 to 768000 Hz, for 1 or 2 channels. Equal rates
 * copy the samples bit for bit. NULL and `err` when a rate or the number of channels is out of
 * range or memory is short. */
Resampler *resampler_create(double from_rate, double to_rate, unsigned channels, Error *err);

/* Frees it. NULL is allowed. */
void resampler_destroy(Resampler *resampler);

/* Takes up to in_frames frames from `in`, of which it says in *in_used how many it took, and writes
 * up to out_room frames to `out`, of which it says in *out_made how many it wrote. Neither pointer
 * may be NULL, and `out` may not overlap `in`. While out_room is not 0, every call takes or makes
 * at least one frame, if it was given one; a caller repeats with the rest.
 *
 * in == NULL with in_frames 0 ends the input: repeat that call until *out_made is 0. All together
 * there come round(frames in * to / from) frames. After the end, only resampler_reset makes it take
 * input again.
 *
 * Returns 0, or -1 and `err`: input after the end, in == NULL with frames, or memory is short. */
int resampler_process(Resampler *resampler, const float *in, size_t in_frames, size_t *in_used,
                      float *out, size_t out_room, size_t *out_made, Error *err);

/* Forgets all input, as if just created. If memory is short for that, the next resampler_process
 * fails. */
void resampler_reset(Resampler *resampler);

/* Samples of all channels that a clip has at most once converted: 400 MB. From a low rate to a high
 * one a clip grows a hundredfold. */
#define RESAMPLER_MOST ((size_t)100000000)

/* Converts the whole clip in[0 .. in_frames * channels - 1]. *out is allocated with malloc (also
 * when it is empty) and the caller's to free; *out_frames is round(in_frames * to / from). Rates
 * and channels as in resampler_create. `in` may be NULL when in_frames is 0. Returns 0, or -1 and
 * `err`; then *out is NULL and *out_frames 0. */
int resampler_all(const float *in, size_t in_frames, unsigned channels, double from, double to,
                  float **out, size_t *out_frames, Error *err);

#endif
