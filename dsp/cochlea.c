#include "dsp/cochlea.h"

#include "dsp/kernel.h"
#include "dsp/planner.h"
#include "dsp/random.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sound goes in blocks of 6 s, of which a quarter of a second at each end is not used: the lowest
 * band rings for less. */
enum { FRAMES = 2400, BLOCK = FRAMES * COCHLEA_HOP, MARGIN = 100 /* frames */ };
enum { USED = FRAMES - 2 * MARGIN, DITHER_STREAM = 0x636f6368 };

static const double LOWEST = 50.0, HIGHEST = 0.45 * COCHLEA_RATE; /* Hz */
static const double DITHER = 1.7782794e-4;                        /* -75 dB */
/* Least squared envelope: keeps the logarithm finite. */
static const float LEAST = 1e-24F;

/* One band: its bins are cut out of a block's spectrum, moved down to zero, and transformed back at
 * a rate that is a multiple of the frames' and at least four times their width, for the compressed
 * envelope is wider than the band. What that has above half the frame rate is then cut off. */
typedef struct Band {
    size_t first, width; /* bins of a block */
    float *weights;      /* (width,) */
    size_t size;         /* of the transform back: a multiple of FRAMES */
    fftwf_plan back, down;
} Band;

struct Cochlea {
    Band bands[COCHLEA_BANDS];
    float *time;             /* (BLOCK,); then a compressed envelope, (size,) */
    float *dither;           /* (BLOCK,) */
    fftwf_complex *spectrum; /* (BLOCK / 2 + 1,) */
    fftwf_complex *narrow;   /* (size,): a band alone, in bins and in time; the envelope's bins */
    float *envelope;         /* (FRAMES,) */
    fftwf_plan forward, frames;
};

/* Hz -> number of equivalent rectangular bandwidths below, and back. */
static double hz_to_erb(double hz)
{
    return 9.265 * log1p(hz / (24.7 * 9.265));
}

static double erb_to_hz(double number)
{
    return 24.7 * 9.265 * expm1(number / 9.265);
}

/* Neighbouring centres lie so far apart; a band reaches from one neighbour's centre to the other's.
 */
static double band_step(void)
{
    return (hz_to_erb(HIGHEST) - hz_to_erb(LOWEST)) / (COCHLEA_BANDS + 1);
}

double cochlea_centre(size_t band)
{
    return erb_to_hz(hz_to_erb(LOWEST) + (double)(band + 1) * band_step());
}

/* The least multiple of FRAMES, by a product of 2, 3 and 5, that holds `least` bins. */
static size_t smooth_size(size_t least)
{
    for (size_t times = 2;; times++) {
        size_t rest = times;
        for (size_t prime = 2; prime <= 5; prime++)
            while (rest % prime == 0)
                rest /= prime;
        if (rest == 1 && times * FRAMES >= least)
            return times * FRAMES;
    }
}

static int lay_out(Band *band, size_t index)
{
    const double middle = hz_to_erb(cochlea_centre(index)), step = band_step();
    const double bin = (double)COCHLEA_RATE / BLOCK;
    band->first = (size_t)ceil(erb_to_hz(middle - step) / bin);
    const size_t last = (size_t)floor(erb_to_hz(middle + step) / bin);
    band->width = last - band->first + 1;
    band->size = smooth_size(4 * band->width);
    band->weights = malloc(band->width * sizeof *band->weights);
    if (!band->weights)
        return -1;
    const double quarter = asin(1.0);
    for (size_t i = 0; i < band->width; i++) {
        const double away = hz_to_erb((double)(band->first + i) * bin) - middle;
        band->weights[i] = (float)cos(quarter * fmin(1.0, fabs(away) / step));
    }
    return 0;
}

/* Scratch space for the widest band. */
static int allocate(Cochlea *cochlea)
{
    size_t most = BLOCK;
    for (size_t b = 0; b < COCHLEA_BANDS; b++)
        most = cochlea->bands[b].size > most ? cochlea->bands[b].size : most;
    cochlea->time = fftwf_alloc_real(most);
    cochlea->dither = fftwf_alloc_real(BLOCK);
    cochlea->spectrum = fftwf_alloc_complex(BLOCK / 2 + 1);
    cochlea->narrow = fftwf_alloc_complex(most);
    cochlea->envelope = fftwf_alloc_real(FRAMES);
    return cochlea->time && cochlea->dither && cochlea->spectrum && cochlea->narrow &&
                   cochlea->envelope
               ? 0
               : -1;
}

/* ESTIMATE, since measured plans differ from run to run, and so would the rounding. */
static int plan(Cochlea *cochlea)
{
    planner_lock();
    cochlea->forward =
        fftwf_plan_dft_r2c_1d(BLOCK, cochlea->time, cochlea->spectrum, FFTW_ESTIMATE);
    cochlea->frames =
        fftwf_plan_dft_c2r_1d(FRAMES, cochlea->narrow, cochlea->envelope, FFTW_ESTIMATE);
    int planned = cochlea->forward && cochlea->frames;
    for (size_t b = 0; planned && b < COCHLEA_BANDS; b++) {
        Band *band = &cochlea->bands[b];
        band->back = fftwf_plan_dft_1d((int)band->size, cochlea->narrow, cochlea->narrow,
                                       FFTW_BACKWARD, FFTW_ESTIMATE);
        band->down =
            fftwf_plan_dft_r2c_1d((int)band->size, cochlea->time, cochlea->narrow, FFTW_ESTIMATE);
        planned = band->back && band->down;
    }
    planner_unlock();
    return planned ? 0 : -1;
}

Cochlea *cochlea_create(Error *err)
{
    Cochlea *cochlea = calloc(1, sizeof *cochlea);
    int failed = !cochlea;
    for (size_t b = 0; !failed && b < COCHLEA_BANDS; b++)
        failed = lay_out(&cochlea->bands[b], b);
    if (failed || allocate(cochlea) || plan(cochlea)) {
        cochlea_destroy(cochlea);
        error_set(err, "out of memory for the bands of a cochlea");
        return NULL;
    }
    return cochlea;
}

static void destroy_plan(fftwf_plan one)
{
    if (one)
        fftwf_destroy_plan(one);
}

void cochlea_destroy(Cochlea *cochlea)
{
    if (!cochlea)
        return;
    planner_lock();
    destroy_plan(cochlea->forward);
    destroy_plan(cochlea->frames);
    for (size_t b = 0; b < COCHLEA_BANDS; b++) {
        destroy_plan(cochlea->bands[b].back);
        destroy_plan(cochlea->bands[b].down);
        free(cochlea->bands[b].weights);
    }
    planner_unlock();
    fftwf_free(cochlea->time);
    fftwf_free(cochlea->dither);
    fftwf_free(cochlea->spectrum);
    fftwf_free(cochlea->narrow);
    fftwf_free(cochlea->envelope);
    free(cochlea);
}

/* Where sample `at` of a sound of n, mirrored at both ends for ever, is found. */
static size_t mirror(ptrdiff_t at, size_t n)
{
    const ptrdiff_t period = 2 * (ptrdiff_t)n;
    ptrdiff_t place = at % period;
    if (place < 0)
        place += period;
    return (size_t)(place < (ptrdiff_t)n ? place : period - 1 - place);
}

/* The block whose used part begins at frame `frame`, with its dither. */
static void fill(Cochlea *cochlea, const float *samples, size_t n, size_t frame, float dither)
{
    const ptrdiff_t start = ((ptrdiff_t)frame - MARGIN) * COCHLEA_HOP;
    random_gaussian(0, DITHER_STREAM, frame * COCHLEA_HOP, cochlea->dither, BLOCK);
    for (ptrdiff_t i = 0; i < BLOCK; i++)
        cochlea->time[i] = samples[mirror(start + i, n)] + dither * cochlea->dither[i];
}

/* Bins times weights. */
KERNEL static void weigh(size_t n, const float *bins, const float *weights, float *to)
{
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = bins[2 * i] * weights[i];
        to[2 * i + 1] = bins[2 * i + 1] * weights[i];
    }
}

static void compress(size_t n, const fftwf_complex *band, float scale, float *envelope)
{
    const float half = (float)(COCHLEA_COMPRESSION / 2.0);
    for (size_t i = 0; i < n; i++) {
        const float x = crealf(band[i]), y = cimagf(band[i]);
        envelope[i] = powf(fmaxf(LEAST, scale * (x * x + y * y)), half);
    }
}

/* The block's spectrum -> cochlea->envelope. */
static void run_band(Cochlea *cochlea, const Band *band)
{
    const float scale = 2.0F / BLOCK; /* positive frequencies alone have half of a sine */
    float *narrow = (float *)cochlea->narrow;
    weigh(band->width, (const float *)(cochlea->spectrum + band->first), band->weights, narrow);
    memset(narrow + 2 * band->width, 0, 2 * (band->size - band->width) * sizeof *narrow);
    fftwf_execute(band->back);
    compress(band->size, cochlea->narrow, scale * scale, cochlea->time);
    fftwf_execute(band->down);
    fftwf_execute(cochlea->frames);
}

static double mean_square(const float *samples, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)samples[i] * (double)samples[i];
    return n ? sum / (double)n : 0.0;
}

void cochlea_run(Cochlea *cochlea, const float *samples, size_t n, float *envelopes, float *power)
{
    const size_t frames = n / COCHLEA_HOP;
    const float dither = (float)(DITHER * sqrt(mean_square(samples, n)));
    for (size_t from = 0; from < frames; from += USED) {
        const size_t count = frames - from < USED ? frames - from : USED;
        fill(cochlea, samples, n, from, dither);
        for (size_t f = 0; f < count; f++)
            power[from + f] =
                (float)mean_square(cochlea->time + (MARGIN + f) * COCHLEA_HOP, COCHLEA_HOP);
        fftwf_execute(cochlea->forward);
        for (size_t b = 0; b < COCHLEA_BANDS; b++) {
            run_band(cochlea, &cochlea->bands[b]);
            const float least = powf(LEAST, (float)(COCHLEA_COMPRESSION / 2.0));
            for (size_t f = 0; f < count; f++)
                envelopes[(from + f) * COCHLEA_BANDS + b] =
                    fmaxf(least, cochlea->envelope[MARGIN + f] / (float)cochlea->bands[b].size);
        }
    }
}
