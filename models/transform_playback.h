/* A transformed sound at a host's or file's own rate, limited, interleaved. The command and the
 * plugin both hear it through this, so what they make of the same input is the same to the bit. */
#ifndef BRUME_MODELS_TRANSFORM_PLAYBACK_H
#define BRUME_MODELS_TRANSFORM_PLAYBACK_H

#include "models/transform_stream.h"

typedef struct TransformPlayback TransformPlayback;

/* Input and output of 1 or 2 channels at `rate` Hz, 1000..768000. Arguments else as in
 * transform_stream_create. */
TransformPlayback *transform_playback_create(const TextureModel *model,
                                             const TransformSettings *settings, unsigned channels,
                                             double rate, const atomic_bool *cancel, Error *err);
void transform_playback_destroy(TransformPlayback *playback);

/* Frames from an input frame to the output frame that belongs to it, at `rate` Hz, for one who
 * plays while it is made: what the stream must have heard, and as much time again for making a
 * chunk as the chunk lasts. */
uint64_t transform_playback_latency(const TextureModel *model, double rate);

/* As transform_stream_set; `position` counts input frames at `rate`. */
void transform_playback_set(TransformPlayback *playback, const TransformSettings *settings,
                            uint64_t position);

/* As transform_stream_process, with in (n, channels) and out (room, channels) interleaved, of one
 * buffer each; what is not finite or absurdly loud is held to 24 dB over full scale. Output frame k
 * belongs to input frame k; finite, within +-1. Also -1 out of memory. */
int transform_playback_process(TransformPlayback *playback, const float *in, size_t n, size_t *used,
                               float *out, size_t room, size_t *made, Error *err);

#endif
