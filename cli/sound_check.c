#include "cli/sound_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* An offset counts above this share of full scale and of the level; clipping above this share of
 * samples, in runs of so many at a peak of at least this; silence above this share of blocks below
 * this level, each of a twentieth of a second. */
static const double LEAST_OFFSET = 0.01, CLIPPED_SHARE = 1e-3, CLIPPED_PEAK = 0.5;
static const double SILENT_SHARE = 0.5, SILENCE = 1e-4;
enum { CLIPPED_RUN = 3 };

__attribute__((format(printf, 2, 3))) static void tell(SoundFindings *findings, const char *format,
                                                       ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(findings->lines[findings->count++], SOUND_FINDING_ROOM, format, arguments);
    va_end(arguments);
}

/* Takes a channel's mean out where that is far from 0; returns it, or 0. */
static double take_offset(Sound *sound, unsigned channel)
{
    double sum = 0.0, squares = 0.0;
    const size_t n = sound->frames, step = sound->channels;
    for (size_t i = 0; i < n; i++) {
        const double value = (double)sound->samples[i * step + channel];
        sum += value;
        squares += value * value;
    }
    const double mean = sum / (double)n, level = sqrt(squares / (double)n);
    if (fabs(mean) < LEAST_OFFSET || fabs(mean) < LEAST_OFFSET * level)
        return 0.0;
    for (size_t i = 0; i < n; i++)
        sound->samples[i * step + channel] -= (float)mean;
    return mean;
}

static float peak_of(const Sound *sound, unsigned channel)
{
    float peak = 0.0f;
    for (size_t i = 0; i < sound->frames; i++)
        peak = fmaxf(peak, fabsf(sound->samples[i * sound->channels + channel]));
    return peak;
}

/* The share of a channel's samples that stand still at its peak. */
static double clipped_share(const Sound *sound, unsigned channel)
{
    const float peak = peak_of(sound, channel), limit = 0.9999f * peak;
    size_t run = 0, clipped = 0;
    if ((double)peak < CLIPPED_PEAK)
        return 0.0;
    for (size_t i = 0; i < sound->frames; i++) {
        run = fabsf(sound->samples[i * sound->channels + channel]) >= limit ? run + 1 : 0;
        clipped += run == CLIPPED_RUN ? CLIPPED_RUN : run > CLIPPED_RUN;
    }
    return (double)clipped / (double)sound->frames;
}

/* The share of blocks in which all channels are silent. */
static double silent_share(const Sound *sound)
{
    const size_t block = sound->rate / 20 + 1, blocks = sound->frames / block;
    size_t silent = 0;
    for (size_t b = 0; b < blocks; b++) {
        bool heard = false;
        for (size_t i = b * block * sound->channels; i < (b + 1) * block * sound->channels; i++)
            heard = heard || fabs((double)sound->samples[i]) >= SILENCE;
        silent += !heard;
    }
    return blocks ? (double)silent / (double)blocks : 0.0;
}

void sound_check(Sound *sound, SoundFindings *findings)
{
    double offset = 0.0, clipped = 0.0;
    findings->count = 0;
    for (unsigned c = 0; c < sound->channels; c++) {
        /* Clipping first: it is at the peak of what was recorded. */
        clipped = fmax(clipped, clipped_share(sound, c));
        const double mean = take_offset(sound, c);
        offset = fabs(mean) > fabs(offset) ? mean : offset;
    }
    if (offset != 0.0)
        tell(findings, "its samples are off centre by %.3f (a DC offset): taken out", offset);
    if (clipped > CLIPPED_SHARE)
        tell(findings, "%.2g %% of it is clipped, and the model learns that: record it softer",
             100.0 * clipped);
    const double silent = silent_share(sound);
    if (silent > SILENT_SHARE && silent < 1.0)
        tell(findings, "%.0f %% of it is silence, and the model learns that: cut it out",
             100.0 * silent);
}
