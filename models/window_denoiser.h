/* The denoiser in a sampler's hands: a window for each channel, told the sampler's noise levels
 * several steps ahead (models/denoiser_step.h). One thread at a time. */
#ifndef BRUME_MODELS_WINDOW_DENOISER_H
#define BRUME_MODELS_WINDOW_DENOISER_H

#include "models/denoiser_step.h"
#include "models/sampler.h"

typedef struct WindowDenoiser WindowDenoiser;

/* For `channels` windows, 1 or more, of up to `frames` frames. The steps must outlive it. NULL with
 * a message when memory runs out. */
WindowDenoiser *window_denoiser_create(const DenoiserSteps *steps, unsigned channels, size_t frames,
                                       Error *err);
void window_denoiser_destroy(WindowDenoiser *denoiser);

/* A new sampling begins for a channel. What is pointed at may go away. */
void window_denoiser_begin(WindowDenoiser *denoiser, unsigned channel,
                           const DenoiserWindow *window);

/* The step that `sampler` is about to make, for a channel's window; step->level is not looked at.
 * -> out (frames, bands), zero before step->first. */
void window_denoiser_step(WindowDenoiser *denoiser, unsigned channel, const Sampler *sampler,
                          const DenoiserStep *step, float *out);

#endif
