/* Rendering stereo at 44.1 kHz in 8 steps: the whole, and its parts called by themselves, for as
 * much sound as lies between two joins. */
#include "tests/bench/bench.h"

#include "dsp/invert.h"
#include "dsp/random.h"
#include "dsp/resample.h"
#include "models/texture_frames.h"
#include "models/texture_noise.h"
#include "models/texture_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9, CHANNELS = 2, STEPS = 8, SEEN = INVERTER_BLOCK + INVERTER_AHEAD, BLOCKS = 8 };

enum { WHOLE, DENOISER, INVERSION, NORMALISER, CHUNK_NOISE, EXCITATION, RESAMPLING, KINDS };

/* What is rendered, and what all rounds share. */
typedef struct Rendering {
    TextureModel *model;
    size_t bands, window, hop;
    size_t frames, samples; /* between two joins */
    double blocks;          /* of the inverter, in as much */
    TextureStream *stream;
    Resampler *resampler;
    size_t asked; /* samples of noise that a block of one channel asks for */
    BenchTimes times;
} Rendering;

static double time_whole(Rendering *r)
{
    Error err = {""};
    float *out[CHANNELS] = {bench_values(r->samples), bench_values(r->samples)};
    const double start = bench_seconds();
    bench_need(!texture_stream_read(r->stream, out, r->samples, &err), &err);
    const double took = bench_seconds() - start;
    free(out[0]);
    free(out[1]);
    return took;
}

/* All steps of all channels of a chunk, after a prefix that is known. */
static double time_denoiser(const Rendering *r)
{
    Error err = {""};
    const DenoiserSteps *steps = texture_model_steps(r->model);
    const DenoiserConfig *config = denoiser_steps_config(steps);
    DenoiserSpace *space = denoiser_space_create(steps, r->window, &err);
    DenoiserTold *told = denoiser_told_create(steps, &err);
    bench_need(space && told, &err);
    float *x = bench_values(r->window * r->bands), *out = bench_values(r->window * r->bands);
    float *known = bench_values(r->window), *past = bench_values(config->past);
    const float mix[1] = {1.0f};
    double levels[STEPS] = {0.0};
    random_gaussian(5, 0, 0, x, r->window * r->bands);
    for (size_t f = 0; f < TEXTURE_PREFIX; f++)
        known[f] = 1.0f;
    DenoiserStep step = {r->window, TEXTURE_PREFIX, x, known, 0};
    denoiser_tell(told, &(DenoiserWindow){mix, x, past});
    denoiser_tell_levels(told, levels, STEPS);
    denoiser_step(space, told, &step, out);
    const double start = bench_seconds();
    for (unsigned c = 0; c < CHANNELS; c++) {
        denoiser_tell(told, &(DenoiserWindow){mix, x, past});
        denoiser_tell_levels(told, levels, STEPS);
        for (step.level = 0; step.level < STEPS; step.level++)
            denoiser_step(space, told, &step, out);
    }
    const double took = bench_seconds() - start;
    free(x);
    free(out);
    free(known);
    free(past);
    denoiser_told_destroy(told);
    denoiser_space_destroy(space);
    return took;
}

/* Noise that costs nothing. */
typedef struct StoredNoise {
    const float *values;
    size_t room, asked;
} StoredNoise;

static void copy_noise(void *user, uint64_t first, float *out, size_t n)
{
    StoredNoise *noise = user;
    (void)first;
    noise->asked = n;
    for (size_t i = 0; i < n; i++)
        out[i] = noise->values[i % noise->room];
}

static double time_inversion(Rendering *r)
{
    enum { ITERATIONS = 5, ROOM = 65536 };
    Error err = {""};
    float *values = bench_values(ROOM),
          *frames = bench_values((BLOCKS * INVERTER_BLOCK + SEEN) * r->bands);
    float *out = bench_values(INVERTER_BLOCK * r->hop);
    random_gaussian(6, 0, 0, values, ROOM);
    random_gaussian(7, 0, 0, frames, (BLOCKS * INVERTER_BLOCK + SEEN) * r->bands);
    for (size_t i = 0; i < (BLOCKS * INVERTER_BLOCK + SEEN) * r->bands; i++)
        frames[i] -= 8.0f;
    StoredNoise noise = {values, ROOM, 0};
    Inverter *inverter = inverter_create(texture_model_bands(r->model), 4 * r->hop, ITERATIONS,
                                         copy_noise, &noise, &err);
    bench_need(inverter != NULL, &err);
    inverter_block(inverter, frames, NULL, out);
    const double start = bench_seconds();
    for (size_t b = 1; b <= BLOCKS; b++)
        inverter_block(inverter, frames + b * INVERTER_BLOCK * r->bands, NULL, out);
    const double took = bench_seconds() - start;
    r->asked = noise.asked;
    inverter_destroy(inverter);
    free(values);
    free(frames);
    free(out);
    return took / BLOCKS * CHANNELS * r->blocks;
}

static double time_normaliser(const Rendering *r)
{
    float *frames = bench_values(SEEN * r->bands);
    const float mix[1] = {1.0f};
    double took = 0.0;
    for (size_t b = 0; b < BLOCKS; b++) {
        random_gaussian(8, b, 0, frames, SEEN * r->bands);
        const double start = bench_seconds();
        normaliser_backward(texture_model_maps(r->model), mix, frames, SEEN);
        took += bench_seconds() - start;
    }
    free(frames);
    return took / BLOCKS * CHANNELS * r->blocks;
}

static double time_noise(TextureNoise purpose, size_t n)
{
    float *out = bench_values(n);
    const double start = bench_seconds();
    for (unsigned c = 0; c < CHANNELS; c++)
        texture_noise_draw(1, c, purpose, 0, -1, 0, out, n);
    const double took = bench_seconds() - start;
    free(out);
    return took;
}

static double time_resampling(Rendering *r)
{
    Error err = {""};
    const size_t room = 2 * r->samples;
    float *in = bench_values(CHANNELS * r->samples), *out = bench_values(CHANNELS * room);
    random_gaussian(9, 0, 0, in, CHANNELS * r->samples);
    const double start = bench_seconds();
    for (size_t done = 0; done < r->samples;) {
        size_t used, made;
        const size_t n = r->samples - done < 512 ? r->samples - done : 512;
        bench_need(!resampler_process(r->resampler, in + done * CHANNELS, n, &used, out, room,
                                      &made, &err),
                   &err);
        done += used;
    }
    const double took = bench_seconds() - start;
    free(in);
    free(out);
    return took;
}

static void begin(Rendering *r)
{
    Error err = {""};
    r->model = bench_model();
    const TextureConfig *config = texture_model_config(r->model);
    r->bands = config->denoiser.bands;
    r->window = config->window;
    r->hop = texture_model_hop(r->model);
    r->samples = (size_t)lround(texture_stream_join_interval(r->model) * (double)config->rate);
    r->frames = r->samples / r->hop;
    r->blocks = (double)r->frames / INVERTER_BLOCK;
    TextureSettings settings = texture_settings_default();
    settings.steps = STEPS;
    r->stream = texture_stream_create(r->model, &settings, CHANNELS, 0, NULL, &err);
    r->resampler = resampler_create((double)config->rate, 48000.0, CHANNELS, &err);
    bench_need(r->stream && r->resampler, &err);
    time_whole(r);
    time_whole(r);
}

static void measure(Rendering *r)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        bench_add(&r->times, WHOLE, time_whole(r));
        bench_add(&r->times, DENOISER, time_denoiser(r));
        bench_add(&r->times, INVERSION, time_inversion(r));
        bench_add(&r->times, NORMALISER, time_normaliser(r));
        bench_add(&r->times, CHUNK_NOISE, time_noise(TEXTURE_NOISE_CHUNK, r->window * r->bands));
        bench_add(&r->times, EXCITATION, time_noise(TEXTURE_NOISE_EXCITE, r->asked) * r->blocks);
        bench_add(&r->times, RESAMPLING, time_resampling(r));
    }
}

void bench_render(void)
{
    static const char *const names[KINDS] = {"",
                                             "denoiser, 8 steps",
                                             "inversion",
                                             "normaliser",
                                             "noise of the chunk",
                                             "noise of the inversion",
                                             "resampling to 48 kHz"};
    Rendering r = {.model = NULL};
    begin(&r);
    measure(&r);
    const double seconds = (double)r.samples / (double)texture_model_config(r.model)->rate;
    const double whole = bench_median(&r.times, WHOLE);
    double rest = whole;
    printf("| part | ms for a second of sound | share |\n|---|---|---|\n");
    for (size_t k = DENOISER; k < RESAMPLING; k++) {
        const double took = bench_median(&r.times, k);
        rest -= took;
        printf("| %s | ", names[k]);
        bench_print_spread(&r.times, k, 1e3 / seconds);
        printf(" | %.0f %% |\n", 100.0 * took / whole);
    }
    printf("| the rest: sampler, joins, copies | %.2f | %.0f %% |\n", 1e3 * rest / seconds,
           100.0 * rest / whole);
    const double more = bench_median(&r.times, RESAMPLING);
    printf("| all, at 44.1 kHz | ");
    bench_print_spread(&r.times, WHOLE, 1e3 / seconds);
    printf(" | 100 %% |\n| %s, if asked for | ", names[RESAMPLING]);
    bench_print_spread(&r.times, RESAMPLING, 1e3 / seconds);
    printf(" | + %.0f %% |\n", 100.0 * more / whole);
    printf("\n**%.1f x real time** at 44.1 kHz, %.1f x at 48 kHz (required: 5 x).\n",
           seconds / whole, seconds / (whole + more));
    texture_stream_destroy(r.stream);
    resampler_destroy(r.resampler);
    texture_model_destroy(r.model);
}
