/* How loud a class is, and a frame: energies of bands, weighed by their width in bins. */
#ifndef BRUME_MODELS_TEXTURE_LEVEL_H
#define BRUME_MODELS_TEXTURE_LEVEL_H

#include "models/texture_model.h"

/* Energy of one frame: log energies (bands,) of each of the channels, whose mean is taken. Any
 * thread. */
double texture_level_frame(const TextureModel *model, const float *const *frame, unsigned channels);

/* Mean energy of a mixture of classes over all its recordings: quantiles, weighed as a Gaussian
 * weighs their places. mix (classes,) sums to 1; space (bands,) is written over. Any thread. */
double texture_level_class(const TextureModel *model, const float *mix, float *space);

#endif
