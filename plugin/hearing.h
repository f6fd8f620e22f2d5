/* What came in: a ring from the audio thread to the generator's, and there the last seconds of it.
 * Stereo, at the host's rate. */
#ifndef BRUME_PLUGIN_HEARING_H
#define BRUME_PLUGIN_HEARING_H

#include "dsp/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As much of the past is kept. */
#define HEARING_SECONDS 12.0

typedef struct Hearing Hearing;

/* NULL with a message out of memory. Not on the audio thread. */
Hearing *hearing_create(double rate, Error *err);
void hearing_destroy(Hearing *hearing);

/* Forgets everything, while neither side is at work. */
void hearing_reset(Hearing *hearing);

/* Audio thread: n frames came in, finite. Waits for nothing; false if there was no room for all of
 * them: then the rest is lost, and is not counted. */
bool hearing_write(Hearing *hearing, const float *left, const float *right, uint32_t n);

/* Audio thread: frames that came in since the start, and that there is room for now. */
uint64_t hearing_written(const Hearing *hearing);
size_t hearing_room(const Hearing *hearing);

/* Generator: takes over what came in. */
void hearing_take(Hearing *hearing);

/* Generator: frames that it took over since the start, and the oldest that is still kept. */
uint64_t hearing_heard(const Hearing *hearing);
uint64_t hearing_oldest(const Hearing *hearing);

/* Generator: n frames from frame `from` on, all kept, interleaved into out (n, 2). */
void hearing_copy(const Hearing *hearing, uint64_t from, float *out, size_t n);

/* Generator: the sound from frame `since` up to frame `end`, the last HEARING_SECONDS of it at
 * most, as mono at `rate` Hz:
 * (*n,), which is the caller's to free. Channels of opposite phase are not added up to nothing: the
 * louder one is taken. *n is 0 and *sound NULL where nothing came in. -1 out of memory. */
int hearing_prompt(const Hearing *hearing, uint64_t since, uint64_t end, double rate, float **sound,
                   size_t *n, Error *err);

#endif
