/* The noise of transformed sound: of two channels that share as much of it as their width says, so
 * that what is made of an input's two channels lies between one in the middle and two strangers. */
#ifndef BRUME_MODELS_TRANSFORM_NOISE_H
#define BRUME_MODELS_TRANSFORM_NOISE_H

#include "models/texture_noise.h"

/* n standard Gaussian values from position `first` on for one of two channels, whose correlation is
 * 1 - width: c shared +- s side, c^2 + s^2 = 1. Any thread. */
void transform_noise_draw(uint64_t seed, float width, unsigned channel, TextureNoise noise,
                          uint64_t first, float *out, size_t n);

#endif
