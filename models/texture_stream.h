/* The texture stream: an endless sound out of Gaussian noise, at the model's own rate: the frames
 * of models/texture_frames.h, turned into sound block by block.
 *
 * What comes out is a pure function of model, settings, and the positions at which settings
 * changed. Not for the audio thread; one thread at a time. */
#ifndef BRUME_MODELS_TEXTURE_STREAM_H
#define BRUME_MODELS_TEXTURE_STREAM_H

#include "dsp/pack.h"
#include "models/texture_frames.h"

typedef struct TextureStream TextureStream;

/* A stream of 1 or 2 channels that remembers how it stood at its last `rewinds` (0..256) blocks, of
 * 16 frames each, for texture_stream_redo. Other arguments as in texture_frames_create. */
TextureStream *texture_stream_create(const TextureModel *model, const TextureSettings *settings,
                                     unsigned channels, size_t rewinds, const atomic_bool *cancel,
                                     Error *err);
void texture_stream_destroy(TextureStream *stream);

/* Writes the next n samples of each channel; out[c] (n,). Allocates nothing. Costs a chunk's
 * denoising now and then. -1 when cancelled: the samples written so far are lost, and the stream
 * must be restarted or redone. */
int texture_stream_read(TextureStream *stream, float *const *out, size_t n, Error *err);

/* A part of what later samples cost, ahead of need: one denoising step. 1 when nothing of the kind
 * is left to do, 0 when it is, -1 when cancelled. */
int texture_stream_prepare(TextureStream *stream, Error *err);

/* Number of the next sample. */
uint64_t texture_stream_position(const TextureStream *stream);

/* Back to the first sample, with these settings. */
void texture_stream_restart(TextureStream *stream, const TextureSettings *settings);

/* Goes back to the last block that begins at or before sample `from`, or as far back as is
 * remembered, and goes on from there with other settings (but the same seed). If they differ from
 * those in force in width alone, it is the same texture, otherwise spread; else another follows.
 * Returns the number of the next sample: the caller passes over what comes before `from`. */
uint64_t texture_stream_redo(TextureStream *stream, const TextureSettings *settings, uint64_t from);

/* How it stood at the last remembered block that begins at or before sample `sample`, which has
 * been read. -1 if none is remembered. */
int texture_stream_pack(const TextureStream *stream, uint64_t sample, Packer *packer);

/* Stands as it stood when that was packed, with the settings of then; *sample is the number of the
 * next sample. Trusts nothing of it: -1 where it cannot be, and then it stands at the first sample.
 */
int texture_stream_unpack(TextureStream *stream, const TextureSettings *settings,
                          Unpacker *unpacker, uint64_t *sample);

/* Seconds between the joins of chunks, and the time of the first: where seams would be. */
double texture_stream_join_interval(const TextureModel *model);
double texture_stream_first_join(const TextureModel *model);

#endif
