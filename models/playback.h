/* Playback: a texture stream at a host's or file's own rate, limited, interleaved. The command and
 * the plugin both hear textures through this, so what they play is the same to the bit. */
#ifndef BRUME_MODELS_PLAYBACK_H
#define BRUME_MODELS_PLAYBACK_H

#include "models/texture_stream.h"

typedef struct Playback Playback;

/* A stream of 1 or 2 channels at `rate` Hz, 1000..768000; arguments else as in
 * texture_stream_create. */
Playback *playback_create(const TextureModel *model, const TextureSettings *settings,
                          unsigned channels, double rate, const atomic_bool *cancel, Error *err);
void playback_destroy(Playback *playback);

/* The next `frames` frames, interleaved (frames, channels), finite, within +-1. Not for the audio
 * thread. -1 when cancelled or out of memory. */
int playback_read(Playback *playback, float *out, size_t frames, Error *err);

/* Back to the first frame, with these settings. */
void playback_restart(Playback *playback, const TextureSettings *settings);

/* Other settings (but the seed) for what is not yet made. */
void playback_set(Playback *playback, const TextureSettings *settings);

#endif
