/* The stereo image and the level of a texture stream.
 *
 * A stream of two channels is two textures that know nothing of each other, one in the middle and
 * one at the side: left = middle + side, right = middle - side, each band weighted as in the
 * class's recordings. At width 0.5 channels are as alike as there, at 0 the same, at 1 strangers
 * (uncorrelated). Their sum is the middle alone, so nothing cancels in mono; a stream of one
 * channel is that sum. */
#ifndef BRUME_MODELS_TEXTURE_IMAGE_H
#define BRUME_MODELS_TEXTURE_IMAGE_H

#include "models/texture_model.h"

/* Gains (bins,) for the spectra of the middle and the side; mix (classes,) sums to 1, width 0..1.
 * cos^2 + sin^2 = 1 in every bin, times the level of texture_image_level. Any thread. */
void texture_image_gains(const TextureModel *model, const float *mix, float width, float *middle,
                         float *side);

/* What a mixture must be multiplied by to be as loud as its classes are on the way from one to the
 * other, in dB: a mixture of quantiles by itself is too quiet where one class has much and the
 * other little. 1 for a single class; 0.1..10. Any thread. */
float texture_image_level(const TextureModel *model, const float *mix);

#endif
