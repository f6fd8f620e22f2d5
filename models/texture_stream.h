/* The texture stream: an endless sound out of Gaussian noise, at the model's own rate.
 *
 * Spectrogram frames are made in chunks of the model's window. A chunk after the first is given the
 * PREFIX frames before it, clean, and joins the last one over FADE frames in the Gaussian domain at
 * equal power. The seed chooses the *memory* that all chunks are told, a mixture of two of the model's
 * mean frames of the class: it settles which rain this is, and keeps it that rain for as long as the
 * stream runs. Two channels come from partly shared noise.
 *
 * What comes out is a pure function of model, settings and the positions at which settings changed;
 * all noise is drawn by its number (dsp/random.h). */
#ifndef BRUME_MODELS_TEXTURE_STREAM_H
#define BRUME_MODELS_TEXTURE_STREAM_H

#include "models/sampler.h"
#include "models/texture_model.h"

#include <stdatomic.h>
#include <stdint.h>

#define TEXTURE_PREFIX 64
#define TEXTURE_FADE 12

/* What can be asked of a texture. */
typedef struct TextureSettings {
    uint64_t seed;
    float mix[TEXTURE_MAX_CLASSES]; /* weight of each class, 0 or more; scaled to sum to 1 */
    SamplerKind sampler;
    int steps;   /* 1..1000 */
    float width; /* 0 = both channels the same, 1 = noise that shares nothing */
} TextureSettings;

typedef struct TextureStream TextureStream;

/* Seed 0, the first class, 8 steps of DPM-Solver++, width 0.5. */
TextureSettings texture_settings_default(void);

/* Checks ranges and that some class has weight; -1 names the fault. */
int texture_settings_check(const TextureSettings *settings, const TextureModel *model, Error *err);

/* A stream of 1 or 2 channels. The model must outlive it. `cancel`, unless NULL, makes
 * texture_stream_read give up within one denoising step when it becomes true. */
TextureStream *texture_stream_create(const TextureModel *model, const TextureSettings *settings,
                                     unsigned channels, const atomic_bool *cancel, Error *err);
void texture_stream_destroy(TextureStream *stream);

/* Writes the next n samples of each channel; out[c] (n,). Allocates nothing. Costs a chunk's
 * denoising now and then; not for the audio thread. -1 when cancelled: the stream must then be
 * restarted. */
int texture_stream_read(TextureStream *stream, float *const *out, size_t n, Error *err);

/* Other settings (but the seed), for chunks not yet made. Checked before; see
 * texture_settings_check. */
void texture_stream_set(TextureStream *stream, const TextureSettings *settings);

/* Back to the first sample, with these settings. */
void texture_stream_restart(TextureStream *stream, const TextureSettings *settings);

/* Seconds between the joins of chunks, and the time of the first, at the model's rate: where a seam
 * would be if there were one. */
double texture_stream_join_interval(const TextureModel *model);
double texture_stream_first_join(const TextureModel *model);

#endif
