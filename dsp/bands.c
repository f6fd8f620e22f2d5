#include "dsp/bands_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double hz_to_mel(double hz)
{
    return 2595.0 * log10(1.0 + hz / 700.0);
}

static double mel_to_hz(double mel)
{
    return 700.0 * (pow(10.0, mel / 2595.0) - 1.0);
}

/* Weight of bin k in band b: a triangle between the neighbouring centres. The first band reaches
 * down to bin 0 and the last up to the last bin at full weight. */
static double triangle(const Bands *bands, size_t b, double k)
{
    const double centre = bands->centres[b];
    if (k < centre) {
        if (b == 0)
            return 1.0;
        return fmax(0.0, (k - bands->centres[b - 1]) / (centre - bands->centres[b - 1]));
    }
    if (b + 1 == bands->count)
        return 1.0;
    return fmax(0.0, (bands->centres[b + 1] - k) / (bands->centres[b + 1] - centre));
}

static int lay_out_weights(Bands *bands)
{
    const double window_power = 0.375 * (double)bands->size;
    size_t total = 0;
    for (int pass = 0; pass < 2; pass++) {
        total = 0;
        for (size_t b = 0; b < bands->count; b++) {
            Band *band = &bands->bands[b];
            double sum = 0.0;
            band->offset = total;
            band->length = 0;
            for (size_t k = 0; k < bands->bins; k++) {
                const double weight = triangle(bands, b, (double)k);
                if (weight <= 0.0)
                    continue;
                if (!band->length)
                    band->first = k;
                if (pass)
                    bands->weights[total] = (float)weight;
                band->length++;
                total++;
                sum += weight;
            }
            if (!band->length)
                return -1;
            band->scale = (float)(1.0 / (sum * window_power));
        }
        if (!pass && !(bands->weights = calloc(total, sizeof *bands->weights)))
            return -1;
    }
    return 0;
}

static void lay_out_bins(Bands *bands)
{
    size_t b = 0;
    for (size_t k = 0; k < bands->bins; k++) {
        while (b + 2 < bands->count && bands->centres[b + 1] <= (double)k)
            b++;
        const double low = bands->centres[b], high = bands->centres[b + 1];
        bands->below[k] = b;
        bands->share[k] = (float)fmin(1.0, fmax(0.0, ((double)k - low) / (high - low)));
    }
    while (bands->single < bands->count && bands->bands[bands->single].length == 1 &&
           bands->bands[bands->single].first == bands->single)
        bands->single++;
}

/* Takes `centres` (count,), in bins, over. */
static Bands *create(double rate, size_t size, size_t count, double *centres, Error *err)
{
    Bands *bands = calloc(1, sizeof *bands);
    if (!bands) {
        free(centres);
        error_set(err, "out of memory for %zu bands", count);
        return NULL;
    }
    bands->rate = rate;
    bands->size = size;
    bands->bins = size / 2 + 1;
    bands->count = count;
    bands->centres = centres;
    bands->bands = calloc(count, sizeof *bands->bands);
    bands->below = calloc(bands->bins, sizeof *bands->below);
    bands->share = calloc(bands->bins, sizeof *bands->share);
    if (!bands->bands || !bands->below || !bands->share || lay_out_weights(bands)) {
        bands_destroy(bands);
        error_set(err, "%zu bands do not fit in frames of %zu samples, or out of memory", count,
                  size);
        return NULL;
    }
    lay_out_bins(bands);
    return bands;
}

Bands *bands_create_mel(double rate, size_t size, size_t count, Error *err)
{
    if (!(rate > 0.0) || count < 2 || count > size / 2) {
        error_set(err, "%zu mel bands in frames of %zu samples at %g Hz: give 2 to %zu bands",
                  count, size, rate, size / 2);
        return NULL;
    }
    double *centres = calloc(count, sizeof *centres);
    if (!centres) {
        error_set(err, "out of memory for %zu bands", count);
        return NULL;
    }
    const double low = hz_to_mel(20.0), high = hz_to_mel(rate / 2.0);
    for (size_t b = 0; b < count; b++) {
        const double mel = low + (high - low) * (double)(b + 1) / (double)(count + 1);
        centres[b] = mel_to_hz(mel) * (double)size / rate;
        /* Low bands would lie closer than bins do: they get a bin each. */
        if (b && centres[b] < centres[b - 1] + 1.0) {
            centres[b - 1] = floor(centres[b - 1]);
            centres[b] = centres[b - 1] + 1.0;
        }
    }
    if (centres[count - 1] > (double)(size / 2)) {
        free(centres);
        error_set(err, "%zu mel bands are too many for frames of %zu samples", count, size);
        return NULL;
    }
    return create(rate, size, count, centres, err);
}

Bands *bands_create_hybrid(double rate, size_t size, size_t linear, size_t upper, double top,
                           Error *err)
{
    const double last = top * (double)size / rate;
    if (!(rate > 0.0) || linear < 2 || upper < 1 || linear + upper > size / 2 ||
        !(last > (double)(linear + upper) && last <= (double)(size / 2))) {
        error_set(err,
                  "%zu single bins and %zu bands up to %g Hz do not fit in frames of %zu samples "
                  "at %g Hz",
                  linear, upper, top, size, rate);
        return NULL;
    }
    double *centres = calloc(linear + upper, sizeof *centres);
    if (!centres) {
        error_set(err, "out of memory for %zu bands", linear + upper);
        return NULL;
    }
    for (size_t b = 0; b < linear; b++)
        centres[b] = (double)b;
    const double start = (double)(linear - 1), ratio = log(last / start);
    for (size_t b = 0; b < upper; b++) {
        const double bin = start * exp(ratio * (double)(b + 1) / (double)upper);
        centres[linear + b] = fmax(bin, centres[linear + b - 1] + 1.0);
    }
    return create(rate, size, linear + upper, centres, err);
}

void bands_destroy(Bands *bands)
{
    if (!bands)
        return;
    free(bands->centres);
    free(bands->bands);
    free(bands->weights);
    free(bands->below);
    free(bands->share);
    free(bands);
}

size_t bands_count(const Bands *bands)
{
    return bands->count;
}

size_t bands_single(const Bands *bands)
{
    return bands->single;
}

double bands_centre(const Bands *bands, size_t band)
{
    return bands->centres[band] * bands->rate / (double)bands->size;
}

double bands_width(const Bands *bands, size_t band)
{
    const Band *b = &bands->bands[band];
    return 1.0 / (0.375 * (double)bands->size * (double)b->scale);
}

float bands_at(const Bands *bands, const float *values, size_t k)
{
    const size_t b = bands->below[k];
    return values[b] + bands->share[k] * (values[b + 1] - values[b]);
}

static inline float power(float complex value)
{
    return crealf(value) * crealf(value) + cimagf(value) * cimagf(value);
}

void bands_energy(const Bands *bands, const float complex *spectrum, float *energy)
{
    for (size_t b = 0; b < bands->single; b++)
        energy[b] = power(spectrum[b]) * bands->bands[b].scale;
    for (size_t b = bands->single; b < bands->count; b++) {
        const Band *band = &bands->bands[b];
        const float *weight = bands->weights + band->offset;
        const float complex *bin = spectrum + band->first;
        float sum = 0.0f;
        for (size_t i = 0; i < band->length; i++)
            sum += weight[i] * power(bin[i]);
        energy[b] = sum * band->scale;
    }
}

void bands_log(const Bands *bands, float *energy)
{
    for (size_t b = 0; b < bands->count; b++)
        energy[b] = logf(energy[b] + BANDS_FLOOR);
}

void bands_exp(const Bands *bands, const float *log_energy, float *energy)
{
    for (size_t b = 0; b < bands->count; b++)
        energy[b] = fmaxf(0.0f, expf(log_energy[b]) - BANDS_FLOOR);
}
