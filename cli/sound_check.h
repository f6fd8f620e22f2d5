/* What is wrong with a recording that can be used all the same: found before training, not after.
 */
#ifndef BRUME_CLI_SOUND_CHECK_H
#define BRUME_CLI_SOUND_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { SOUND_FINDINGS_MOST = 3, SOUND_FINDING_ROOM = 160 };

/* One line each, with the mend. */
typedef struct SoundFindings {
    size_t count;
    char lines[SOUND_FINDINGS_MOST][SOUND_FINDING_ROOM];
} SoundFindings;

/* What is known of one channel so far. */
typedef struct ChannelSurvey {
    double sum, squares;
    float peak, least, most; /* of all; of the block */
    size_t run, clipped;     /* samples at the peak: since the last that was not, in runs */
} ChannelSurvey;

/* A sound of one or two channels, gone through piece by piece. */
typedef struct SoundSurvey {
    unsigned channels, rate;
    size_t frames, blocks, silent; /* blocks of a twentieth of a second */
    ChannelSurvey channel[2];
} SoundSurvey;

void sound_survey_begin(SoundSurvey *survey, unsigned channels, unsigned rate);

/* The next samples (frames, channels). */
void sound_survey_add(SoundSurvey *survey, const float *samples, size_t frames);

/* A channel's offset, if it is more than a hundredth of full scale and of the level, or 0; and its
 * mean square without that. */
float sound_survey_offset(const SoundSurvey *survey, unsigned channel);
double sound_survey_power(const SoundSurvey *survey, unsigned channel);

/* Whether there is nothing to hear in it (below -100 dBFS). */
bool sound_survey_silent(const SoundSurvey *survey);

/* Says what is wrong: an offset; clipping, where more than a thousandth of all samples stand still
 * at the peak; and silence below -80 dBFS for more than half of the time. */
void sound_survey_judge(const SoundSurvey *survey, SoundFindings *findings);

#endif
