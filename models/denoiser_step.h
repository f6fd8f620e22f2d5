/* The denoiser as it plays (models/denoiser.h says what it is): one window and one step at a time,
 * with weights packed beforehand. What training does is denoiser_forward; this gives the same but
 * for rounding, and the same to the bit on processors with AVX2 and with AVX-512.
 *
 * A frame's output depends on the frames around it, but not on how they are shared out among calls
 * of the machine: leaving out frames that are not wanted changes nothing in the others. */
#ifndef BRUME_MODELS_DENOISER_STEP_H
#define BRUME_MODELS_DENOISER_STEP_H

#include "models/denoiser.h"
#include "models/panels.h"

/* Noise levels that a window can be told of at once. */
enum { DENOISER_LEVELS = 8 };

typedef struct DenoiserSteps DenoiserSteps; /* packed weights; immutable, any number of threads */
typedef struct DenoiserTold DenoiserTold;   /* what a window is told; one thread at a time */
typedef struct DenoiserSpace DenoiserSpace; /* working space; one thread at a time */

/* Packs weights (parameters_size,), which may go away then; the denoiser must stay. `path`: one
 * that this processor has, panels_best() but for tests. NULL with a message when memory runs out.
 */
DenoiserSteps *denoiser_steps_create(const Denoiser *denoiser, const float *weights,
                                     PanelsPath path, Error *err);
void denoiser_steps_destroy(DenoiserSteps *steps);

/* Packs other weights in the place of those; not while another thread uses the steps. */
void denoiser_steps_pack(DenoiserSteps *steps, const float *weights);

const DenoiserConfig *denoiser_steps_config(const DenoiserSteps *steps);

/* The steps must outlive it. NULL with a message when memory runs out. */
DenoiserTold *denoiser_told_create(const DenoiserSteps *steps, Error *err);
void denoiser_told_destroy(DenoiserTold *told);

/* What is the same in all steps of a window. */
typedef struct DenoiserWindow {
    const float *mix;    /* (classes,): weights of classes, summing to 1 */
    const float *memory; /* (bands,): mean frame of other parts of the sound */
    const float *past;   /* (past,): the sound before the window, in outline */
} DenoiserWindow;

/* Tells a window; of no noise level yet. What is pointed at may go away. */
void denoiser_tell(DenoiserTold *told, const DenoiserWindow *window);

/* Works out what the window asks for at `n` noise levels, 1..DENOISER_LEVELS: half_log_snr (n,), in
 * the place of those told before. For several at once it costs little more than for one. */
void denoiser_tell_levels(DenoiserTold *told, const double *half_log_snr, size_t n);

/* For windows of up to `frames` frames. The steps must outlive it. NULL with a message when memory
 * runs out. */
DenoiserSpace *denoiser_space_create(const DenoiserSteps *steps, size_t frames, Error *err);
void denoiser_space_destroy(DenoiserSpace *space);

/* What one step treats. */
typedef struct DenoiserStep {
    size_t frames;      /* 1 or more */
    size_t first;       /* the first frame that is wanted, below `frames` */
    const float *x;     /* (frames, bands): noisy frames; clean ones where known */
    const float *known; /* (frames,): 1 for frames of the prefix, else 0 */
    size_t level;       /* number of the noise level among those told */
} DenoiserStep;

/* step -> out (frames, bands), the raw prediction (epsilon or v), from frame `first` on; earlier
 * ones are left as they are. */
void denoiser_step(DenoiserSpace *space, const DenoiserTold *told, const DenoiserStep *step,
                   float *out);

#endif
