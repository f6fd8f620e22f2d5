/* What comes in: mode 1 listens to a melody and answers it, mode 2 has it transformed. Audio
 * thread.
 *
 * In mode 1 somebody plays; when they fall silent (or the trigger says so, or both, as `answer`
 * says) the generator is asked to carry on, to be heard a fixed time later, or on the beat or bar
 * after that: as late live as in an export. When they come back in, the answer gives way within a
 * beat. */
#ifndef BRUME_PLUGIN_DIALOGUE_H
#define BRUME_PLUGIN_DIALOGUE_H

#include "plugin/instance.h"

/* As at the very beginning: nothing was heard. */
void dialogue_rewind(Brume *self);

/* Changes between the modes when the knob says so: what sounds fades out first. Before
 * each piece. */
void dialogue_follow_mode(Brume *self);

/* Listens to up to n frames (left, right, finite); returns how many of them are to be played before
 * dialogue_act. All of them where nothing is listened to. */
uint32_t dialogue_listen(Brume *self, const float *left, const float *right, uint32_t n);

/* Does what those frames ask for, after they were played. */
void dialogue_act(Brume *self);

/* An answer is wanted now. */
void dialogue_ask(Brume *self);

#endif
