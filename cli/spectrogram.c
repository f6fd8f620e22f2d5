#include "cli/spectrogram.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/stft.h"

/* Below anything that 32-bit floats near full scale hold: what silence measures. */
#define SILENCE_DB (-400.0f)

struct Spectrogram {
    Stft *stft;
    size_t size; /* samples in a window */
    size_t columns, rows;
    double lowest, highest; /* Hz */
    double bins_per_hz;
    float loudest;
    float *levels;      /* dB, (columns, rows) */
    float *frame;       /* (size) */
    float *bins;        /* dB, (size / 2 + 1): the column at work */
    float complex *fft; /* (size / 2 + 1) */
};

/* A window of about 50 ms: rain's drops stay apart, and so do a melody's partials. */
static size_t choose_size(unsigned rate)
{
    size_t size = 64;
    while (size < rate / 25)
        size *= 2;
    return size;
}

Spectrogram *spectrogram_create(size_t columns, size_t rows, unsigned rate, Error *err)
{
    Spectrogram *made = calloc(1, sizeof *made);
    if (made == NULL) {
        error_set(err, "out of memory");
        return NULL;
    }
    size_t size = choose_size(rate), bins = size / 2 + 1;
    *made = (Spectrogram){.size = size,
                          .columns = columns,
                          .rows = rows,
                          .lowest = 40.0,
                          .highest = fmin(20000.0, 0.5 * rate),
                          .bins_per_hz = (double)size / rate,
                          .loudest = SILENCE_DB};
    made->stft = stft_create(size, err);
    made->levels = malloc(columns * rows * sizeof *made->levels);
    made->frame = malloc(size * sizeof *made->frame);
    made->bins = malloc(bins * sizeof *made->bins);
    made->fft = malloc(bins * sizeof *made->fft);
    if (made->stft != NULL && made->levels && made->frame && made->bins && made->fft) {
        for (size_t i = 0; i < columns * rows; i++)
            made->levels[i] = SILENCE_DB;
        return made;
    }
    if (made->stft != NULL)
        error_set(err, "out of memory: give a smaller --width or --height");
    spectrogram_destroy(made);
    return NULL;
}

void spectrogram_destroy(Spectrogram *spectrogram)
{
    if (spectrogram == NULL)
        return;
    stft_destroy(spectrogram->stft);
    free(spectrogram->levels);
    free(spectrogram->frame);
    free(spectrogram->bins);
    free(spectrogram->fft);
    free(spectrogram);
}

/* The frame with its centre at `centre` into s->fft; silence lies outside `mono`. */
static void transform(Spectrogram *s, const float *mono, size_t frames, double centre)
{
    long first = (long)floor(centre) - (long)(s->size / 2);
    for (size_t i = 0; i < s->size; i++) {
        long at = first + (long)i;
        s->frame[i] = at >= 0 && (size_t)at < frames ? mono[at] : 0.0f;
    }
    stft_forward(s->stft, s->frame, s->fft);
}

/* The row between `low` and `high` (in bins): its loudest bin, or what lies between two bins. */
static float measure_row(const Spectrogram *s, double low, double high)
{
    size_t last = s->size / 2;
    size_t first_inside = (size_t)ceil(low), last_inside = (size_t)floor(high);
    if (first_inside < last_inside) {
        float most = SILENCE_DB;
        for (size_t bin = first_inside; bin <= last_inside && bin <= last; bin++)
            most = fmaxf(most, s->bins[bin]);
        return most;
    }
    double middle = fmin(0.5 * (low + high), (double)last);
    size_t below = (size_t)middle, above = below < last ? below + 1 : last;
    float share = (float)(middle - (double)below);
    return s->bins[below] + share * (s->bins[above] - s->bins[below]);
}

void spectrogram_measure(Spectrogram *s, size_t column, const float *mono, size_t frames,
                         double start, double stop)
{
    size_t bins = s->size / 2 + 1;
    size_t count = (size_t)ceil((stop - start) / (double)(s->size / 4));
    count = count > 0 ? count : 1;
    memset(s->bins, 0, bins * sizeof *s->bins);
    for (size_t i = 0; i < count; i++) {
        transform(s, mono, frames, start + ((double)i + 0.5) * (stop - start) / (double)count);
        for (size_t bin = 0; bin < bins; bin++) {
            float re = crealf(s->fft[bin]), im = cimagf(s->fft[bin]);
            s->bins[bin] = fmaxf(s->bins[bin], re * re + im * im);
        }
    }
    for (size_t bin = 0; bin < bins; bin++)
        s->bins[bin] = fmaxf(SILENCE_DB, 10.0f * log10f(s->bins[bin]));
    double ratio = pow(s->highest / s->lowest, 1.0 / (double)s->rows);
    double low = s->lowest * s->bins_per_hz;
    for (size_t row = 0; row < s->rows; row++) {
        float level = measure_row(s, low, low * ratio);
        s->levels[column * s->rows + row] = level;
        s->loudest = fmaxf(s->loudest, level);
        low *= ratio;
    }
}

float spectrogram_level(const Spectrogram *s, size_t column, size_t row)
{
    float level = s->levels[column * s->rows + row];
    if (level <= SILENCE_DB)
        return -SPECTROGRAM_RANGE_DB;
    return fmaxf(level - s->loudest, -SPECTROGRAM_RANGE_DB);
}

size_t spectrogram_columns(const Spectrogram *spectrogram)
{
    return spectrogram->columns;
}

size_t spectrogram_rows(const Spectrogram *spectrogram)
{
    return spectrogram->rows;
}

double spectrogram_lowest(const Spectrogram *spectrogram)
{
    return spectrogram->lowest;
}

double spectrogram_highest(const Spectrogram *spectrogram)
{
    return spectrogram->highest;
}
