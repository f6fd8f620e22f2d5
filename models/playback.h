/* Playback: a texture stream at a host's or file's own rate, limited, interleaved. The command and
 * the plugin both hear textures through this, so what they play is the same to the bit. */
#ifndef BRUME_MODELS_PLAYBACK_H
#define BRUME_MODELS_PLAYBACK_H

#include "dsp/pack.h"
#include "models/texture_stream.h"

typedef struct Playback Playback;

/* A stream of 1 or 2 channels at `rate` Hz, 1000..768000. It can be taken back by up to `rewinds`
 * blocks of 16 frames (playback_redo); 0 where it only goes on. Arguments else as in
 * texture_stream_create. */
Playback *playback_create(const TextureModel *model, const TextureSettings *settings,
                          unsigned channels, double rate, size_t rewinds, const atomic_bool *cancel,
                          Error *err);
void playback_destroy(Playback *playback);

/* The next `frames` frames, interleaved (frames, channels), finite, within +-1. Not for the audio
 * thread. -1 when cancelled or out of memory: what was read so far is lost, and it must be
 * restarted or redone. */
int playback_read(Playback *playback, float *out, size_t frames, Error *err);

/* As texture_stream_prepare. */
int playback_prepare(Playback *playback, Error *err);

/* Number of the next frame. */
uint64_t playback_position(const Playback *playback);

/* Back to the first frame, with these settings. */
void playback_restart(Playback *playback, const TextureSettings *settings);

/* Makes the sound again from frame `from` on, with other settings but the same seed. Returns the
 * number of the next frame: `from`, or a later one if that is out of reach. */
uint64_t playback_redo(Playback *playback, const TextureSettings *settings, uint64_t from);

/* What it takes to go on from frame `frame` elsewhere, to the bit. The frame must have been read,
 * and lie no further back than playback_redo reaches, less a second (a second and a half, where the
 * rates meet once a second alone). -1 if it is out of reach; out of memory the packer says so. */
int playback_pack(const Playback *playback, uint64_t frame, Packer *packer);

/* Goes on from what was packed with the same model, settings, channels and rate, on a processor
 * whose arithmetic is the same (tests/bench/EXACT.md). Trusts nothing of it: -1 where it cannot be,
 * and then it stands at the first frame. */
int playback_unpack(Playback *playback, const TextureSettings *settings, Unpacker *unpacker);

/* Frame numbers beyond this (500 years) are absurd; and no position is kept in so long a way before
 * a frame. */
#define PLAYBACK_MOST (UINT64_MAX >> 10)
#define PLAYBACK_SKIP ((uint64_t)1 << 17)

#endif
