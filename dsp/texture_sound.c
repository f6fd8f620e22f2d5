#include "dsp/texture_sound.h"

#include "dsp/analysis.h"

#include <math.h>
#include <stdlib.h>

/* Frames of 64 ms, so long that a copy which lies between two of them is still found. */
enum { MEL_FRAME = 2048, MEL_HOP = COCHLEA_RATE / TEXTURE_MEL_RATE };

static const double SILENCE = -100.0, MEL_RANGE = 50.0; /* dB */

struct TextureEar {
    Cochlea *cochlea;
    Stft *stft;
    Bands *bands;
};

TextureEar *texture_ear_create(Error *err)
{
    TextureEar *ear = calloc(1, sizeof *ear);
    if (!ear) {
        error_set(err, "out of memory for comparing sounds");
        return NULL;
    }
    ear->cochlea = cochlea_create(err);
    ear->stft = ear->cochlea ? stft_create(MEL_FRAME, err) : NULL;
    ear->bands =
        ear->stft ? bands_create_mel(COCHLEA_RATE, MEL_FRAME, TEXTURE_MEL_BANDS, err) : NULL;
    if (!ear->bands) {
        texture_ear_destroy(ear);
        return NULL;
    }
    return ear;
}

void texture_ear_destroy(TextureEar *ear)
{
    if (!ear)
        return;
    cochlea_destroy(ear->cochlea);
    stft_destroy(ear->stft);
    bands_destroy(ear->bands);
    free(ear);
}

static double level_of(const float *samples, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)samples[i] * (double)samples[i];
    return 10.0 * log10(fmax(1e-30, sum / (double)n));
}

/* Natural logarithms of mean energies of bins -> bands' energies in dB, none further than MEL_RANGE
 * under the mean of the loudest frame. */
static void limit_range(TextureSound *sound, const Bands *bands)
{
    const double decibels = 10.0 / log(10.0);
    double loudest = -INFINITY;
    for (size_t i = 0; i < sound->mel_frames * TEXTURE_MEL_BANDS; i++)
        sound->mel[i] += logf((float)bands_width(bands, i % TEXTURE_MEL_BANDS));
    for (size_t f = 0; f < sound->mel_frames; f++) {
        double sum = 0.0;
        for (size_t b = 0; b < TEXTURE_MEL_BANDS; b++)
            sum += exp((double)sound->mel[f * TEXTURE_MEL_BANDS + b]);
        loudest = fmax(loudest, decibels * log(sum / TEXTURE_MEL_BANDS));
    }
    for (size_t i = 0; i < sound->mel_frames * TEXTURE_MEL_BANDS; i++)
        sound->mel[i] = (float)fmax(loudest - MEL_RANGE, decibels * (double)sound->mel[i]);
}

TextureSound *texture_sound_create(TextureEar *ear, const float *samples, size_t n, Error *err)
{
    const size_t frames = n / COCHLEA_HOP;
    if (frames < TEXTURE_FRAMES_LEAST) {
        error_set(err, "lasts %.2f s: give at least %g s", (double)n / COCHLEA_RATE,
                  TEXTURE_SHORTEST);
        return NULL;
    }
    const double level = level_of(samples, n);
    if (level < SILENCE) {
        error_set(err, "is silent (below %g dB): give a sound", SILENCE);
        return NULL;
    }
    TextureSound *sound = calloc(1, sizeof *sound);
    if (sound) {
        sound->level = level;
        sound->frames = frames;
        sound->mel_frames = analysis_frames(n, MEL_FRAME, MEL_HOP);
        sound->envelopes = malloc(frames * COCHLEA_BANDS * sizeof(float));
        sound->power = malloc(frames * sizeof(float));
        sound->mel = malloc(sound->mel_frames * TEXTURE_MEL_BANDS * sizeof(float));
    }
    if (!sound || !sound->envelopes || !sound->power || !sound->mel) {
        texture_sound_destroy(sound);
        error_set(err, "out of memory for %.0f s of sound", (double)n / COCHLEA_RATE);
        return NULL;
    }
    if (analysis_run(ear->bands, ear->stft, samples, n, MEL_HOP, sound->mel, err)) {
        texture_sound_destroy(sound);
        return NULL;
    }
    limit_range(sound, ear->bands);
    cochlea_run(ear->cochlea, samples, n, sound->envelopes, sound->power);
    return sound;
}

void texture_sound_destroy(TextureSound *sound)
{
    if (!sound)
        return;
    free(sound->envelopes);
    free(sound->power);
    free(sound->mel);
    free(sound);
}

double texture_sound_seconds(const TextureSound *sound)
{
    return (double)sound->frames / COCHLEA_FRAME_RATE;
}
