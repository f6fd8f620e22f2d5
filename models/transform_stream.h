/* The transform stream: a sound that comes in, and what the denoiser makes of it, at the model's
 * own rate: the frames of models/transform_frames.h, turned into sound block by block, with the
 * input's own phases as far as it is still heard.
 *
 * Sample k of the output belongs to sample k of the input, and is there as soon as
 * transform_stream_latency samples after it have come in: a constant. What comes out is a pure
 * function of model, input, settings, and the positions at which settings changed; not of how the
 * input is cut. Not for the audio thread; one thread at a time. */
#ifndef BRUME_MODELS_TRANSFORM_STREAM_H
#define BRUME_MODELS_TRANSFORM_STREAM_H

#include "models/transform_frames.h"

typedef struct TransformStream TransformStream;

/* A stream of 1 or 2 channels. Other arguments as in transform_frames_create. */
TransformStream *transform_stream_create(const TextureModel *model,
                                         const TransformSettings *settings, unsigned channels,
                                         const atomic_bool *cancel, Error *err);
void transform_stream_destroy(TransformStream *stream);

/* Samples that must have come in after a sample before it is certain to come out. */
size_t transform_stream_latency(const TextureModel *model);

/* Samples that come out at once. */
size_t transform_stream_interval(const TextureModel *model);

/* Other settings, which fit the model, from the first chunk on that is not made without input
 * sample number `position`; or the next one, if that is made already. Calls come in order of
 * position. */
void transform_stream_set(TransformStream *stream, const TransformSettings *settings,
                          uint64_t position);

/* Takes up to n samples of each channel, in[c] (n,), finite, and says in *used how many it took;
 * writes up to `room` to out[c] (room,), and says in *made how many. While there is room, every
 * call takes or makes something if it was given something; a caller repeats with the rest.
 * Allocates nothing. -1 when cancelled: what was taken and made so far stands, and the next call
 * goes on. */
int transform_stream_process(TransformStream *stream, float *const *in, size_t n, size_t *used,
                             float *const *out, size_t room, size_t *made, Error *err);

#endif
