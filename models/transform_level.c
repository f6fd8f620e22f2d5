#include "models/transform_level.h"

#include <math.h>

static const double MEMORY_SECONDS = 3.0, PAUSE = 1e-8;

bool transform_level_pauses(const TextureModel *model, double energy)
{
    return energy < PAUSE * (double)texture_model_config(model)->frame / 2.0;
}

void transform_level_follow(TransformLevel *level, const TextureModel *model, double energy)
{
    const double rate = (double)texture_model_config(model)->rate;
    const double kept = exp(-(double)texture_model_hop(model) / rate / MEMORY_SECONDS);
    level->energy = kept * level->energy + energy;
    level->time = kept * level->time + 1.0;
}

double transform_level_log(const TransformLevel *level)
{
    return log(level->energy / level->time);
}
