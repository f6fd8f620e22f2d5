#include "dsp/texture_distance.h"

#include "dsp/kernel.h"
#include "dsp/random.h"
#include "dsp/rank.h"
#include "dsp/texture_windows.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Windows of all real sounds and of all others, where there are no more sounds than that; of each
 * of the others at least; of all real ones at least; ways to part several sounds into halves. */
enum { REAL_WINDOWS = 64, OTHER_WINDOWS = 32, OF_EACH = 6, WINDOWS_LEAST = 6, PARTINGS = 8 };

/* Seconds. */
static const double LONGEST_WINDOW = 5.0;

/* Least deviation that counts, so that what nobody hears does not when a real sound is very steady:
 * 0.7 dB of a band's level, and else about what 5 s windows of Gaussian noise show (0.0025, 0.05,
 * 0.033, 0.024, 0.019, 0.11), as much as the referee takes (tests/bench/COMPARE.md). */
static const double LEAST_LEVEL = 0.7;
static const double least_deviation[TEXTURE_GROUPS] = {
    [TEXTURE_VARIATION] = 0.005,  [TEXTURE_SKEWNESS] = 0.05,   [TEXTURE_KURTOSIS] = 0.05,
    [TEXTURE_CORRELATION] = 0.03, [TEXTURE_MODULATION] = 0.01, [TEXTURE_MODULATION_TOGETHER] = 0.04,
};

/* The real sounds, measured. */
typedef struct Reference {
    TexturePart *parts; /* (part_count,) */
    size_t part_count;
    TextureWindows windows;
    float *deviation; /* (TEXTURE_STATISTICS,) */
    bool *second;     /* (part_count,): which half a part is in */
    size_t *order;    /* (part_count,) */
} Reference;

static double root_mean_square(const double *groups)
{
    double sum = 0.0;
    for (size_t g = 0; g < TEXTURE_GROUPS; g++)
        sum += groups[g] * groups[g];
    return sqrt(sum / TEXTURE_GROUPS);
}

/* Median length of several sounds in seconds; negative when memory runs out. */
static double median_seconds(const TextureSound *const *sounds, size_t count)
{
    float *seconds = malloc(count * sizeof *seconds);
    if (!seconds)
        return -1.0;
    for (size_t i = 0; i < count; i++)
        seconds[i] = (float)texture_sound_seconds(sounds[i]);
    const double median = (double)rank_median(seconds, count);
    free(seconds);
    return median;
}

/* Frames of a window. */
static int choose_window(const TextureSound *const *real, size_t real_count,
                         const TextureSound *const *other, size_t other_count, size_t *frames,
                         Error *err)
{
    const double room = real_count == 1 ? texture_sound_seconds(real[0]) / 4.0
                                        : median_seconds(real, real_count) / 2.0;
    if (room < 0.0)
        return error_set(err, "out of memory for comparing sounds");
    double window = fmin(LONGEST_WINDOW, room);
    for (size_t i = 0; i < other_count; i++)
        window = fmin(window, texture_sound_seconds(other[i]));
    if (window < TEXTURE_SHORTEST)
        return error_set(err,
                         "too little sound: windows of %.2f s, and %g s is the least: give one "
                         "real sound of %g s or more, or several of %g s",
                         window, TEXTURE_SHORTEST, 4.0 * TEXTURE_SHORTEST, 2.0 * TEXTURE_SHORTEST);
    *frames = (size_t)(window * COCHLEA_FRAME_RATE + 1e-6);
    return 0;
}

/* Parts of the real sounds: each that is long enough, or the halves of the only one. */
static void part_sounds(Reference *reference, const TextureSound *const *real, size_t real_count,
                        size_t frames)
{
    for (size_t i = 0; i < real_count; i++)
        if (real[i]->frames >= frames)
            reference->parts[reference->part_count++] = (TexturePart){real[i], 0, real[i]->frames};
    if (reference->part_count != 1)
        return;
    TexturePart *parts = reference->parts;
    parts[0].frames /= 2;
    parts[1] =
        (TexturePart){parts[0].sound, parts[0].frames, parts[0].sound->frames - parts[0].frames};
    reference->part_count = 2;
}

/* Means and standard deviations of each statistic; either may be NULL. */
static void measure_moments(const TextureWindows *windows, float *means, float *deviations)
{
    const double count = (double)windows->count;
    for (size_t j = 0; j < TEXTURE_STATISTICS; j++) {
        double sum = 0.0, squares = 0.0;
        for (size_t w = 0; w < windows->count; w++)
            sum += (double)windows->values[w * TEXTURE_STATISTICS + j];
        const double mean = sum / count;
        for (size_t w = 0; w < windows->count; w++) {
            const double away = (double)windows->values[w * TEXTURE_STATISTICS + j] - mean;
            squares += away * away;
        }
        if (means)
            means[j] = (float)mean;
        if (deviations)
            deviations[j] = (float)sqrt(squares / fmax(1.0, count - 1.0));
    }
}

/* Raises deviations to the least that counts, and to a third of their group's median, so that no
 * single statistic outweighs the others. */
static void raise_deviations(const float *means, float *deviations)
{
    float sorted[TEXTURE_STATISTICS];
    for (size_t g = 0; g < TEXTURE_GROUPS; g++) {
        const size_t first = texture_group_first((TextureGroup)g);
        const size_t count = texture_group_count((TextureGroup)g);
        for (size_t j = 0; j < count; j++)
            sorted[j] = deviations[first + j];
        const double third = (double)rank_median(sorted, count) / 3.0;
        for (size_t j = first; j < first + count; j++) {
            const double least = g == TEXTURE_MEAN ? (double)means[j] * COCHLEA_COMPRESSION *
                                                         LEAST_LEVEL * log(10.0) / 20.0
                                                   : least_deviation[g];
            deviations[j] = (float)fmax((double)deviations[j], fmax(least, third));
        }
    }
}

/* Statistics -> in units of the real ones' deviations. */
static void normalise(TextureWindows *windows, const float *deviations)
{
    for (size_t w = 0; w < windows->count; w++)
        for (size_t j = 0; j < TEXTURE_STATISTICS; j++)
            windows->values[w * TEXTURE_STATISTICS + j] /= deviations[j];
}

KERNEL static float squared_distance(size_t n, const float *a, const float *b)
{
    enum { LANES = 16 };
    float lanes[LANES] = {0.0F}, sum = 0.0F;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += (a[i + l] - b[i + l]) * (a[i + l] - b[i + l]);
    for (; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    for (size_t l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

/* Root mean square differences of two rows of statistics -> added to figures (TEXTURE_GROUPS,). */
static void add_differences(const float *a, const float *b, double *figures)
{
    size_t first = 0;
    for (size_t g = 0; g < TEXTURE_GROUPS; g++) {
        const size_t count = texture_group_count((TextureGroup)g);
        figures[g] += sqrt((double)squared_distance(count, a + first, b + first) / (double)count);
        first += count;
    }
}

/* Sums of differences -> figures (TEXTURE_FIGURES,), their means and what they are together. */
static void finish(double *figures, double pairs)
{
    for (size_t g = 0; g < TEXTURE_GROUPS; g++)
        figures[g] /= pairs;
    figures[TEXTURE_TOTAL] = root_mean_square(figures);
}

/* Puts about half of the windows into each half, parts whole, in the order drawn. */
static void part_halves(Reference *reference, uint64_t parting)
{
    const size_t count = reference->part_count;
    size_t sizes[2] = {0, 0};
    for (size_t i = 0; i < count; i++)
        reference->order[i] = i;
    for (size_t i = count; i > 1; i--) {
        const size_t j = random_below(parting, 0, i, i), other = reference->order[j];
        reference->order[j] = reference->order[i - 1];
        reference->order[i - 1] = other;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t part = reference->order[i];
        reference->second[part] = sizes[1] < sizes[0];
        for (size_t w = 0; w < reference->windows.count; w++)
            sizes[reference->second[part]] += reference->windows.parts[w] == part;
    }
}

/* Distances between the halves, and of their means, added to floor and bias (TEXTURE_GROUPS,).
 * False where a half is empty. */
static bool add_parting(const Reference *reference, double *floors, double *biases)
{
    const TextureWindows *windows = &reference->windows;
    double sums[TEXTURE_GROUPS] = {0.0};
    size_t counts[2] = {0, 0};
    float means[2][TEXTURE_STATISTICS] = {{0.0F}};
    for (size_t w = 0; w < windows->count; w++) {
        const float *values = windows->values + w * TEXTURE_STATISTICS;
        const size_t half = reference->second[windows->parts[w]];
        counts[half]++;
        for (size_t j = 0; j < TEXTURE_STATISTICS; j++)
            means[half][j] += values[j];
        for (size_t v = 0; v < w; v++)
            if (reference->second[windows->parts[v]] != half)
                add_differences(values, windows->values + v * TEXTURE_STATISTICS, sums);
    }
    if (!counts[0] || !counts[1])
        return false;
    for (size_t half = 0; half < 2; half++)
        for (size_t j = 0; j < TEXTURE_STATISTICS; j++)
            means[half][j] /= (float)counts[half];
    for (size_t g = 0; g < TEXTURE_GROUPS; g++)
        floors[g] += sums[g] / ((double)counts[0] * (double)counts[1]);
    add_differences(means[0], means[1], biases);
    return true;
}

static int measure_floor(Reference *reference, double *floors, double *biases, Error *err)
{
    size_t done = 0;
    const size_t partings = reference->part_count == 2 ? 1 : PARTINGS;
    for (size_t p = 0; p < partings; p++) {
        part_halves(reference, p);
        done += add_parting(reference, floors, biases);
    }
    if (!done)
        return error_set(err, "half of the real sound is silent: give more of it");
    finish(floors, (double)done);
    finish(biases, (double)done);
    return 0;
}

static void measure_spread(const TextureWindows *real, const TextureWindows *other, double *spread)
{
    float deviations[2][TEXTURE_STATISTICS];
    measure_moments(real, NULL, deviations[0]);
    measure_moments(other, NULL, deviations[1]);
    double sum = 0.0;
    for (size_t g = 0; g < TEXTURE_GROUPS; g++) {
        const size_t first = texture_group_first((TextureGroup)g);
        const size_t count = texture_group_count((TextureGroup)g);
        for (size_t j = first; j < first + count; j++)
            deviations[1][j] = (deviations[1][j] + 1e-6F) / (deviations[0][j] + 1e-6F);
        spread[g] = other->count < 3 ? NAN : (double)rank_median(deviations[1] + first, count);
        sum += spread[g];
    }
    spread[TEXTURE_TOTAL] = sum / TEXTURE_GROUPS;
}

/* Everything between windows that are measured and normalised. */
static int measure_figures(Reference *reference, const TextureWindows *other, TextureDistance *out,
                           Error *err)
{
    const TextureWindows *real = &reference->windows;
    double floors[TEXTURE_FIGURES] = {0.0};
    float means[2][TEXTURE_STATISTICS];
    if (measure_floor(reference, floors, out->bias_floor, err))
        return -1;
    for (size_t w = 0; w < real->count; w++)
        for (size_t v = 0; v < other->count; v++)
            add_differences(real->values + w * TEXTURE_STATISTICS,
                            other->values + v * TEXTURE_STATISTICS, out->ratio);
    finish(out->ratio, (double)real->count * (double)other->count);
    for (size_t f = 0; f < TEXTURE_FIGURES; f++)
        out->ratio[f] /= floors[f];
    measure_moments(real, means[0], NULL);
    measure_moments(other, means[1], NULL);
    add_differences(means[0], means[1], out->bias);
    finish(out->bias, 1.0);
    measure_spread(real, other, out->spread);
    out->real_windows = real->count;
    out->other_windows = other->count;
    return 0;
}

static double mean_level(const TextureSound *const *sounds, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += sounds[i]->level;
    return sum / (double)count;
}

static int measure_reference(Reference *reference, const TextureSound *const *real,
                             size_t real_count, size_t frames, Error *err)
{
    const size_t most = real_count < 2 ? 2 : real_count;
    reference->parts = malloc(most * sizeof *reference->parts);
    reference->order = malloc(most * sizeof *reference->order);
    reference->second = malloc(most * sizeof *reference->second);
    reference->deviation = malloc(TEXTURE_STATISTICS * sizeof *reference->deviation);
    float means[TEXTURE_STATISTICS];
    if (!reference->parts || !reference->order || !reference->second || !reference->deviation)
        return error_set(err, "out of memory for comparing sounds");
    part_sounds(reference, real, real_count, frames);
    const size_t parts = reference->part_count;
    if (!parts)
        return error_set(err, "no real sound is as long as a window");
    TextureWindows windows;
    const int failed = texture_windows_measure(reference->parts, parts, frames,
                                               (REAL_WINDOWS - 1) / parts + 1, &windows, err);
    reference->windows = windows;
    if (failed)
        return -1;
    if (windows.count < WINDOWS_LEAST)
        return error_set(err,
                         "too little real sound: %zu windows of %.2f s: give %d, or longer ones",
                         windows.count, (double)frames / COCHLEA_FRAME_RATE, WINDOWS_LEAST);
    measure_moments(&reference->windows, means, reference->deviation);
    raise_deviations(means, reference->deviation);
    normalise(&reference->windows, reference->deviation);
    return 0;
}

static int measure_other(const Reference *reference, const TextureSound *const *other,
                         size_t other_count, size_t frames, TextureWindows *windows, Error *err)
{
    TexturePart *parts = malloc(other_count * sizeof *parts);
    if (!parts)
        return error_set(err, "out of memory for comparing sounds");
    for (size_t i = 0; i < other_count; i++)
        parts[i] = (TexturePart){other[i], 0, other[i]->frames};
    const size_t each = (OTHER_WINDOWS - 1) / other_count + 1;
    const int failed = texture_windows_measure(parts, other_count, frames,
                                               each < OF_EACH ? OF_EACH : each, windows, err);
    free(parts);
    if (failed)
        return -1;
    normalise(windows, reference->deviation);
    return windows->count ? 0 : error_set(err, "all windows are silent: give more sound");
}

int texture_distance(const TextureSound *const *real, size_t real_count,
                     const TextureSound *const *other, size_t other_count, TextureDistance *out,
                     Error *err)
{
    *out = (TextureDistance){0};
    if (!real_count || !other_count)
        return error_set(err, "no sound to compare: give at least one on each side");
    size_t frames = 0;
    if (choose_window(real, real_count, other, other_count, &frames, err))
        return -1;
    out->window = (double)frames / COCHLEA_FRAME_RATE;
    out->level = mean_level(other, other_count) - mean_level(real, real_count);
    Reference reference = {0};
    TextureWindows windows = {0, NULL, NULL};
    const int failed = measure_reference(&reference, real, real_count, frames, err) ||
                       measure_other(&reference, other, other_count, frames, &windows, err) ||
                       measure_figures(&reference, &windows, out, err);
    texture_windows_free(&windows);
    texture_windows_free(&reference.windows);
    free(reference.parts);
    free(reference.order);
    free(reference.second);
    free(reference.deviation);
    return failed ? -1 : 0;
}
