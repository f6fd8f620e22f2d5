/* A texture model's configuration as JSON, and its limits. */
#ifndef BRUME_MODELS_TEXTURE_CONFIG_H
#define BRUME_MODELS_TEXTURE_CONFIG_H

#include "models/texture_model.h"

/* Every number in its range and the parts fitting each other; -1 with a message naming the field.
 */
int texture_config_check(const TextureConfig *config, Error *err);

/* JSON text -> config, checked. Anything missing, of the wrong type or out of range is refused. */
int texture_config_parse(const char *json, TextureConfig *config, Error *err);

/* config -> JSON text, to be freed. NULL out of memory. */
char *texture_config_print(const TextureConfig *config, Error *err);

#endif
