#include "models/texture_frames_parts.h"
#include "models/texture_memory.h"
#include "models/texture_noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 2, MOST_ENSURED = 64 };

/* A short chunk, and what follows it, in so many steps at most. */
static const int most_steps[] = {[HASTY] = 4, [HASTIEST] = 3};

void texture_frames_settle(TextureFrames *frames)
{
    TextureFramesState *state = &frames->state;
    frames->begun = false;
    texture_memory_settle(frames->model, &state->settings, state->mix, frames->memory);
}

void texture_frames_set(TextureFrames *frames, const TextureSettings *settings)
{
    const uint64_t seed = frames->state.settings.seed;
    frames->state.settings = *settings;
    frames->state.settings.seed = seed;
    texture_frames_settle(frames);
}

void texture_frames_set_width(TextureFrames *frames, float width)
{
    frames->state.settings.width = width;
}

void texture_frames_restart(TextureFrames *frames, const TextureSettings *settings)
{
    memset(&frames->state, 0, sizeof frames->state);
    memset(frames->histories, 0, frames->channels * sizeof *frames->histories);
    frames->state.settings = *settings;
    texture_frames_settle(frames);
}

void texture_frames_redo(TextureFrames *frames)
{
    TextureFramesState *state = &frames->state;
    const size_t there = state->waiting + state->fading;
    frames->begun = false;
    state->fading = there < TEXTURE_FADE ? there : TEXTURE_FADE;
    state->waiting = 0;
    state->haste = HASTIEST;
}

const TextureSettings *texture_frames_settings(const TextureFrames *frames)
{
    return &frames->state.settings;
}

static int create_space(TextureFrames *frames, Error *err)
{
    const size_t windows = frames->channels, rows = windows * frames->window;
    frames->denoiser = window_denoiser_create(texture_model_steps(frames->model), frames->channels,
                                              frames->window, err);
    frames->values = calloc(windows * frames->rows * frames->bands, sizeof(float));
    frames->mixes = calloc(frames->rows * frames->classes, sizeof(float));
    frames->memory = calloc(frames->bands, sizeof(float));
    frames->histories = calloc(windows, sizeof *frames->histories);
    frames->x = calloc(rows * frames->bands, sizeof(float));
    frames->network = calloc(frames->window * frames->bands, sizeof(float));
    frames->work = calloc(2 * rows * frames->bands, sizeof(float));
    frames->known = calloc(frames->window, sizeof(float));
    if (!frames->denoiser || !frames->values || !frames->mixes || !frames->memory ||
        !frames->histories || !frames->x || !frames->network || !frames->work || !frames->known)
        return error_set(err, "out of memory for a texture");
    return 0;
}

static int check(const TextureModel *model, const TextureSettings *settings, unsigned channels,
                 Error *err)
{
    const TextureConfig *config = texture_model_config(model);
    const size_t least = TEXTURE_PREFIX + 2 * TEXTURE_FADE + MOST_ENSURED;
    if (channels < 1 || channels > CHANNELS)
        return error_set(err, "a texture of %u channels: 1 or 2 are possible", channels);
    if (config->window < least)
        return error_set(err,
                         "the model's window of %zu frames is too short for an endless stream: "
                         "%zu at least",
                         config->window, least);
    return texture_model_playable(model, err) ? -1 : texture_settings_check(settings, model, err);
}

TextureFrames *texture_frames_create(const TextureModel *model, const TextureSettings *settings,
                                     unsigned channels, const atomic_bool *cancel, Error *err)
{
    if (check(model, settings, channels, err))
        return NULL;
    TextureFrames *frames = calloc(1, sizeof *frames);
    if (!frames) {
        error_set(err, "out of memory for a texture");
        return NULL;
    }
    const TextureConfig *config = texture_model_config(model);
    frames->model = model;
    frames->cancel = cancel;
    frames->channels = channels;
    frames->bands = config->denoiser.bands;
    frames->classes = config->denoiser.classes;
    frames->window = config->window;
    frames->rows = TEXTURE_PREFIX + MOST_ENSURED + config->window;
    if (create_space(frames, err)) {
        texture_frames_destroy(frames);
        return NULL;
    }
    texture_frames_restart(frames, settings);
    return frames;
}

void texture_frames_destroy(TextureFrames *frames)
{
    if (!frames)
        return;
    window_denoiser_destroy(frames->denoiser);
    free(frames->values);
    free(frames->mixes);
    free(frames->memory);
    free(frames->histories);
    free(frames->x);
    free(frames->network);
    free(frames->work);
    free(frames->known);
    free(frames);
}

/* Standard Gaussian values for all channels; step -1 is x_T. */
static void sampling_noise(void *user, int step, float *out, size_t n)
{
    const TextureFrames *frames = user;
    const TextureFramesState *state = &frames->state;
    const size_t size = frames->length * frames->bands;
    (void)n;
    for (unsigned c = 0; c < frames->channels; c++)
        texture_noise_draw(state->settings.seed, c, TEXTURE_NOISE_CHUNK, state->chunk, step, 0,
                           out + c * size, size);
}

/* A channel's window as the network sees it: known frames are clean at every noise level. */
static void show(const TextureFrames *frames, unsigned channel, const float *x)
{
    const size_t skip = TEXTURE_PREFIX - frames->given;
    memcpy(frames->network, x, frames->length * frames->bands * sizeof *x);
    if (frames->given > 0)
        memcpy(frames->network + skip * frames->bands,
               texture_frames_row(frames, channel, frames->state.waiting + skip),
               frames->given * frames->bands * sizeof *x);
}

/* One channel after the other: a cancel is heard sooner, and the middle of two channels is, to the
 * bit, what one channel alone would be. */
static int sampling_denoise(void *user, const float *x, double half_log_snr, float *out)
{
    TextureFrames *frames = user;
    const size_t size = frames->length * frames->bands;
    (void)half_log_snr;
    for (unsigned c = 0; c < frames->channels; c++) {
        if (frames->cancel && atomic_load_explicit(frames->cancel, memory_order_relaxed))
            return -1;
        show(frames, c, x + c * size);
        /* What the network makes of a prefix that is all known is not used. */
        const DenoiserStep step = {.frames = frames->length,
                                   .first = frames->given == TEXTURE_PREFIX ? TEXTURE_PREFIX : 0,
                                   .x = frames->network,
                                   .known = frames->known};
        window_denoiser_step(frames->denoiser, c, &frames->sampler, &step, out + c * size);
    }
    return 0;
}

static SamplerSettings sampler_settings(const TextureFrames *frames)
{
    const TextureConfig *config = texture_model_config(frames->model);
    const TextureFramesState *state = &frames->state;
    SamplerSettings settings = sampler_defaults();
    settings.kind = state->settings.sampler;
    settings.steps = state->settings.steps;
    if (state->haste != CALM) {
        const int most = most_steps[state->haste];
        settings.kind = SAMPLER_DPM;
        settings.steps = settings.steps < most ? settings.steps : most;
    }
    settings.prediction = config->prediction;
    settings.schedule = texture_model_schedule(frames->model);
    settings.clip = NORMALISER_RANGE;
    return settings;
}

/* Tells the next chunk's windows, whose first row is number `waiting`, what went before and the
 * settings of now. */
static void tell(TextureFrames *frames)
{
    const size_t first = TEXTURE_PREFIX - frames->state.past;
    const size_t n = frames->state.waiting > first ? frames->state.waiting - first : 0;
    for (unsigned c = 0; c < frames->channels; c++) {
        float past[TEXTURE_PAST_VALUES];
        texture_history_tell(&frames->histories[c], texture_frames_row(frames, c, first), n,
                             frames->bands, past);
        window_denoiser_begin(frames->denoiser, c,
                              &(DenoiserWindow){frames->state.mix, frames->memory, past});
    }
}

/* Begins to sample the next chunk of all channels into frames->x (channels, length, bands). */
static int begin_chunk(TextureFrames *frames, Error *err)
{
    const TextureFramesState *state = &frames->state;
    const SamplerSettings settings = sampler_settings(frames);
    /* Rows before `waiting` frames hold the frames before the chunk, as far as there are any. */
    const size_t before = state->past + state->waiting;
    /* The first chunk is short as well: it is waited for. */
    frames->length = state->haste == HASTIEST || state->chunk == 0 ? TEXTURE_QUICK : frames->window;
    frames->given = before < TEXTURE_PREFIX ? before : TEXTURE_PREFIX;
    const size_t size = frames->channels * frames->length * frames->bands;
    for (size_t f = 0; f < frames->length; f++)
        frames->known[f] = f < TEXTURE_PREFIX && f >= TEXTURE_PREFIX - frames->given;
    tell(frames);
    sampling_noise(frames, -1, frames->x, size);
    if (sampler_start(&frames->sampler, &settings, frames->x, size, frames->work, sampling_denoise,
                      sampling_noise, frames, err))
        return -1;
    frames->begun = true;
    return 0;
}

/* How far a join's frame f is from the old chunk (0) to the new (1). */
static double fade_share(size_t f, size_t fading)
{
    return (double)(f + 1) / (double)(fading + 1);
}

/* Correlation of two frames as they lie about the memory, 0 at least. */
static double likeness(const TextureFrames *frames, const float *a, const float *b)
{
    double ab = 0.0, aa = 1e-9, bb = 1e-9;
    for (size_t i = 0; i < frames->bands; i++) {
        const double x = (double)(a[i] - frames->memory[i]), y = (double)(b[i] - frames->memory[i]);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    return fmax(0.0, ab / sqrt(aa * bb));
}

/* New frames over those that fade, at equal power about the memory: c old + s new, over the power
 * that this has, 1 + 2 c s correlation, since both follow from the same prefix and resemble each
 * other. The mixture of classes moves along. */
static void join(TextureFrames *frames, const float *fresh, unsigned channel)
{
    const size_t fading = frames->state.fading;
    for (size_t f = 0; f < fading; f++) {
        const double angle = acos(0.0) * fade_share(f, fading);
        float *at = texture_frames_row(frames, channel, TEXTURE_PREFIX + frames->state.waiting + f);
        const float *new_ = fresh + f * frames->bands;
        const double both = 2.0 * cos(angle) * sin(angle) * likeness(frames, at, new_);
        const float leave = (float)(cos(angle) / sqrt(1.0 + both));
        const float enter = (float)(sin(angle) / sqrt(1.0 + both));
        for (size_t b = 0; b < frames->bands; b++) {
            const float middle = frames->memory[b];
            at[b] = middle + leave * (at[b] - middle) + enter * (new_[b] - middle);
        }
    }
}

static void join_mixes(TextureFrames *frames, size_t n)
{
    const TextureFramesState *state = &frames->state;
    float *mixes = frames->mixes + (TEXTURE_PREFIX + state->waiting) * frames->classes;
    for (size_t f = 0; f < n; f++)
        for (size_t c = 0; c < frames->classes; c++) {
            float *mix = mixes + f * frames->classes + c;
            const float share = f < state->fading ? (float)fade_share(f, state->fading) : 1.0f;
            *mix = share < 1.0f ? *mix + share * (state->mix[c] - *mix) : state->mix[c];
        }
}

/* Puts the chunk that was sampled after what waits. */
static void append_chunk(TextureFrames *frames)
{
    TextureFramesState *state = &frames->state;
    const size_t size = frames->channels * frames->length * frames->bands;
    for (size_t i = 0; i < size; i++)
        frames->x[i] = fminf(fmaxf(frames->x[i], -NORMALISER_RANGE), NORMALISER_RANGE);
    const size_t skip = state->past + state->waiting > 0 ? TEXTURE_PREFIX : 0;
    const size_t fresh = frames->length - skip;
    join_mixes(frames, fresh);
    for (unsigned c = 0; c < frames->channels; c++) {
        const float *chunk = frames->x + (c * frames->length + skip) * frames->bands;
        join(frames, chunk, c);
        memcpy(texture_frames_row(frames, c, TEXTURE_PREFIX + state->waiting + state->fading),
               chunk + state->fading * frames->bands,
               (fresh - state->fading) * frames->bands * sizeof(float));
    }
    state->waiting += fresh - TEXTURE_FADE;
    state->fading = TEXTURE_FADE;
    state->haste = state->haste == HASTIEST ? HASTY : CALM;
    state->chunk++;
    frames->begun = false;
}

int texture_frames_prepare(TextureFrames *frames, Error *err)
{
    if (!frames->begun && begin_chunk(frames, err))
        return -1;
    return sampler_step(&frames->sampler, err);
}

int texture_frames_ensure(TextureFrames *frames, size_t n, Error *err)
{
    while (frames->state.waiting < n) {
        const int state = texture_frames_prepare(frames, err);
        if (state < 0)
            return -1;
        if (state == 1)
            append_chunk(frames);
    }
    return 0;
}

void texture_frames_read(const TextureFrames *frames, unsigned channel, size_t n, float *out)
{
    memcpy(out, texture_frames_row(frames, channel, TEXTURE_PREFIX),
           n * frames->bands * sizeof *out);
    for (size_t f = 0; f < n; f++)
        normaliser_backward(texture_model_maps(frames->model),
                            frames->mixes + (TEXTURE_PREFIX + f) * frames->classes,
                            out + f * frames->bands, 1);
}

const float *texture_frames_mix(const TextureFrames *frames, size_t f)
{
    return frames->mixes + (TEXTURE_PREFIX + f) * frames->classes;
}

void texture_frames_drop(TextureFrames *frames, size_t n)
{
    TextureFramesState *state = &frames->state;
    const size_t first = TEXTURE_PREFIX - state->past;
    for (unsigned c = 0; n > first && c < frames->channels; c++)
        texture_history_add(&frames->histories[c], texture_frames_row(frames, c, first), n - first,
                            frames->bands);
    const size_t kept = TEXTURE_PREFIX + state->waiting + state->fading - n;
    for (unsigned c = 0; c < frames->channels; c++)
        memmove(texture_frames_row(frames, c, 0), texture_frames_row(frames, c, n),
                kept * frames->bands * sizeof(float));
    memmove(frames->mixes, frames->mixes + n * frames->classes,
            kept * frames->classes * sizeof(float));
    state->waiting -= n;
    state->past = state->past + n < TEXTURE_PREFIX ? state->past + n : TEXTURE_PREFIX;
}
