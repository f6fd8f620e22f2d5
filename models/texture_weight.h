/* What an error in a band counts in training: as ears would count it, not bins.
 *
 * Half of the bins lie above 4 kHz, and of a chord most lie between its partials, where there is
 * nothing to hear. A band counts by the square root of its width on the scale of auditory filters
 * (ERB-number; Glasberg & Moore 1990), and less the lower the memory has it below its neighbours.
 * Weights depend on what the denoiser is told and on nothing else, so its best answer stays the
 * mean of what is possible. */
#ifndef BRUME_MODELS_TEXTURE_WEIGHT_H
#define BRUME_MODELS_TEXTURE_WEIGHT_H

#include "models/texture_model.h"

/* mix (classes,), memory (bands,) Gaussian values -> weights (bands,), positive, their mean 1. Any
 * thread. */
void texture_weight(const TextureModel *model, const float *mix, const float *memory,
                    float *weights);

#endif
