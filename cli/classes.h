/* The option --class: which classes of a texture model, and how much of each. */
#ifndef BRUME_CLI_CLASSES_H
#define BRUME_CLI_CLASSES_H

#include "models/texture_model.h"

/* "rain" or "rain:2,fire:1" -> mix (TEXTURE_MAX_CLASSES,), weights as they are written. -1 for a
 * class that the model does not have, a weight that is no number from 0 to 1e6, or no end of text.
 */
int classes_parse(const char *text, const TextureModel *model, float *mix, Error *err);

#endif
