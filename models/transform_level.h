/* How loud an input is beside a class's recordings, and what is made of it beside both.
 *
 * An input is shown to the denoiser at the class's own level, so that it lies among the quantiles
 * where the class's sounds do. That level follows the input over some seconds, so that its gestures
 * stay gestures, and stands still in its pauses. */
#ifndef BRUME_MODELS_TRANSFORM_LEVEL_H
#define BRUME_MODELS_TRANSFORM_LEVEL_H

#include "models/texture_model.h"

#include <stdbool.h>

/* A mean energy as of late: energy and time, both forgotten over a few seconds. Zero-initialised:
 * nothing was heard yet. */
typedef struct TransformLevel {
    double energy, time;
} TransformLevel;

/* Whether an input of that energy pauses: it is under -80 dB of full-scale noise. */
bool transform_level_pauses(const TextureModel *model, double energy);

/* One more frame, of this energy. */
void transform_level_follow(TransformLevel *level, const TextureModel *model, double energy);

/* The log of the mean energy, after at least one frame. */
double transform_level_log(const TransformLevel *level);

#endif
