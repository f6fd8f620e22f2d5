/* Sounds that are compared: of a file, or of all files in a folder. */
#ifndef BRUME_CLI_COMPARE_SOUNDS_H
#define BRUME_CLI_COMPARE_SOUNDS_H

#include "cli/progress.h"
#include "dsp/error.h"
#include "dsp/texture_sound.h"

typedef struct CompareSounds {
    TextureSound **sounds; /* (count,) */
    size_t count;
    double seconds; /* of all together */
} CompareSounds;

/* Reads `path`: a file, or each file that lies in it if it is a folder, in the order of their
 * names, without those below it. Channels are mixed to one and the rate is converted. *out is empty
 * before and to be freed with compare_sounds_free, also after a failure.
 *
 * -1 for a file that is missing, no sound, too short or silent, for a folder in which no file is of
 * use, and when somebody interrupts. In a folder such files are skipped with a warning on standard
 * error. Main thread. */
int compare_sounds_read(const char *path, TextureEar *ear, Progress *progress, CompareSounds *out,
                        Error *err);

/* Adds a sound in memory, mono (n,) at `rate`, n >= 1. -1 when it is too short or silent, or memory
 * runs out. Any thread that has the ear to itself. */
int compare_sounds_add(CompareSounds *to, TextureEar *ear, const float *mono, size_t n, double rate,
                       Error *err);

/* They as dsp/texture_distance.h and dsp/texture_copies.h take them. */
static inline const TextureSound *const *compare_sounds_view(const CompareSounds *sounds)
{
    return (const TextureSound *const *)sounds->sounds;
}

void compare_sounds_free(CompareSounds *sounds);

#endif
