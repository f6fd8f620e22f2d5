/* Where training starts that does not start from nothing: with the weights of a model that has
 * learnt other sounds. All that it knows of sound as such lies in tensors that are the same for any
 * classes; what is a class's own is one row of the class table. Maps, memories and middles are
 * always those of the new recordings. */
#ifndef BRUME_MODELS_TEXTURE_START_H
#define BRUME_MODELS_TEXTURE_START_H

#include "models/texture_batch.h"

/* Fills `weights` (parameters_size of target's denoiser,) from `source`, whose network must be
 * target's but for the classes. A class that both have, by name, keeps its row. Another one gets
 * the row (one of the source's, or the mean of all) with which the source's weights predict its
 * sound best, on a few windows of what there is to train on; `batch` is one of `target`, and
 * `corpus` holds target's classes, normalised. -1 with a message when the networks differ. */
int texture_start(const TextureModel *source, const TextureModel *target, const Corpus *corpus,
                  TextureBatch *batch, real *weights, Error *err);

#endif
