/* Sound out: the generator's, under the key's level, beside the input, under bypass. Audio thread.
 */
#ifndef BRUME_PLUGIN_MIX_H
#define BRUME_PLUGIN_MIX_H

#include "plugin/instance.h"

/* Gains go to where the controls say: on a ramp, or at once where the sound begins. */
void mix_aim(Brume *self);

/* Plays frames from..to of the block, and starts over where a beat or bar is waited for. */
void mix_play(Brume *self, uint32_t from, uint32_t to);

/* The texture starts over with the next frame, or on the next beat or bar, as `sync` says. */
void mix_start(Brume *self);

/* All is as at the very beginning from the next frame on, so that each export is the same. */
void mix_rewind(Brume *self);

#endif
