#include "dsp/texture_statistics.h"

#include "dsp/planner.h"
#include "dsp/products.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>

enum { FRAMES_LEAST = 100, FRAMES_MOST = 40000, WIDTHS = 2 };

static const size_t correlated[] = {1, 2, 3, 5, 8}, together[] = {1, 2};
enum {
    CORRELATED = sizeof correlated / sizeof correlated[0],
    TOGETHER = sizeof together / sizeof together[0],
    CENTRES_MOST = TEXTURE_HALF_OCTAVES
};

/* A row of bands of modulation: band c is centred at first * 2^(c * octaves) Hz and reaches
 * `octaves` to each side. */
typedef struct Layout {
    double first, octaves;
    size_t count;
} Layout;

static const Layout layouts[WIDTHS] = {{0.5, 0.5, TEXTURE_HALF_OCTAVES},
                                       {3.125, 1.0, TEXTURE_OCTAVES}};

/* A band of modulation in bins of the window's spectrum. */
typedef struct Modulation {
    size_t first, count;
    float *weights;
} Modulation;

struct TextureStatistics {
    size_t frames, bins;
    float *window;            /* (frames,), Hann */
    float *rows;              /* (COCHLEA_BANDS, frames): envelopes of mean 0 and variance 1 */
    float *windowed;          /* (frames,) */
    fftwf_complex *transform; /* (bins,) */
    fftwf_complex *spectra;   /* (COCHLEA_BANDS, bins) */
    float *power;             /* (bins,) */
    Modulation modulations[WIDTHS][CENTRES_MOST];
    fftwf_plan plan;
};

size_t texture_group_count(TextureGroup group)
{
    switch (group) {
    case TEXTURE_CORRELATION:
        return TEXTURE_NEIGHBOURS;
    case TEXTURE_MODULATION:
        return TEXTURE_HALF_OCTAVES * COCHLEA_BANDS;
    case TEXTURE_MODULATION_TOGETHER:
        return TEXTURE_OCTAVES * (2 * COCHLEA_BANDS - (1 + 2));
    default:
        return COCHLEA_BANDS;
    }
}

size_t texture_group_first(TextureGroup group)
{
    size_t first = 0;
    for (size_t g = 0; g < (size_t)group; g++)
        first += texture_group_count((TextureGroup)g);
    return first;
}

/* Weight of a bin in a band, by how far it is from the centre. Bin 0 is the mean: it has none. */
static double raised_cosine(double hz, double centre, double octaves)
{
    const double away = hz > 0.0 ? fabs(log2(hz / centre)) / octaves : 1.0;
    const double half = cos(fmin(1.0, away) * asin(1.0));
    return half * half;
}

/* A band narrower than a bin is its nearest bin. */
static int lay_out(Modulation *to, const Layout *layout, size_t index, size_t frames)
{
    const double bin = (double)COCHLEA_FRAME_RATE / (double)frames;
    const double centre = layout->first * exp2((double)index * layout->octaves);
    const size_t bins = frames / 2 + 1;
    const double end = fmin(ceil(centre * exp2(layout->octaves) / bin), (double)bins);
    to->first = (size_t)fmax(1.0, floor(centre * exp2(-layout->octaves) / bin));
    to->count = (size_t)end > to->first ? (size_t)end - to->first : 1;
    to->weights = calloc(to->count, sizeof *to->weights);
    if (!to->weights)
        return -1;
    double sum = 0.0;
    for (size_t i = 0; i < to->count; i++) {
        const double weight = raised_cosine((double)(to->first + i) * bin, centre, layout->octaves);
        to->weights[i] = (float)weight;
        sum += weight;
    }
    if (sum < 0.5) {
        to->first = (size_t)fmax(1.0, round(centre / bin));
        to->count = 1;
        to->weights[0] = 1.0F;
    }
    return 0;
}

static int lay_out_all(TextureStatistics *statistics)
{
    for (size_t w = 0; w < WIDTHS; w++)
        for (size_t c = 0; c < layouts[w].count; c++)
            if (lay_out(&statistics->modulations[w][c], &layouts[w], c, statistics->frames))
                return -1;
    return 0;
}

static int allocate(TextureStatistics *statistics)
{
    const size_t frames = statistics->frames, bins = statistics->bins;
    statistics->window = malloc(frames * sizeof(float));
    statistics->rows = malloc(COCHLEA_BANDS * frames * sizeof(float));
    statistics->windowed = fftwf_alloc_real(frames);
    statistics->transform = fftwf_alloc_complex(bins);
    statistics->spectra = fftwf_alloc_complex(COCHLEA_BANDS * bins);
    statistics->power = malloc(bins * sizeof(float));
    if (!statistics->window || !statistics->rows || !statistics->windowed ||
        !statistics->transform || !statistics->spectra || !statistics->power ||
        lay_out_all(statistics))
        return -1;
    const double turn = 4.0 * asin(1.0) / (double)frames;
    for (size_t i = 0; i < frames; i++)
        statistics->window[i] = (float)(0.5 - 0.5 * cos(turn * ((double)i + 0.5)));
    return 0;
}

TextureStatistics *texture_statistics_create(size_t frames, Error *err)
{
    if (frames < FRAMES_LEAST || frames > FRAMES_MOST) {
        error_set(err, "windows of %zu frames: give %d to %d", frames, FRAMES_LEAST, FRAMES_MOST);
        return NULL;
    }
    TextureStatistics *statistics = calloc(1, sizeof *statistics);
    if (statistics) {
        statistics->frames = frames;
        statistics->bins = frames / 2 + 1;
    }
    if (!statistics || allocate(statistics)) {
        texture_statistics_destroy(statistics);
        error_set(err, "out of memory for statistics of %zu frames", frames);
        return NULL;
    }
    /* ESTIMATE, since measured plans differ from run to run, and so would the rounding. */
    planner_lock();
    statistics->plan = fftwf_plan_dft_r2c_1d((int)frames, statistics->windowed,
                                             statistics->transform, FFTW_ESTIMATE);
    planner_unlock();
    if (!statistics->plan) {
        texture_statistics_destroy(statistics);
        error_set(err, "FFTW cannot plan a transform of %zu samples", frames);
        return NULL;
    }
    return statistics;
}

void texture_statistics_destroy(TextureStatistics *statistics)
{
    if (!statistics)
        return;
    planner_lock();
    if (statistics->plan)
        fftwf_destroy_plan(statistics->plan);
    planner_unlock();
    for (size_t w = 0; w < WIDTHS; w++)
        for (size_t c = 0; c < CENTRES_MOST; c++)
            free(statistics->modulations[w][c].weights);
    free(statistics->window);
    free(statistics->rows);
    fftwf_free(statistics->windowed);
    fftwf_free(statistics->transform);
    fftwf_free(statistics->spectra);
    free(statistics->power);
    free(statistics);
}

/* One band's moments -> the first four groups; its envelope, of mean 0 and variance 1 -> row. */
static void measure_moments(const float *envelopes, size_t band, size_t frames, double scale,
                            float *row, float *out)
{
    double sum = 0.0, second = 0.0, third = 0.0, fourth = 0.0;
    for (size_t f = 0; f < frames; f++)
        sum += (double)envelopes[f * COCHLEA_BANDS + band];
    const double mean = sum / (double)frames;
    for (size_t f = 0; f < frames; f++) {
        const double x = (double)envelopes[f * COCHLEA_BANDS + band] - mean;
        second += x * x;
        third += x * x * x;
        fourth += x * x * x * x;
    }
    /* An envelope that does not move at all keeps a little deviation, so that nothing is 0 / 0. */
    const double deviation = fmax(1e-9, sqrt(second / (double)frames));
    const double cube = deviation * deviation * deviation * (double)frames;
    out[texture_group_first(TEXTURE_MEAN) + band] = (float)(mean / scale);
    out[texture_group_first(TEXTURE_VARIATION) + band] = (float)(deviation / mean);
    out[texture_group_first(TEXTURE_SKEWNESS) + band] = (float)asinh(third / cube);
    out[texture_group_first(TEXTURE_KURTOSIS) + band] =
        (float)log(fmax(1.0, fourth / (cube * deviation)));
    for (size_t f = 0; f < frames; f++)
        row[f] = (float)(((double)envelopes[f * COCHLEA_BANDS + band] - mean) / deviation);
}

static void measure_correlations(const TextureStatistics *statistics, float *out)
{
    const size_t frames = statistics->frames;
    for (size_t s = 0; s < CORRELATED; s++)
        for (size_t b = 0; b + correlated[s] < COCHLEA_BANDS; b++)
            *out++ = products_dot(frames, statistics->rows + b * frames,
                                  statistics->rows + (b + correlated[s]) * frames) /
                     (float)frames;
}

/* A band's spectrum of modulation, and the root of the share of it in each half octave. */
static void measure_modulation(TextureStatistics *statistics, size_t band, float *out)
{
    const size_t frames = statistics->frames, bins = statistics->bins;
    fftwf_complex *spectrum = statistics->spectra + band * bins;
    for (size_t f = 0; f < frames; f++)
        statistics->windowed[f] = statistics->rows[band * frames + f] * statistics->window[f];
    fftwf_execute(statistics->plan);
    double all = 1e-12;
    for (size_t k = 0; k < bins; k++) {
        const float complex z = spectrum[k] = statistics->transform[k];
        statistics->power[k] = crealf(z) * crealf(z) + cimagf(z) * cimagf(z);
        all += k ? (double)statistics->power[k] : 0.0;
    }
    for (size_t c = 0; c < TEXTURE_HALF_OCTAVES; c++) {
        const Modulation *octave = &statistics->modulations[0][c];
        const float share =
            products_dot(octave->count, octave->weights, statistics->power + octave->first);
        out[c] = (float)sqrt((double)share / all);
    }
}

/* sum of weight times the real part of a times b's conjugate. */
static double cross_power(const Modulation *octave, const fftwf_complex *a, const fftwf_complex *b)
{
    double sum = 0.0;
    for (size_t i = 0; i < octave->count; i++) {
        const float complex x = a[octave->first + i], y = b[octave->first + i];
        sum += (double)(octave->weights[i] * (crealf(x) * crealf(y) + cimagf(x) * cimagf(y)));
    }
    return sum;
}

static void measure_together(const TextureStatistics *statistics, float *out)
{
    const size_t bins = statistics->bins;
    for (size_t s = 0; s < TOGETHER; s++)
        for (size_t b = 0; b + together[s] < COCHLEA_BANDS; b++)
            for (size_t c = 0; c < TEXTURE_OCTAVES; c++) {
                const Modulation *octave = &statistics->modulations[1][c];
                const fftwf_complex *one = statistics->spectra + b * bins;
                const fftwf_complex *other = one + together[s] * bins;
                const double powers = (cross_power(octave, one, one) + 1e-12) *
                                      (cross_power(octave, other, other) + 1e-12);
                *out++ = (float)(cross_power(octave, one, other) / sqrt(powers));
            }
}

void texture_statistics_run(TextureStatistics *statistics, const float *envelopes,
                            const float *power, float *out)
{
    const size_t frames = statistics->frames;
    double sum = 0.0;
    for (size_t f = 0; f < frames; f++)
        sum += (double)power[f];
    const double scale = pow(fmax(1e-20, sum / (double)frames), COCHLEA_COMPRESSION / 2.0);
    for (size_t b = 0; b < COCHLEA_BANDS; b++)
        measure_moments(envelopes, b, frames, scale, statistics->rows + b * frames, out);
    measure_correlations(statistics, out + texture_group_first(TEXTURE_CORRELATION));
    for (size_t b = 0; b < COCHLEA_BANDS; b++)
        measure_modulation(statistics, b,
                           out + texture_group_first(TEXTURE_MODULATION) +
                               b * TEXTURE_HALF_OCTAVES);
    measure_together(statistics, out + texture_group_first(TEXTURE_MODULATION_TOGETHER));
}
