#include "cli/sound_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* An offset counts above this share of full scale and of the level; clipping above this share of
 * samples, in runs of so many at a peak of at least this; silence above this share of blocks below
 * this level. */
static const double LEAST_OFFSET = 0.01, CLIPPED_SHARE = 1e-3, CLIPPED_PEAK = 0.5;
static const double SILENT_SHARE = 0.5, SILENCE = 1e-4;
static const float AT_PEAK = 0.9999f;
enum { CLIPPED_RUN = 3 };

__attribute__((format(printf, 2, 3))) static void tell(SoundFindings *findings, const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(findings->lines[findings->count++], SOUND_FINDING_ROOM, format, arguments);
    va_end(arguments);
}

static void begin_block(SoundSurvey *survey)
{
    for (unsigned c = 0; c < survey->channels; c++) {
        survey->channel[c].least = INFINITY;
        survey->channel[c].most = -INFINITY;
    }
}

void sound_survey_begin(SoundSurvey *survey, unsigned channels, unsigned rate)
{
    *survey = (SoundSurvey){.channels = channels, .rate = rate};
    begin_block(survey);
}

static void add_sample(ChannelSurvey *channel, float value)
{
    const float size = fabsf(value);
    channel->sum += (double)value;
    channel->squares += (double)value * (double)value;
    channel->least = fminf(channel->least, value);
    channel->most = fmaxf(channel->most, value);
    if (size > channel->peak) {
        /* What was at the old peak is not at this one, unless that is all but the same. */
        if (channel->peak < AT_PEAK * size)
            channel->run = channel->clipped = 0;
        channel->peak = size;
    }
    channel->run = size >= AT_PEAK * channel->peak ? channel->run + 1 : 0;
    channel->clipped += channel->run == CLIPPED_RUN ? CLIPPED_RUN : channel->run > CLIPPED_RUN;
}

/* A block is silent where it hardly moves, wherever its middle is. */
static void end_block(SoundSurvey *survey)
{
    bool heard = false;
    for (unsigned c = 0; c < survey->channels; c++) {
        const ChannelSurvey *channel = &survey->channel[c];
        heard = heard || (double)(channel->most - channel->least) >= 2.0 * SILENCE;
    }
    survey->blocks++;
    survey->silent += !heard;
    begin_block(survey);
}

void sound_survey_add(SoundSurvey *survey, const float *samples, size_t frames)
{
    const size_t block = survey->rate / 20 + 1;
    for (size_t i = 0; i < frames; i++) {
        for (unsigned c = 0; c < survey->channels; c++)
            add_sample(&survey->channel[c], samples[i * survey->channels + c]);
        if (++survey->frames % block == 0)
            end_block(survey);
    }
}

float sound_survey_offset(const SoundSurvey *survey, unsigned channel)
{
    const ChannelSurvey *c = &survey->channel[channel];
    const double n = (double)survey->frames, mean = c->sum / n, level = sqrt(c->squares / n);
    return fabs(mean) < LEAST_OFFSET || fabs(mean) < LEAST_OFFSET * level ? 0.0f : (float)mean;
}

double sound_survey_power(const SoundSurvey *survey, unsigned channel)
{
    const double offset = (double)sound_survey_offset(survey, channel);
    const double power = survey->channel[channel].squares / (double)survey->frames;
    return fmax(0.0, power - offset * offset);
}

bool sound_survey_silent(const SoundSurvey *survey)
{
    double power = 0.0;
    for (unsigned c = 0; c < survey->channels; c++)
        power += sound_survey_power(survey, c) / survey->channels;
    return power < 1e-10;
}

static double clipped_share(const SoundSurvey *survey, unsigned channel)
{
    const ChannelSurvey *c = &survey->channel[channel];
    return (double)c->peak < CLIPPED_PEAK ? 0.0 : (double)c->clipped / (double)survey->frames;
}

void sound_survey_judge(const SoundSurvey *survey, SoundFindings *findings)
{
    double offset = 0.0, clipped = 0.0;
    findings->count = 0;
    for (unsigned c = 0; c < survey->channels; c++) {
        const double mean = (double)sound_survey_offset(survey, c);
        clipped = fmax(clipped, clipped_share(survey, c));
        offset = fabs(mean) > fabs(offset) ? mean : offset;
    }
    if (offset != 0.0)
        tell(findings, "its samples are off centre by %.3f (a DC offset): taken out", offset);
    if (clipped > CLIPPED_SHARE)
        tell(findings, "%.2g %% of it is clipped, and the model learns that: record it softer",
             100.0 * clipped);
    const double silent = survey->blocks ? (double)survey->silent / (double)survey->blocks : 0.0;
    if (silent > SILENT_SHARE && silent < 1.0)
        tell(findings, "%.0f %% of it is silence, and the model learns that: cut it out",
             100.0 * silent);
}
