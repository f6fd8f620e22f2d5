/* What is wrong with a recording that can be used all the same: found before training, not after.
 */
#ifndef BRUME_CLI_SOUND_CHECK_H
#define BRUME_CLI_SOUND_CHECK_H

#include "cli/soundfile.h"

enum { SOUND_FINDINGS_MOST = 3, SOUND_FINDING_ROOM = 160 };

/* One line each, with the mend. */
typedef struct SoundFindings {
    size_t count;
    char lines[SOUND_FINDINGS_MOST][SOUND_FINDING_ROOM];
} SoundFindings;

/* Looks at a sound of one or two channels: an offset of more than a hundredth of full scale (and of
 * the level), which it takes out; clipping, where more than a thousandth of all samples stand still
 * at the peak; and silence below -80 dBFS for more than half of the time. */
void sound_check(Sound *sound, SoundFindings *findings);

#endif
