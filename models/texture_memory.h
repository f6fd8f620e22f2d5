/* The memory that a seed chooses: which rain of all rains a stream is. */
#ifndef BRUME_MODELS_TEXTURE_MEMORY_H
#define BRUME_MODELS_TEXTURE_MEMORY_H

#include "models/texture_settings.h"

/* What the settings ask for: mix (TEXTURE_MAX_CLASSES,) the weights of classes, summing to 1, and
 * memory (bands,), a mixture of two of the model's mean frames of each class that has weight. For
 * settings that texture_settings_check accepts. Any thread. */
void texture_memory_settle(const TextureModel *model, const TextureSettings *settings, float *mix,
                           float *memory);

#endif
