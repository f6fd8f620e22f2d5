/* The frames of a transformed sound: the denoiser started part of the way, from an input.
 *
 * An input's frame is mapped to the Gaussian domain of the class, at the class's own level
 * (models/transform_level.h), noised to the level that the strength stands for, and denoised
 * (SDEdit; Meng et al. 2022), after the frames before it, which are given clean. What the class's
 * quantiles cannot express of the input is kept beside and added again, by a share that falls with
 * the strength. At strength 0 that gives the very frames of the input, at 1 a free texture.
 *
 * Frames come in chunks. The noise of a frame depends on its number alone, so those that a chunk
 * shares with the next one come out much alike in both, and are faded over.
 *
 * Nothing here may run on the audio thread; one thread at a time. */
#ifndef BRUME_MODELS_TRANSFORM_FRAMES_H
#define BRUME_MODELS_TRANSFORM_FRAMES_H

#include "models/transform_settings.h"

#include <stdatomic.h>

/* Frames after a chunk that are made with it and again with the next. */
#define TRANSFORM_FADE 4

typedef struct TransformFrames TransformFrames;

/* Frames of a chunk: a multiple of 16, about half a second as far as the model's window allows. */
size_t transform_frames_chunk(const TextureModel *model);

/* Frames of 1 or 2 channels from the first one on. The model must outlive them. `cancel`, unless
 * NULL, makes transform_frames_make give up within one denoising step while it is true. */
TransformFrames *transform_frames_create(const TextureModel *model,
                                         const TransformSettings *settings, unsigned channels,
                                         const atomic_bool *cancel, Error *err);
void transform_frames_destroy(TransformFrames *frames);

/* Other settings for chunks not yet begun; they fit the model. */
void transform_frames_set(TransformFrames *frames, const TransformSettings *settings);

/* Whether a chunk was begun but is not yet made, since it was cancelled. */
bool transform_frames_begun(const TransformFrames *frames);

/* The next chunk: input[c] (chunk + TRANSFORM_FADE, bands) log energies, in place into those of the
 * output, of which the last TRANSFORM_FADE are as good as is known by now; share (chunk +
 * TRANSFORM_FADE,): how much of the input's own fine structure is to be heard in each. -1 when
 * cancelled: nothing was changed, and the same call goes on where it stopped. */
int transform_frames_make(TransformFrames *frames, float *const *input, float *share, Error *err);

#endif
