/* A spectrogram made for a picture: a level for each column of time and row of log frequency. */
#ifndef BRUME_CLI_SPECTROGRAM_H
#define BRUME_CLI_SPECTROGRAM_H

#include <stddef.h>

#include "dsp/error.h"

/* How far below the loudest the levels reach. */
#define SPECTROGRAM_RANGE_DB 80.0f

typedef struct Spectrogram Spectrogram;

/* Room for `columns` of time and `rows` of frequency, from 40 Hz to 20 kHz or half of `rate`, equal
 * ratios apart. `rate` is 1000..768000 Hz. NULL when out of memory. One thread. */
Spectrogram *spectrogram_create(size_t columns, size_t rows, unsigned rate, Error *err);

/* Frees; NULL is allowed. */
void spectrogram_destroy(Spectrogram *spectrogram);

/* Measures column `column` from what lies between `start` and `stop` (positions in samples, start <
 * stop) in `mono` (frames): for each row the loudest of the frames, a quarter of a window apart at
 * most, whose centres fall between; silence lies before and after. Full scale should be near 1. */
void spectrogram_measure(Spectrogram *spectrogram, size_t column, const float *mono, size_t frames,
                         double start, double stop);

/* Decibels relative to the loudest level measured so far, -SPECTROGRAM_RANGE_DB..0; row 0 is the
 * lowest. A column not measured, and all of a silent sound, is at -SPECTROGRAM_RANGE_DB. */
float spectrogram_level(const Spectrogram *spectrogram, size_t column, size_t row);

size_t spectrogram_columns(const Spectrogram *spectrogram);
size_t spectrogram_rows(const Spectrogram *spectrogram);

/* The edges of the picture in Hz: the lower edge of row 0 and the upper edge of the last. */
double spectrogram_lowest(const Spectrogram *spectrogram);
double spectrogram_highest(const Spectrogram *spectrogram);

#endif
