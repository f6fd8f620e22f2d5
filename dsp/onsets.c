#include "dsp/onsets.h"

#include "dsp/bands.h"
#include "dsp/pitch.h"
#include "dsp/rank.h"
#include "dsp/stft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIZE  512
#define BANDS 48
#define LAG   2
#define ORDER 24

static const float FLOOR = 1e-4F;

/* Energies (frames, BANDS) of frames centred on multiples of the hop. */
static void energies(const float *x, size_t n, size_t frames, const Bands *bands, Stft *stft,
                     float *out)
{
    float in[SIZE];
    float complex spectrum[SIZE / 2 + 1];
    for (size_t f = 0; f < frames; f++) {
        for (size_t i = 0; i < SIZE; i++) {
            const size_t at = f * PITCH_HOP + i;
            in[i] = at >= SIZE / 2 && at - SIZE / 2 < n ? x[at - SIZE / 2] : 0.0F;
        }
        stft_forward(stft, in, spectrum);
        bands_energy(bands, spectrum, out + f * BANDS);
    }
}

/* The energy of loud frames (the 95th percentile of the frames' means); scratch (frames,). */
static float loud_energy(const float *energy, size_t frames, float *scratch)
{
    for (size_t f = 0; f < frames; f++) {
        scratch[f] = 0.0F;
        for (size_t b = 0; b < BANDS; b++)
            scratch[f] += energy[f * BANDS + b] / BANDS;
    }
    rank_sort(scratch, frames);
    return scratch[frames * 95 / 100];
}

static float rise(const float *before, const float *now)
{
    float sum = 0.0F;
    for (size_t b = 0; b < BANDS; b++) {
        float reference = before[b];
        if (b > 0)
            reference = fmaxf(reference, before[b - 1]);
        if (b + 1 < BANDS)
            reference = fmaxf(reference, before[b + 1]);
        sum += fmaxf(0.0F, now[b] - reference);
    }
    return sum / BANDS;
}

int onsets_strength(const float *x, size_t n, float *strength, Error *err)
{
    const size_t frames = pitch_frames(n);
    Bands *bands = bands_create_mel(PITCH_RATE, SIZE, BANDS, err);
    Stft *stft = stft_create(SIZE, err);
    float *energy = malloc(frames * BANDS * sizeof *energy);
    int result = -1;
    if (bands && stft && !energy)
        error_set(err, "out of memory for the onsets of %zu frames", frames);
    if (bands && stft && energy) {
        energies(x, n, frames, bands, stft, energy);
        const float loud = loud_energy(energy, frames, strength);
        for (size_t i = 0; i < frames * BANDS; i++)
            energy[i] = loud > BANDS_FLOOR ? logf(energy[i] / loud + FLOOR) : 0.0F;
        for (size_t f = 0; f < frames; f++)
            strength[f] = f < LAG ? 0.0F : rise(energy + (f - LAG) * BANDS, energy + f * BANDS);
        result = 0;
    }
    free(energy);
    stft_destroy(stft);
    bands_destroy(bands);
    return result;
}

size_t onsets_peaks(const float *strength, size_t frames, float least, size_t *out)
{
    const size_t near = 3, wide = 12;
    size_t count = 0;
    for (size_t f = 0; f < frames; f++) {
        const size_t first = f > wide ? f - wide : 0;
        const size_t end = f + wide + 1 < frames ? f + wide + 1 : frames;
        float mean = 0.0F, highest = 0.0F;
        for (size_t i = first; i < end; i++) {
            mean += strength[i] / (float)(end - first);
            if (i + near >= f && i <= f + near && i != f)
                highest = fmaxf(highest, i < f ? nextafterf(strength[i], 1e9F) : strength[i]);
        }
        if (strength[f] >= highest && strength[f] > mean + least)
            out[count++] = f;
    }
    return count;
}

/* Squared amplitude (not scaled) of x at `hertz` in the Hann-weighted SIZE samples about `centre`.
 */
static float power_at(const float *x, size_t n, size_t centre, double hertz)
{
    const double turn = 6.283185307179586 * hertz / PITCH_RATE, bend = 6.283185307179586 / SIZE;
    double cosine = 1.0, sine = 0.0, real = 0.0, imaginary = 0.0;
    double bent_cosine = 1.0, bent_sine = 0.0; /* of the weight */
    const double c = cos(turn), s = sin(turn), bent_c = cos(bend), bent_s = sin(bend);
    for (size_t i = 0; i < SIZE; i++) {
        const size_t at = centre + i;
        if (at >= SIZE / 2 && at - SIZE / 2 < n) {
            const double weighted = (double)x[at - SIZE / 2] * (0.5 - 0.5 * bent_cosine);
            real += weighted * cosine;
            imaginary += weighted * sine;
        }
        const double next = cosine * c - sine * s;
        sine = cosine * s + sine * c;
        cosine = next;
        const double bent = bent_cosine * bent_c - bent_sine * bent_s;
        bent_sine = bent_cosine * bent_s + bent_sine * bent_c;
        bent_cosine = bent;
    }
    return (float)(real * real + imaginary * imaginary);
}

/* Partials, up to the eighth, that lie at least 40 Hz from any of the old pitch. */
static size_t own_partials(float hertz, float old_hertz, float *out)
{
    size_t count = 0;
    for (size_t p = 1; p <= 8 && (float)p * hertz < 0.48F * PITCH_RATE; p++) {
        const float partial = (float)p * hertz;
        const float nearest =
            old_hertz > 0.0F ? fmaxf(1.0F, roundf(partial / old_hertz)) * old_hertz : 0.0F;
        if (fabsf(partial - nearest) >= 40.0F)
            out[count++] = partial;
    }
    return count;
}

size_t onsets_emergence(const float *x, size_t n, size_t frame, size_t earliest, float hertz,
                        float old_hertz)
{
    enum { BACK = 24, AHEAD = 10 };
    float partial[8], amplitude[BACK + AHEAD + 1] = {0.0F};
    const size_t partials = own_partials(hertz, old_hertz, partial);
    const size_t first = frame > earliest + BACK ? frame - BACK : earliest;
    if (partials == 0 || first >= frame)
        return frame;
    const size_t here = frame - first;
    float most = 0.0F, least = INFINITY;
    for (size_t i = 0; i <= here + AHEAD; i++) {
        float sum = 0.0F;
        for (size_t p = 0; p < partials; p++)
            sum += power_at(x, n, (first + i) * PITCH_HOP, (double)partial[p]);
        amplitude[i] = sqrtf(sum);
        most = fmaxf(most, amplitude[i]);
        least = fminf(least, amplitude[i]);
    }
    const float threshold = least + 0.12F * (most - least);
    size_t at = here;
    while (at < here + AHEAD && amplitude[at] < threshold)
        at++;
    while (at > 0 && amplitude[at - 1] >= threshold)
        at--;
    return first + at;
}

/* Linear prediction of order ORDER from the n samples before x[0], by autocorrelation with a Hann
 * window and Levinson's recursion; 0 when they are silent. */
static int predictor(const float *x, size_t n, double *taps)
{
    double r[ORDER + 1] = {0.0}, windowed[1024];
    for (size_t i = 0; i < n; i++)
        windowed[i] =
            (double)x[i] * (0.5 - 0.5 * cos(6.283185307179586 * ((double)i + 0.5) / (double)n));
    for (size_t lag = 0; lag <= ORDER; lag++)
        for (size_t i = lag; i < n; i++)
            r[lag] += windowed[i] * windowed[i - lag];
    memset(taps, 0, ORDER * sizeof *taps);
    double power = r[0] * (1.0 + 1e-6) + 1e-12;
    for (size_t k = 0; k < ORDER; k++) {
        double sum = r[k + 1];
        for (size_t j = 0; j < k; j++)
            sum -= taps[j] * r[k - j];
        const double reflection = sum / power;
        double old[ORDER];
        memcpy(old, taps, sizeof old);
        taps[k] = reflection;
        for (size_t j = 0; j < k; j++)
            taps[j] = old[j] - reflection * old[k - 1 - j];
        power *= 1.0 - reflection * reflection;
    }
    return r[0] > 1e-9;
}

static double energy_before(const float *x, size_t at)
{
    double sum = 0.0;
    for (size_t i = at - 128; i < at; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

/* Back from `at` for as long as the sound before it is steadily weaker: to where a soft attack
 * starts from, up to 60 ms. */
static size_t rise_start(const float *x, size_t at)
{
    enum { STEP = 32, MOST = 960 };
    if (at < MOST + 256)
        return at;
    const size_t earliest = at - MOST;
    double energy = energy_before(x, at);
    const double enough = 3e-5 * fmax(energy_before(x, at + 128), energy);
    while (at > earliest && energy > enough) {
        const double earlier = energy_before(x, at - STEP);
        if (earlier > 0.85 * energy)
            break;
        energy = earlier;
        at -= STEP;
    }
    return at;
}

size_t onsets_refine(const float *x, size_t n, size_t about, size_t reach)
{
    enum { HISTORY = 1024, NEAR = 32, FAR = 160 };
    if (about < HISTORY / 2 + reach + ORDER + FAR || about + reach + NEAR >= n || reach > 1024)
        return about;
    const size_t start = about - reach - FAR;
    const size_t history = start < HISTORY ? start : HISTORY;
    double taps[ORDER], squares[2 * 1024 + FAR + NEAR + 1];
    if (!predictor(x + start - history, history, taps))
        memset(taps, 0, sizeof taps);
    squares[0] = 0.0;
    for (size_t i = 0; i < FAR + 2 * reach + NEAR; i++) {
        double left = (double)x[start + i];
        for (size_t k = 0; k < ORDER; k++)
            left -= taps[k] * (double)x[start + i - 1 - k];
        squares[i + 1] = squares[i] + left * left;
    }
    double best = 4.0, total = squares[FAR + 2 * reach + NEAR] / (double)(FAR + 2 * reach + NEAR);
    size_t found = about;
    for (size_t i = 0; i <= 2 * reach; i++) {
        const double before = (squares[FAR + i] - squares[i]) / FAR;
        const double after = (squares[FAR + i + NEAR] - squares[FAR + i]) / NEAR;
        const double ratio = after / (before + 0.003 * total + 1e-12);
        if (ratio > best) {
            best = ratio;
            found = start + FAR + i;
        }
    }
    return rise_start(x, found);
}
