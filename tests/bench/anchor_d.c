#include "tests/bench/anchor_d.h"

#include "dsp/bands.h"
#include "dsp/pitch.h"
#include "dsp/random.h"
#include "dsp/stft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOP = 256, SIZE = 1024, MELS = 20, MOST = 100, STEPS = 8 };

typedef struct Frame {
    float hertz, voicing;
    float energy[MELS];
} Frame;

/* Mean bin power at a frequency, between the bands' centres by their logarithms. */
static float envelope(const Bands *bands, const float *energy, float hertz)
{
    size_t b = 0;
    while (b + 2 < MELS && bands_centre(bands, b + 1) < (double)hertz)
        b++;
    const double from = bands_centre(bands, b), to = bands_centre(bands, b + 1);
    const double along = fmax(0.0, fmin(1.0, ((double)hertz - from) / (to - from)));
    return (float)exp(log((double)energy[b] + 1e-10) * (1.0 - along) +
                      log((double)energy[b + 1] + 1e-10) * along);
}

static void describe(const float *x, size_t n, const PitchFrame *pitch, const Bands *bands,
                     Stft *stft, size_t frames, Frame *frame)
{
    float in[SIZE];
    float complex spectrum[SIZE / 2 + 1];
    for (size_t f = 0; f < frames; f++) {
        for (size_t i = 0; i < SIZE; i++) {
            const size_t at = f * HOP + i;
            in[i] = at >= SIZE / 2 && at - SIZE / 2 < n ? x[at - SIZE / 2] : 0.0F;
        }
        stft_forward(stft, in, spectrum);
        bands_energy(bands, spectrum, frame[f].energy);
        frame[f].hertz = pitch[2 * f].hertz;
        frame[f].voicing = pitch[2 * f].hertz > 0.0F ? pitch[2 * f].period : 0.0F;
    }
}

/* Band energies (MELS,) of a sinusoid of amplitude 1 at every half bin. */
static void responses(const Bands *bands, Stft *stft, float (*response)[MELS])
{
    float in[SIZE];
    float complex spectrum[SIZE / 2 + 1];
    for (size_t k = 0; k < SIZE; k++) {
        for (size_t i = 0; i < SIZE; i++)
            in[i] = (float)sin(3.141592653589793 * (double)k * ((double)i + 0.5) / SIZE);
        stft_forward(stft, in, spectrum);
        bands_energy(bands, spectrum, response[k]);
    }
}

/* Powers (MOST,) of the harmonics of a frame moved so that the energies of the bands are those
 * told: the multiplicative steps of Richardson (1972) and Lucy (1974). Harmonics that are alone in
 * their band come out too loud from the envelope, which knows nothing of the bands' widths. */
static void settle(float (*response)[MELS], const Frame *frame, float hertz, size_t count,
                   float *power)
{
    for (int step = 0; step < STEPS; step++) {
        float energy[MELS] = {0.0F};
        for (size_t p = 1; p < count; p++)
            for (size_t m = 0; m < MELS; m++)
                energy[m] += power[p] * response[(size_t)((float)p * hertz * SIZE / 8000.0F)][m];
        for (size_t p = 1; p < count; p++) {
            const float *seen = response[(size_t)((float)p * hertz * SIZE / 8000.0F)];
            float wanted = 0.0F, all = 1e-20F;
            for (size_t m = 0; m < MELS; m++) {
                wanted += seen[m] * frame->voicing * frame->energy[m] / (energy[m] + 1e-20F);
                all += seen[m];
            }
            power[p] *= wanted / all;
        }
    }
}

/* Amplitudes (MOST,) of the harmonics of a frame: from the envelope at first (a sinusoid for each
 * harmonic spacing), then with the bands' energies. */
static void harmonics(const Bands *bands, float (*response)[MELS], const Frame *frame, float hertz,
                      float *amplitude)
{
    size_t count = 1;
    memset(amplitude, 0, MOST * sizeof *amplitude);
    for (; count < MOST && (float)count * hertz < 7800.0F && frame->hertz > 0.0F; count++)
        amplitude[count] = 2.0F * frame->voicing *
                           envelope(bands, frame->energy, (float)count * hertz) * hertz /
                           (0.5F * PITCH_RATE);
    settle(response, frame, hertz, count, amplitude);
    for (size_t p = 1; p < count; p++)
        amplitude[p] = sqrtf(amplitude[p]);
}

static void sound(const Bands *bands, float (*response)[MELS], const Frame *frame, size_t frames,
                  size_t n, float *out)
{
    double phase = 0.0;
    float from[MOST], to[MOST];
    for (size_t f = 0; f + 1 < frames; f++) {
        const Frame *a = frame + f, *b = a + 1;
        const float start = a->hertz > 0.0F ? a->hertz : b->hertz,
                    end = b->hertz > 0.0F ? b->hertz : start;
        harmonics(bands, response, a, start, from);
        harmonics(bands, response, b, end, to);
        for (size_t t = 0; t < HOP && f * HOP + t < n && start > 0.0F; t++) {
            const float along = (float)t / HOP;
            for (size_t p = 1; p < MOST; p++)
                if (from[p] > 0.0F || to[p] > 0.0F)
                    out[f * HOP + t] += (from[p] + along * (to[p] - from[p])) *
                                        (float)sin(6.283185307179586 * phase * (double)p);
            phase += (double)(start + along * (end - start)) / PITCH_RATE;
        }
    }
}

/* Adds noise whose bands have the part of the energy that is not voiced. */
static void hiss(const Bands *bands, const Frame *frame, size_t frames, size_t n, Stft *stft,
                 float *out)
{
    float in[SIZE], gain[MELS], made[SIZE];
    float complex spectrum[SIZE / 2 + 1];
    for (size_t f = 2; f + 2 < frames; f++) {
        random_gaussian(1, 1, f * HOP, in, SIZE);
        stft_forward(stft, in, spectrum);
        bands_energy(bands, spectrum, gain);
        for (size_t m = 0; m < MELS; m++) {
            const float target = (1.0F - frame[f].voicing) * frame[f].energy[m];
            gain[m] = fminf(1e4F, sqrtf(target / (gain[m] + 1e-20F)));
        }
        for (size_t k = 0; k <= SIZE / 2; k++)
            spectrum[k] *= bands_at(bands, gain, k);
        memset(made, 0, sizeof made);
        stft_inverse(stft, spectrum, made);
        for (size_t i = 0; i < SIZE; i++)
            if (f * HOP + i >= SIZE / 2 && f * HOP + i - SIZE / 2 < n)
                out[f * HOP + i - SIZE / 2] += made[i] / 1.5F;
    }
}

int anchor_d_make(const float *x, size_t n, float *out, Error *err)
{
    const size_t frames = n / HOP + 1;
    Bands *bands = bands_create_mel(PITCH_RATE, SIZE, MELS, err);
    Stft *stft = stft_create(SIZE, err);
    Frame *frame = malloc(frames * sizeof *frame);
    float(*response)[MELS] = malloc(SIZE * sizeof *response);
    PitchFrame *pitch = malloc((pitch_frames(n) + 2) * sizeof *pitch);
    int result = bands && stft ? 0 : -1;
    if (!result && (!frame || !pitch || !response))
        result = error_set(err, "out of memory for an anchor of %zu frames", frames);
    if (!result)
        result = pitch_track(x, n, pitch, err);
    if (!result) {
        describe(x, n, pitch, bands, stft, frames, frame);
        memset(out, 0, n * sizeof *out);
        responses(bands, stft, response);
        sound(bands, response, frame, frames, n, out);
        hiss(bands, frame, frames, n, stft, out);
    }
    free(frame);
    free(response);
    free(pitch);
    stft_destroy(stft);
    bands_destroy(bands);
    return result;
}
