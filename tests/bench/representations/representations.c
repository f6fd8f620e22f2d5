/* Round trips without a model: a sound through a representation of it and back, so that the best
 * that any model could do in that representation can be measured: see usage(). */
#include "cli/soundfile.h"
#include "dsp/analysis.h"
#include "dsp/bands.h"
#include "dsp/downmix.h"
#include "dsp/invert.h"
#include "dsp/random.h"
#include "dsp/stft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Analysis rounds after the first guess, as in textures that are played. */
enum { ROUNDS = 5 };

/* Frames of `size` samples, a quarter apart. With no single bins, `bands` mel bands; otherwise
 * bins 0..linear-1 and `bands` logarithmic ones up to `top` Hz. */
typedef struct Representation {
    const char *name;
    size_t size, linear, bands;
    double top;
    const char *what;
} Representation;

static const Representation representations[] = {
    {"bands", 1024, 0, 128, 0.0, "128 mel bands, noise for phases, 1024/256"},
    {"bands-long", 2048, 0, 128, 0.0, "128 mel bands, noise for phases, 2048/512"},
    {"bands256", 2048, 0, 256, 0.0, "256 mel bands, noise for phases, 2048/512"},
    {"hybrid", 2048, 372, 24, 20000.0, "bins to 8 kHz, 24 bands above, 2048/512: what ships"},
    {"hybrid-wide", 2048, 557, 24, 20000.0, "bins to 12 kHz, 24 bands above, 2048/512"},
    {"hybrid-short", 1024, 186, 24, 20000.0, "bins to 8 kHz, 24 bands above, 1024/256"},
    {"hybrid-fine", 4096, 743, 24, 20000.0, "bins to 8 kHz, 24 bands above, 4096/1024"},
    {"hybrid-low", 4096, 372, 48, 20000.0, "bins to 4 kHz, 48 bands above, 4096/1024"},
    /* The last bin is the one band above. */
    {"linear", 2048, 1022, 1, 22050.0, "all bins, 2048/512"},
};
enum { REPRESENTATIONS = sizeof representations / sizeof *representations };

static void usage(FILE *to)
{
    fprintf(to, "representations NAME IN OUT    the mono mix of IN (44.1 kHz), round trip\n"
                "representations --list         name, values a second, what it is; tabs between\n");
}

static Bands *bands_of(const Representation *it, Error *err)
{
    if (!it->linear)
        return bands_create_mel(44100.0, it->size, it->bands, err);
    return bands_create_hybrid(44100.0, it->size, it->linear, it->bands, it->top, err);
}

static void list(void)
{
    for (size_t i = 0; i < REPRESENTATIONS; i++) {
        const Representation *it = &representations[i];
        const double frames = 4.0 * 44100.0 / (double)it->size;
        printf("%s\t%.0f\t%s\n", it->name, frames * (double)(it->linear + it->bands), it->what);
    }
}

static const Representation *find(const char *name, Error *err)
{
    for (size_t i = 0; i < REPRESENTATIONS; i++)
        if (!strcmp(name, representations[i].name))
            return &representations[i];
    error_set(err, "there is no representation \"%.60s\": --list tells which there are", name);
    return NULL;
}

static void noise(void *user, uint64_t first, float *out, size_t n)
{
    (void)user;
    random_gaussian(0, 0, first, out, n);
}

/* log_energy (frames, count), frames a whole number of blocks and the look-ahead of the last ->
 * out (blocks * INVERTER_BLOCK * size / 4). */
static int invert(const Bands *bands, size_t size, const float *log_energy, size_t frames,
                  float *out, Error *err)
{
    Inverter *inverter = inverter_create(bands, size, ROUNDS, noise, NULL, err);
    if (!inverter)
        return -1;
    for (size_t f = 0; f + INVERTER_BLOCK + INVERTER_AHEAD <= frames; f += INVERTER_BLOCK)
        inverter_block(inverter, log_energy + f * bands_count(bands), NULL, out + f * size / 4);
    inverter_destroy(inverter);
    return 0;
}

/* x (n,) -> y (n,). Silence around x lets every sample of it lie in four frames. */
static int round_trip(const Representation *it, const float *x, size_t n, float *y, Error *err)
{
    const size_t hop = it->size / 4, block = INVERTER_BLOCK * hop;
    const size_t made = (n + it->size + block - 1) / block * block;
    const size_t frames = made / hop + INVERTER_AHEAD, padded = (frames - 1) * hop + it->size;
    int failed = -1;
    Bands *bands = bands_of(it, err);
    Stft *stft = bands ? stft_create(it->size, err) : NULL;
    float *sound = calloc(padded, sizeof *sound);
    float *log_energy = bands ? calloc(frames * bands_count(bands), sizeof *log_energy) : NULL;
    if (stft && sound && log_energy) {
        memcpy(sound + it->size, x, n * sizeof *x);
        failed = analysis_run(bands, stft, sound, padded, hop, log_energy, err) ||
                 invert(bands, it->size, log_energy, frames, sound, err);
        memcpy(y, sound + it->size, n * sizeof *y);
    } else if (stft) {
        error_set(err, "out of memory for %zu samples", n);
    }
    free(log_energy);
    free(sound);
    stft_destroy(stft);
    bands_destroy(bands);
    return failed ? -1 : 0;
}

static int write_sound(const char *path, const float *x, size_t n, Error *err)
{
    SoundWriter *writer = sound_writer_create(path, 44100, 1, n, err);
    if (!writer)
        return -1;
    if (sound_writer_write(writer, x, n, err)) {
        sound_writer_discard(writer);
        return -1;
    }
    return sound_writer_commit(writer, err);
}

static int run(const char *name, const char *from, const char *to, Error *err)
{
    Sound sound;
    const Representation *it = find(name, err);
    if (!it || soundfile_load(from, 0.0, &sound, err))
        return -1;
    int failed = -1;
    float *back = malloc(sound.frames * sizeof *back);
    if (sound.rate != 44100)
        error_set(err, "%s: %u Hz; give sound of 44100 Hz", from, sound.rate);
    else if (!back)
        error_set(err, "out of memory for %zu samples", sound.frames);
    else {
        downmix(sound.samples, sound.frames, sound.channels, sound.samples);
        failed = round_trip(it, sound.samples, sound.frames, back, err) ||
                 write_sound(to, back, sound.frames, err);
    }
    free(back);
    sound_free(&sound);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    Error err = {""};
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        list();
        return 0;
    }
    if (argc != 4) {
        usage(stderr);
        return 2;
    }
    if (!run(argv[1], argv[2], argv[3], &err))
        return 0;
    fprintf(stderr, "representations: %s\n", err.message);
    return 1;
}
