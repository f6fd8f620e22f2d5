#include "models/texture_frames.h"

#include "models/texture_memory.h"
#include "models/texture_noise.h"
#include "models/texture_past.h"
#include "models/window_denoiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 2, MOST_ENSURED = 64 };

/* How soon the next chunk must be there. What follows a short one must not cost more time than
 * that one sounds for, however many steps are set. */
typedef enum { CALM, HASTY, HASTIEST } Haste;
static const int most_steps[] = {[HASTY] = 4, [HASTIEST] = 3};

/* All that changes from call to call, but for the frames themselves. */
typedef struct State {
    TextureSettings settings;
    float mix[TEXTURE_MAX_CLASSES]; /* the settings', summing to 1 */
    uint64_t chunk;                 /* number of the next chunk */
    size_t past;                    /* frames of the prefix that there are, up to PREFIX */
    size_t waiting;                 /* final frames that wait */
    size_t fading;                  /* frames after them that the next chunk is to be joined over */
    Haste haste;                    /* HASTIEST: the next chunk is a short one */
} State;

struct TextureFrames {
    const TextureModel *model;
    const atomic_bool *cancel;
    unsigned channels;
    size_t bands, classes, window, rows;
    State state;
    WindowDenoiser *denoiser;
    /* (channels, rows, bands) Gaussian values: PREFIX rows that have sounded, `waiting` rows, then
     * `fading` rows. */
    float *values;
    float *mixes;  /* (rows, classes): the mixture that each row is to be mapped back with */
    float *memory; /* (bands,) */
    TextureHistory *histories; /* (channels,): frames that have left `values` */
    /* One sampling: the next chunk, of `length` frames, of which PREFIX - given .. PREFIX - 1 are
     * known. It may be begun ahead of need; what waits only moves meanwhile. */
    bool begun;
    size_t length, given;
    Sampler sampler;
    float *x, *network, *work, *known;
};

static float *row(const TextureFrames *frames, unsigned channel, size_t r)
{
    return frames->values + (channel * frames->rows + r) * frames->bands;
}

/* Mixture and memory as the settings ask for them; what was begun with others is void. */
static void settle(TextureFrames *frames)
{
    State *state = &frames->state;
    frames->begun = false;
    texture_memory_settle(frames->model, &state->settings, state->mix, frames->memory);
}

void texture_frames_set(TextureFrames *frames, const TextureSettings *settings)
{
    const uint64_t seed = frames->state.settings.seed;
    frames->state.settings = *settings;
    frames->state.settings.seed = seed;
    settle(frames);
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
    settle(frames);
}

void texture_frames_redo(TextureFrames *frames)
{
    State *state = &frames->state;
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
    const State *state = &frames->state;
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
               row(frames, channel, frames->state.waiting + skip),
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
    const State *state = &frames->state;
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
        texture_history_tell(&frames->histories[c], row(frames, c, first), n, frames->bands, past);
        window_denoiser_begin(frames->denoiser, c,
                              &(DenoiserWindow){frames->state.mix, frames->memory, past});
    }
}

/* Begins to sample the next chunk of all channels into frames->x (channels, length, bands). */
static int begin_chunk(TextureFrames *frames, Error *err)
{
    const State *state = &frames->state;
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
        float *at = row(frames, channel, TEXTURE_PREFIX + frames->state.waiting + f);
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
    const State *state = &frames->state;
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
    State *state = &frames->state;
    const size_t size = frames->channels * frames->length * frames->bands;
    for (size_t i = 0; i < size; i++)
        frames->x[i] = fminf(fmaxf(frames->x[i], -NORMALISER_RANGE), NORMALISER_RANGE);
    const size_t skip = state->past + state->waiting > 0 ? TEXTURE_PREFIX : 0;
    const size_t fresh = frames->length - skip;
    join_mixes(frames, fresh);
    for (unsigned c = 0; c < frames->channels; c++) {
        const float *chunk = frames->x + (c * frames->length + skip) * frames->bands;
        join(frames, chunk, c);
        memcpy(row(frames, c, TEXTURE_PREFIX + state->waiting + state->fading),
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
    memcpy(out, row(frames, channel, TEXTURE_PREFIX), n * frames->bands * sizeof *out);
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
    State *state = &frames->state;
    const size_t first = TEXTURE_PREFIX - state->past;
    for (unsigned c = 0; n > first && c < frames->channels; c++)
        texture_history_add(&frames->histories[c], row(frames, c, first), n - first, frames->bands);
    const size_t kept = TEXTURE_PREFIX + state->waiting + state->fading - n;
    for (unsigned c = 0; c < frames->channels; c++)
        memmove(row(frames, c, 0), row(frames, c, n), kept * frames->bands * sizeof(float));
    memmove(frames->mixes, frames->mixes + n * frames->classes,
            kept * frames->classes * sizeof(float));
    state->waiting -= n;
    state->past = state->past + n < TEXTURE_PREFIX ? state->past + n : TEXTURE_PREFIX;
}

/* Calls visit for each array that changes: its bytes. */
static void each_array(const TextureFrames *frames,
                       void (*visit)(void *user, void *array, size_t bytes), void *user)
{
    const size_t windows = frames->channels;
    visit(user, frames->values, windows * frames->rows * frames->bands * sizeof(float));
    visit(user, frames->mixes, frames->rows * frames->classes * sizeof(float));
    visit(user, frames->histories, windows * sizeof *frames->histories);
}

static void count_bytes(void *user, void *array, size_t bytes)
{
    (void)array;
    *(size_t *)user += bytes;
}

static void copy_out(void *user, void *array, size_t bytes)
{
    char **at = user;
    memcpy(*at, array, bytes);
    *at += bytes;
}

static void copy_in(void *user, void *array, size_t bytes)
{
    const char **at = user;
    memcpy(array, *at, bytes);
    *at += bytes;
}

size_t texture_frames_state_size(const TextureFrames *frames)
{
    size_t bytes = sizeof(State);
    each_array(frames, count_bytes, &bytes);
    return bytes;
}

void texture_frames_save(const TextureFrames *frames, void *state)
{
    char *at = state;
    memcpy(at, &frames->state, sizeof frames->state);
    at += sizeof frames->state;
    each_array(frames, copy_out, &at);
}

void texture_frames_load(TextureFrames *frames, const void *state)
{
    const char *at = state;
    memcpy(&frames->state, at, sizeof frames->state);
    at += sizeof frames->state;
    each_array(frames, copy_in, &at);
    settle(frames);
}

/* Values are clipped to NORMALISER_RANGE; a join may go beyond, but not as far as this. */
static const float MOST_VALUE = 4.0f * NORMALISER_RANGE, MOST_MIX = 1.001f;

void texture_frames_pack(const TextureFrames *frames, const void *state, Packer *packer)
{
    State then;
    memcpy(&then, state, sizeof then);
    const float *values = (const void *)((const char *)state + sizeof then);
    const float *mixes = values + frames->channels * frames->rows * frames->bands;
    const char *histories = (const char *)(mixes + frames->rows * frames->classes);
    const size_t first = TEXTURE_PREFIX - then.past;
    const size_t count = then.past + then.waiting + then.fading;
    pack_whole(packer, then.chunk);
    pack_whole(packer, then.past);
    pack_whole(packer, then.waiting);
    pack_whole(packer, then.fading);
    pack_whole(packer, then.haste);
    pack_floats(packer, mixes + first * frames->classes, count * frames->classes);
    for (unsigned c = 0; c < frames->channels; c++) {
        TextureHistory history;
        memcpy(&history, histories + c * sizeof history, sizeof history);
        const size_t old = (TEXTURE_PAST_FRAMES - history.count) * TEXTURE_PAST_GROUPS;
        pack_floats(packer, values + (c * frames->rows + first) * frames->bands,
                    count * frames->bands);
        pack_whole(packer, history.count);
        pack_floats(packer, history.outlines + old, history.count * TEXTURE_PAST_GROUPS);
    }
}

/* Whether the mixtures of rows first..first + n - 1 are any. */
static bool are_mixes(const TextureFrames *frames, size_t first, size_t n)
{
    const size_t classes = frames->classes;
    for (const float *mix = frames->mixes + first * classes; n > 0; n--, mix += classes) {
        float sum = 0.0f;
        for (size_t c = 0; c < classes; c++) {
            if (mix[c] < 0.0f)
                return false;
            sum += mix[c];
        }
        if (!(fabsf(sum - 1.0f) < 0.001f))
            return false;
    }
    return true;
}

static void unpack_channel(TextureFrames *frames, unsigned channel, size_t first, size_t count,
                           Unpacker *unpacker)
{
    TextureHistory *history = &frames->histories[channel];
    unpack_floats(unpacker, row(frames, channel, first), count * frames->bands, MOST_VALUE);
    history->count = (size_t)unpack_whole(unpacker, TEXTURE_PAST_FRAMES);
    const size_t old = (TEXTURE_PAST_FRAMES - history->count) * TEXTURE_PAST_GROUPS;
    unpack_floats(unpacker, history->outlines + old, history->count * TEXTURE_PAST_GROUPS,
                  MOST_VALUE);
}

int texture_frames_unpack(TextureFrames *frames, Unpacker *unpacker)
{
    State *state = &frames->state;
    /* The noise of a chunk is drawn by its number, of which 40 bits count. */
    state->chunk = unpack_whole(unpacker, UINT64_MAX >> 24);
    state->past = (size_t)unpack_whole(unpacker, TEXTURE_PREFIX);
    state->waiting = (size_t)unpack_whole(unpacker, frames->window);
    state->fading = (size_t)unpack_whole(unpacker, TEXTURE_FADE);
    state->haste = (Haste)unpack_whole(unpacker, HASTIEST);
    /* The next chunk comes when fewer than MOST_ENSURED frames wait, and must have room then. */
    if (unpacker->failed || state->waiting + state->fading > frames->window)
        return -1;
    const size_t first = TEXTURE_PREFIX - state->past;
    const size_t count = state->past + state->waiting + state->fading;
    unpack_floats(unpacker, frames->mixes + first * frames->classes, count * frames->classes,
                  MOST_MIX);
    for (unsigned c = 0; c < frames->channels; c++)
        unpack_channel(frames, c, first, count, unpacker);
    return unpacker->failed || !are_mixes(frames, first, count) ? -1 : 0;
}
