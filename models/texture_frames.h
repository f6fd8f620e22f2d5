/* The frames of a texture stream: spectrogram frames without end, made in chunks of the model's
 * window.
 *
 * A chunk after the first is given the PREFIX frames before it, clean, and joins the last one over
 * FADE frames in the Gaussian domain, at equal power about the memory (below). The seed chooses the
 * *memory* that all chunks are told, a mixture of two of the model's mean frames of the class: it
 * settles which rain this is, and keeps it that rain for as long as the stream runs; what has
 * sounded in the last half minute is told too, in outline (models/texture_past.h). Two channels are
 * two textures from noises of their own.
 *
 * Nothing here may run on the audio thread; one thread at a time. */
#ifndef BRUME_MODELS_TEXTURE_FRAMES_H
#define BRUME_MODELS_TEXTURE_FRAMES_H

#include "dsp/pack.h"
#include "models/texture_settings.h"

#include <stdatomic.h>

#define TEXTURE_PREFIX 64
#define TEXTURE_FADE   12

/* Frames of a short chunk: the first one, and that, in at most 3 steps, which follows
 * texture_frames_redo. The next after such a redone one is whole, in at most 4. */
#define TEXTURE_QUICK 112

typedef struct TextureFrames TextureFrames;

/* Frames of 1 or 2 channels from the first one on. The model must outlive them. `cancel`, unless
 * NULL, makes texture_frames_ensure give up within one denoising step while it is true. */
TextureFrames *texture_frames_create(const TextureModel *model, const TextureSettings *settings,
                                     unsigned channels, const atomic_bool *cancel, Error *err);
void texture_frames_destroy(TextureFrames *frames);

/* Back to the first frame, with these settings. */
void texture_frames_restart(TextureFrames *frames, const TextureSettings *settings);

/* Other settings (but the seed) for chunks not yet made. */
void texture_frames_set(TextureFrames *frames, const TextureSettings *settings);

/* Another width. It says how frames are heard, not what they are: what was begun goes on. */
void texture_frames_set_width(TextureFrames *frames, float width);

/* Forgets the frames that wait, so that the next ones are made with the settings of now; what is
 * forgotten fades out under them. */
void texture_frames_redo(TextureFrames *frames);

/* Settings in force. */
const TextureSettings *texture_frames_settings(const TextureFrames *frames);

/* One denoising step of the chunk after those that wait, ahead of need: spreads its cost. 1 when
 * there is none left to do, 0 when there is, -1 when cancelled: nothing has changed. */
int texture_frames_prepare(TextureFrames *frames, Error *err);

/* Makes chunks until at least n (up to 64) frames wait. -1 when cancelled: nothing is lost. */
int texture_frames_ensure(TextureFrames *frames, size_t n, Error *err);

/* The first n waiting frames of a channel as log energies, out (n, bands). */
void texture_frames_read(const TextureFrames *frames, unsigned channel, size_t n, float *out);

/* The mixture of classes (classes,), summing to 1, of waiting frame f. */
const float *texture_frames_mix(const TextureFrames *frames, size_t f);

/* The first n waiting frames have sounded. */
void texture_frames_drop(TextureFrames *frames, size_t n);

/* All that changes, to be put back later: bytes, copy out, copy in (into frames of the same model
 * and number of channels). */
size_t texture_frames_state_size(const TextureFrames *frames);
void texture_frames_save(const TextureFrames *frames, void *state);
void texture_frames_load(TextureFrames *frames, const void *state);

/* What such a state holds, without the settings, to be read elsewhere. */
void texture_frames_pack(const TextureFrames *frames, const void *state, Packer *packer);

/* The same back into frames that were restarted with the settings of then. Trusts nothing of it: -1
 * where it cannot be, and then they must be restarted. */
int texture_frames_unpack(TextureFrames *frames, Unpacker *unpacker);

#endif
