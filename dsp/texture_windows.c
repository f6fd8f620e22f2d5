#include "dsp/texture_windows.h"

#include <stdlib.h>

static const double SILENCE = 1e-5; /* of the sound's mean power */

static double mean_power(const TextureSound *sound, size_t first, size_t frames)
{
    double sum = 0.0;
    for (size_t f = first; f < first + frames; f++)
        sum += (double)sound->power[f];
    return sum / (double)frames;
}

static size_t count_places(const TexturePart *part, size_t frames, size_t each)
{
    if (part->frames < frames)
        return 0;
    const size_t places = 4 * (part->frames - frames) / frames + 1;
    return places < each ? places : each;
}

static void measure_part(TextureStatistics *statistics, const TexturePart *part, size_t index,
                         size_t frames, size_t places, TextureWindows *out)
{
    const TextureSound *sound = part->sound;
    const double room = (double)(part->frames - frames + 1);
    const double gate = SILENCE * mean_power(sound, 0, sound->frames);
    for (size_t i = 0; i < places; i++) {
        const size_t at = part->first + (size_t)(room * ((double)i + 0.5) / (double)places);
        if (mean_power(sound, at, frames) <= gate)
            continue;
        texture_statistics_run(statistics, sound->envelopes + at * COCHLEA_BANDS, sound->power + at,
                               out->values + out->count * TEXTURE_STATISTICS);
        out->parts[out->count++] = index;
    }
}

int texture_windows_measure(const TexturePart *parts, size_t part_count, size_t frames, size_t each,
                            TextureWindows *out, Error *err)
{
    size_t most = 1;
    for (size_t p = 0; p < part_count; p++)
        most += count_places(&parts[p], frames, each);
    *out = (TextureWindows){0, malloc(most * TEXTURE_STATISTICS * sizeof *out->values),
                            malloc(most * sizeof *out->parts)};
    if (!out->values || !out->parts)
        return error_set(err, "out of memory for %zu windows", most);
    TextureStatistics *statistics = texture_statistics_create(frames, err);
    if (!statistics)
        return -1;
    for (size_t p = 0; p < part_count; p++) {
        const size_t places = count_places(&parts[p], frames, each);
        if (places)
            measure_part(statistics, &parts[p], p, frames, places, out);
    }
    texture_statistics_destroy(statistics);
    return 0;
}

void texture_windows_free(TextureWindows *windows)
{
    free(windows->values);
    free(windows->parts);
    *windows = (TextureWindows){0, NULL, NULL};
}
