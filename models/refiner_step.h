/* The refiner as it plays: one window, one step, over packed weights. Part of
 * models/denoiser_step.h, which says more. */
#ifndef BRUME_MODELS_REFINER_STEP_H
#define BRUME_MODELS_REFINER_STEP_H

#include "models/minimal_convolution.h"
#include "models/refiner.h"

/* The packed weights of a refiner. */
typedef struct RefinerSteps {
    const Refiner *refiner;
    PanelsTile tile;
    PanelsLayer patch, memory, outline, film, last;
    MinimalConvolution conv[REFINER_MAX_BLOCKS];
    PanelsLayer out[REFINER_MAX_BLOCKS];
} RefinerSteps;

/* Packs them, or only counts. The refiner must outlive them. */
void refiner_steps_lay(RefinerSteps *steps, const Refiner *refiner, PanelsTile tile,
                       PanelsBuilder *builder);

/* Values of FiLM at one noise level, and of the outline's bias. */
size_t refiner_steps_film(const RefinerSteps *steps);
size_t refiner_steps_bias(const RefinerSteps *steps);

/* What a window's condition (levels, condition) asks for: film (levels, film). */
void refiner_steps_tell(const RefinerSteps *steps, size_t levels, const float *condition,
                        float *film);

/* The outline's bias with what the memory (bands,) adds to every frame: bias (positions,
 * channels). `padded` has room for refiner_steps_padded() values, all zero but where bands go. */
void refiner_steps_remember(const RefinerSteps *steps, const float *memory, float *padded,
                            float *bias);
size_t refiner_steps_padded(const RefinerSteps *steps);

/* Working space of one thread; all zero at first. */
typedef struct RefinerSpace {
    float *padded;  /* a frame of bands, with half a patch of zeros on both sides */
    float *trunk;   /* (frames, positions, channels) */
    float *normed;  /* (frames, positions + 2, channels), zero in the first and last position */
    float *planes;  /* (GROUP_PLANES, positions + 2, channels) of one group */
    float *active;  /* (GROUP_FRAMES, positions, channels) of one group */
    float *patches; /* (positions, 2 stride) */
    float *zeros;   /* (positions + 2, channels) */
} RefinerSpace;

/* Space for windows of up to `frames` frames, or only counts. */
void refiner_space_lay(RefinerSpace *space, const RefinerSteps *steps, size_t frames,
                       PanelsBuilder *builder);

/* The first frame of features that frames of output from `first` on depend on. */
size_t refiner_steps_first(const RefinerSteps *steps, size_t first);

/* One step of `frames` frames, of which those before `first` are not wanted. */
typedef struct RefinerCall {
    size_t frames, first;
    const float *x;        /* (frames, bands) */
    const float *features; /* (frames, features) */
    const float *film, *bias;
} RefinerCall;

/* Adds to out (frames, bands), from frame `first` on. */
void refiner_steps_run(const RefinerSteps *steps, RefinerSpace *space, const RefinerCall *call,
                       float *out);

#endif
