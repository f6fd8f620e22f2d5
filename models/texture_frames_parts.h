/* What the files of texture frames share: making them (texture_frames.c) and keeping them
 * (texture_frames_keep.c). */
#ifndef BRUME_MODELS_TEXTURE_FRAMES_PARTS_H
#define BRUME_MODELS_TEXTURE_FRAMES_PARTS_H

#include "models/texture_frames.h"
#include "models/texture_past.h"
#include "models/window_denoiser.h"

/* How soon the next chunk must be there. What follows a short one must not cost more time than
 * that one sounds for, however many steps are set. */
typedef enum { CALM, HASTY, HASTIEST } Haste;

/* All that changes from call to call, but for the frames themselves. */
typedef struct TextureFramesState {
    TextureSettings settings;
    float mix[TEXTURE_MAX_CLASSES]; /* the settings', summing to 1 */
    uint64_t chunk;                 /* number of the next chunk */
    size_t past;                    /* frames of the prefix that there are, up to PREFIX */
    size_t waiting;                 /* final frames that wait */
    size_t fading;                  /* frames after them that the next chunk is to be joined over */
    Haste haste;                    /* HASTIEST: the next chunk is a short one */
} TextureFramesState;

struct TextureFrames {
    const TextureModel *model;
    const atomic_bool *cancel;
    unsigned channels;
    size_t bands, classes, window, rows;
    TextureFramesState state;
    WindowDenoiser *denoiser;
    /* (channels, rows, bands) Gaussian values: PREFIX rows that have sounded, `waiting` rows, then
     * `fading` rows. */
    float *values;
    float *mixes;  /* (rows, classes): the mixture that each row is to be mapped back with */
    float *memory; /* (bands,) */
    TextureHistory *histories; /* (channels,): frames that have left `values` */
    /* One sampling: the next chunk, of `length` frames, of which PREFIX - given .. PREFIX - 1 are
     * known. It may be begun ahead of need; what waits only moves meanwhile. */
    bool begun;
    size_t length, given;
    Sampler sampler;
    float *x, *network, *work, *known;
};

/* Row r of a channel, (bands,). */
static inline float *texture_frames_row(const TextureFrames *frames, unsigned channel, size_t r)
{
    return frames->values + (channel * frames->rows + r) * frames->bands;
}

/* Mixture and memory as the settings ask for them; what was begun with others is void. */
void texture_frames_settle(TextureFrames *frames);

#endif
