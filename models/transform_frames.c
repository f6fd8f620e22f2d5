#include "models/transform_frames.h"

#include "models/texture_frames.h"
#include "models/texture_image.h"
#include "models/texture_memory.h"
#include "models/texture_past.h"
#include "models/texture_level.h"
#include "models/transform_level.h"
#include "models/transform_noise.h"
#include "models/window_denoiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 2, BLOCK = 16 };

static const double CHUNK_SECONDS = 0.56;

/* The most that is added to log energies: to bring an input to a class's level (43 dB), and to make
 * up for what denoising made quieter (20 dB). */
static const double MOST_OFFSET = 10.0, MOST_MENDED = 4.6;

/* No log energy is higher: full scale has 0, and what comes in may be somewhat above. */
static const float LOUDEST = 20.0f;

struct TransformFrames {
    const TextureModel *model;
    const atomic_bool *cancel;
    unsigned channels;
    size_t bands, chunk, fresh; /* fresh: chunk + TRANSFORM_FADE */
    TransformSettings settings;
    float mix[TEXTURE_MAX_CLASSES];
    double loudness;           /* of the mixture of classes, as a log energy */
    float gain;                /* of the mixture, as a texture has it (models/texture_image.h) */
    TransformLevel heard;      /* of the input, as of the chunk's first frame */
    TransformLevel from, made; /* of input and output since the settings changed, but for pauses */
    float mend;                /* what was added to the last frame's log energies */
    uint64_t frame;            /* number of the chunk's first frame */
    size_t past;               /* frames before it that there are, up to TEXTURE_PREFIX */
    WindowDenoiser *denoiser;
    float *before;   /* (channels, TEXTURE_PREFIX, bands): Gaussian values of those, at the end */
    float *tail;     /* (channels, TRANSFORM_FADE, bands): output that is to be faded from ... */
    float *share;    /* (TRANSFORM_FADE,) ... and its shares */
    float *residual; /* (channels, fresh, bands): what the class cannot express */
    double *energy;  /* (fresh,): of the input's frames */
    float *offset;   /* (fresh,): what was added to the input's log energies */
    float *memory;   /* (bands,) */
    TextureHistory *histories; /* (channels,): frames that have left `before` */
    /* One sampling, of `windows` windows of `past` + fresh frames. */
    bool begun;
    unsigned windows;
    Sampler sampler;
    float *x, *network, *work, *known;
};

size_t transform_frames_chunk(const TextureModel *model)
{
    const TextureConfig *config = texture_model_config(model);
    const double wanted =
        CHUNK_SECONDS * (double)config->rate / (double)texture_model_hop(model) / BLOCK;
    const size_t least = TEXTURE_PREFIX + TRANSFORM_FADE + BLOCK;
    const size_t room = config->window > least ? (config->window - least) / BLOCK + 1 : 1;
    const size_t blocks = (size_t)fmax(1.0, round(wanted));
    return BLOCK * (blocks < room ? blocks : room);
}

/* The half-log-SNR that the denoiser starts from: a little under its last node at least. */
static double start_level(float strength, const SamplerSettings *sampler)
{
    const double range = sampler->lambda_last - sampler->lambda_first;
    return sampler->lambda_last - range * fmax(1e-3, (double)strength);
}

/* How much of what the class cannot express is left, and how much of the input's phases. */
static float kept_share(float strength)
{
    return 1.0f - strength;
}

static void settle(TransformFrames *frames)
{
    texture_memory_settle(frames->model, &frames->settings.texture, frames->mix, frames->memory);
    frames->gain = 2.0f * logf(texture_image_level(frames->model, frames->mix));
    frames->loudness = log(texture_level_class(frames->model, frames->mix, frames->residual));
    frames->from = frames->made = (TransformLevel){0.0, 0.0};
}

void transform_frames_set(TransformFrames *frames, const TransformSettings *settings)
{
    frames->settings = *settings;
    settle(frames);
}

bool transform_frames_begun(const TransformFrames *frames)
{
    return frames->begun;
}

static int create_space(TransformFrames *frames, Error *err)
{
    const size_t channels = frames->channels, bands = frames->bands;
    const size_t rows = channels * (TEXTURE_PREFIX + frames->fresh);
    frames->denoiser = window_denoiser_create(texture_model_steps(frames->model), frames->channels,
                                              TEXTURE_PREFIX + frames->fresh, err);
    frames->before = calloc(channels * TEXTURE_PREFIX * bands, sizeof(float));
    frames->tail = calloc(channels * TRANSFORM_FADE * bands, sizeof(float));
    frames->share = calloc(TRANSFORM_FADE, sizeof(float));
    frames->residual = calloc(channels * frames->fresh * bands, sizeof(float));
    frames->energy = calloc(frames->fresh, sizeof *frames->energy);
    frames->offset = calloc(frames->fresh, sizeof(float));
    frames->memory = calloc(bands, sizeof(float));
    frames->histories = calloc(channels, sizeof *frames->histories);
    frames->x = calloc(rows * bands, sizeof(float));
    frames->network = calloc((TEXTURE_PREFIX + frames->fresh) * bands, sizeof(float));
    frames->work = calloc(2 * rows * bands, sizeof(float));
    frames->known = calloc(TEXTURE_PREFIX + frames->fresh, sizeof(float));
    if (!frames->denoiser || !frames->before || !frames->tail || !frames->share ||
        !frames->residual || !frames->energy || !frames->offset || !frames->memory ||
        !frames->histories || !frames->x || !frames->network || !frames->work || !frames->known)
        return error_set(err, "out of memory for a transformed sound");
    return 0;
}

TransformFrames *transform_frames_create(const TextureModel *model,
                                         const TransformSettings *settings, unsigned channels,
                                         const atomic_bool *cancel, Error *err)
{
    if (channels < 1 || channels > CHANNELS) {
        error_set(err, "a transformed sound of %u channels: 1 or 2 are possible", channels);
        return NULL;
    }
    if (texture_model_playable(model, err) || transform_settings_check(settings, model, err))
        return NULL;
    TransformFrames *frames = calloc(1, sizeof *frames);
    if (!frames) {
        error_set(err, "out of memory for a transformed sound");
        return NULL;
    }
    const TextureConfig *config = texture_model_config(model);
    frames->model = model;
    frames->cancel = cancel;
    frames->channels = channels;
    frames->bands = config->denoiser.bands;
    frames->chunk = transform_frames_chunk(model);
    frames->fresh = frames->chunk + TRANSFORM_FADE;
    if (create_space(frames, err)) {
        transform_frames_destroy(frames);
        return NULL;
    }
    transform_frames_set(frames, settings);
    return frames;
}

void transform_frames_destroy(TransformFrames *frames)
{
    if (!frames)
        return;
    window_denoiser_destroy(frames->denoiser);
    free(frames->before);
    free(frames->tail);
    free(frames->share);
    free(frames->residual);
    free(frames->energy);
    free(frames->offset);
    free(frames->memory);
    free(frames->histories);
    free(frames->x);
    free(frames->network);
    free(frames->work);
    free(frames->known);
    free(frames);
}

/* The fresh frames of a window in frames->x, and the last `past` frames before it. */
static float *fresh_of(const TransformFrames *frames, unsigned window)
{
    return frames->x + (window * (frames->past + frames->fresh) + frames->past) * frames->bands;
}

static float *past_of(const TransformFrames *frames, unsigned channel)
{
    return frames->before + ((channel + 1) * TEXTURE_PREFIX - frames->past) * frames->bands;
}

static float *residual_of(const TransformFrames *frames, unsigned channel)
{
    return frames->residual + channel * frames->fresh * frames->bands;
}

static double frame_energy(const TransformFrames *frames, float *const *log_energy, size_t f)
{
    const float *frame[CHANNELS];
    for (unsigned c = 0; c < frames->channels; c++)
        frame[c] = log_energy[c] + f * frames->bands;
    return texture_level_frame(frames->model, frame, frames->channels);
}

/* How far each frame of the input is from the class's level. */
static void find_offsets(TransformFrames *frames, float *const *input)
{
    TransformLevel heard = frames->heard;
    for (size_t f = 0; f < frames->fresh; f++) {
        frames->energy[f] = frame_energy(frames, input, f);
        if (!transform_level_pauses(frames->model, frames->energy[f]))
            transform_level_follow(&heard, frames->model, frames->energy[f]);
        const double offset =
            heard.time > 0.0 ? frames->loudness - transform_level_log(&heard) : 0.0;
        frames->offset[f] = (float)fmin(MOST_OFFSET, fmax(-MOST_OFFSET, offset));
        if (f + 1 == frames->chunk)
            frames->heard = heard;
    }
}

/* The input at the class's level, as Gaussian values into frames->x, and what they leave over. */
static void map_input(TransformFrames *frames, float *const *input)
{
    const Normaliser *maps = texture_model_maps(frames->model);
    const size_t size = frames->fresh * frames->bands;
    for (unsigned c = 0; c < frames->channels; c++) {
        float *fresh = fresh_of(frames, c), *residual = residual_of(frames, c);
        for (size_t i = 0; i < size; i++)
            fresh[i] = input[c][i] + frames->offset[i / frames->bands];
        memcpy(residual, fresh, size * sizeof *residual);
        normaliser_forward_mix(maps, frames->mix, fresh, frames->fresh);
        float *nearest = frames->network;
        memcpy(nearest, fresh, size * sizeof *nearest);
        normaliser_backward(maps, frames->mix, nearest, frames->fresh);
        for (size_t i = 0; i < size; i++)
            residual[i] -= nearest[i];
    }
}

/* Whether both channels are one and the same sound, and shall stay it. */
static bool is_mono(const TransformFrames *frames)
{
    const size_t fresh = frames->fresh * frames->bands * sizeof(float);
    const size_t past = frames->past * frames->bands * sizeof(float);
    return frames->channels == 1 || (frames->settings.texture.width == 0.0f &&
                                     !memcmp(fresh_of(frames, 0), fresh_of(frames, 1), fresh) &&
                                     !memcmp(past_of(frames, 0), past_of(frames, 1), past));
}

/* Known frames are shown clean at every noise level; what the network makes of them is not used.
 * One channel after the other: a cancel is heard sooner. */
static int denoise(void *user, const float *x, double half_log_snr, float *out)
{
    TransformFrames *frames = user;
    const size_t length = frames->past + frames->fresh, size = length * frames->bands;
    (void)half_log_snr;
    for (unsigned c = 0; c < frames->windows; c++, x += size, out += size) {
        if (frames->cancel && atomic_load_explicit(frames->cancel, memory_order_relaxed))
            return -1;
        memcpy(frames->network, x, size * sizeof *x);
        memcpy(frames->network, past_of(frames, c), frames->past * frames->bands * sizeof *x);
        const DenoiserStep step = {
            .frames = length, .first = frames->past, .x = frames->network, .known = frames->known};
        window_denoiser_step(frames->denoiser, c, &frames->sampler, &step, out);
    }
    return 0;
}

static SamplerSettings sampler_settings(const TransformFrames *frames)
{
    const TextureConfig *config = texture_model_config(frames->model);
    SamplerSettings settings = sampler_defaults();
    const double whole = settings.lambda_last - settings.lambda_first;
    settings.lambda_first = start_level(frames->settings.strength, &settings);
    const double part = (settings.lambda_last - settings.lambda_first) / whole;
    const int steps = (int)ceil(part * (double)frames->settings.texture.steps);
    settings.steps = steps > 1 ? steps : 1;
    settings.prediction = config->prediction;
    settings.clip = NORMALISER_RANGE;
    return settings;
}

/* Noises the fresh frames to the level that the sampler starts from. */
static void add_noise(TransformFrames *frames, double half_log_snr)
{
    const TextureSettings *texture = &frames->settings.texture;
    const size_t bands = frames->bands, size = frames->fresh * bands;
    const float width = frames->channels > 1 ? texture->width : 0.0f;
    double alpha, sigma;
    diffusion_scales(half_log_snr, &alpha, &sigma);
    if (frames->settings.strength >= 1.0f)
        alpha = 0.0, sigma = 1.0;
    for (unsigned c = 0; c < frames->windows; c++) {
        float *x = fresh_of(frames, c), *noise = frames->network;
        transform_noise_draw(texture->seed, width, c, TEXTURE_NOISE_CHUNK, frames->frame * bands,
                             noise, size);
        for (size_t i = 0; i < size; i++)
            x[i] = (float)alpha * x[i] + (float)sigma * noise[i];
        memset(x - frames->past * bands, 0, frames->past * bands * sizeof *x);
    }
}

/* Tells the chunk's windows what went before and the settings of now. */
static void tell(TransformFrames *frames)
{
    for (unsigned c = 0; c < frames->windows; c++) {
        float past[TEXTURE_PAST_VALUES];
        texture_history_tell(&frames->histories[c], frames->before, 0, frames->bands, past);
        window_denoiser_begin(frames->denoiser, c,
                              &(DenoiserWindow){frames->mix, frames->memory, past});
    }
}

static int begin_chunk(TransformFrames *frames, float *const *input, Error *err)
{
    find_offsets(frames, input);
    map_input(frames, input);
    const size_t length = frames->past + frames->fresh;
    frames->windows = is_mono(frames) ? 1 : frames->channels;
    if (frames->settings.strength > 0.0f) {
        const SamplerSettings settings = sampler_settings(frames);
        for (size_t f = 0; f < length; f++)
            frames->known[f] = f < frames->past;
        tell(frames);
        add_noise(frames, settings.lambda_first);
        if (sampler_start(&frames->sampler, &settings, frames->x,
                          frames->windows * length * frames->bands, frames->work, denoise, NULL,
                          frames, err))
            return -1;
    }
    frames->begun = true;
    return 0;
}

/* Log energies out of the Gaussian values that were sampled. */
static void map_output(const TransformFrames *frames, unsigned channel, float *out)
{
    const float strength = frames->settings.strength, kept = kept_share(strength);
    const float *residual = residual_of(frames, channel);
    if (strength == 0.0f)
        return;
    memcpy(out, fresh_of(frames, frames->windows > 1 ? channel : 0),
           frames->fresh * frames->bands * sizeof *out);
    normaliser_backward(texture_model_maps(frames->model), frames->mix, out, frames->fresh);
    for (size_t i = 0; i < frames->fresh * frames->bands; i++)
        out[i] = fminf(LOUDEST, out[i] + strength * frames->gain +
                                    kept * (residual[i] - frames->offset[i / frames->bands]));
}

/* The first frames of a chunk come in over the last ones of the chunk before. */
static void join(TransformFrames *frames, unsigned channel, float *out)
{
    const size_t bands = frames->bands;
    float *tail = frames->tail + channel * TRANSFORM_FADE * bands;
    for (size_t i = 0; frames->frame > 0 && i < TRANSFORM_FADE * bands; i++) {
        const float enter = (float)(i / bands + 1) / (float)(TRANSFORM_FADE + 1);
        out[i] = tail[i] + enter * (out[i] - tail[i]);
    }
    memcpy(tail, out + frames->chunk * bands, TRANSFORM_FADE * bands * sizeof *tail);
}

static void join_shares(TransformFrames *frames, float *share)
{
    for (size_t f = 0; f < frames->fresh; f++)
        share[f] = kept_share(frames->settings.strength);
    for (size_t f = 0; frames->frame > 0 && f < TRANSFORM_FADE; f++) {
        const float enter = (float)(f + 1) / (float)(TRANSFORM_FADE + 1);
        share[f] = frames->share[f] + enter * (share[f] - frames->share[f]);
    }
    memcpy(frames->share, share + frames->chunk, TRANSFORM_FADE * sizeof *share);
}

/* Appends frames (n, bands) to the last TEXTURE_PREFIX ones before the next chunk; those that leave
 * them become history. */
static void push_past(TransformFrames *frames, unsigned channel, const float *made, size_t n)
{
    const size_t bands = frames->bands, past = frames->past;
    const size_t leave = past + n > TEXTURE_PREFIX ? past + n - TEXTURE_PREFIX : 0;
    float *before = frames->before + channel * TEXTURE_PREFIX * bands;
    texture_history_add(&frames->histories[channel], past_of(frames, channel), leave, bands);
    memmove(before, before + n * bands, (TEXTURE_PREFIX - n) * bands * sizeof *before);
    for (size_t i = 0; i < n * bands; i++)
        before[(TEXTURE_PREFIX - n) * bands + i] =
            fminf(fmaxf(made[i], -NORMALISER_RANGE), NORMALISER_RANGE);
}

/* The chunk's frames are what the next one is told of. In pieces: a chunk may be longer than what
 * is kept. */
static void keep_past(TransformFrames *frames)
{
    const float *made[CHANNELS];
    for (unsigned c = 0; c < frames->channels; c++)
        made[c] = fresh_of(frames, frames->windows > 1 ? c : 0);
    for (size_t done = 0; done < frames->chunk; done += BLOCK) {
        for (unsigned c = 0; c < frames->channels; c++)
            push_past(frames, c, made[c] + done * frames->bands, BLOCK);
        const size_t past = frames->past + BLOCK;
        frames->past = past < TEXTURE_PREFIX ? past : TEXTURE_PREFIX;
    }
}

/* Denoising makes a sound that is unlike the class quieter: what is half way to the texture shall
 * be half way to its loudness too. Moves evenly in the course of a chunk. */
static void mend_level(TransformFrames *frames, float *const *output)
{
    const double strength = (double)frames->settings.strength;
    double wanted = 0.0;
    for (size_t f = 0; f < frames->chunk; f++) {
        if (transform_level_pauses(frames->model, frames->energy[f]))
            continue;
        transform_level_follow(&frames->from, frames->model, frames->energy[f]);
        transform_level_follow(&frames->made, frames->model, frame_energy(frames, output, f));
    }
    if (frames->from.time > 0.0) {
        const double from = transform_level_log(&frames->from);
        const double loss = from + strength * (frames->loudness + (double)frames->gain - from) -
                            transform_level_log(&frames->made);
        /* A free texture is as loud as it is. */
        wanted = (1.0 - pow(strength, 4.0)) * fmin(MOST_MENDED, fmax(-MOST_MENDED, loss));
    }
    const float target = strength > 0.0 ? (float)wanted : 0.0f;
    const float start = frames->frame > 0 ? frames->mend : target;
    for (size_t f = 0; f < frames->fresh; f++) {
        const float part = fminf(1.0f, (float)(f + 1) / (float)frames->chunk);
        for (unsigned c = 0; c < frames->channels; c++)
            for (size_t b = 0; b < frames->bands; b++)
                output[c][f * frames->bands + b] += start + part * (target - start);
    }
    frames->mend = target;
}

static void end_chunk(TransformFrames *frames, float *const *input, float *share)
{
    for (unsigned c = 0; c < frames->channels; c++)
        map_output(frames, c, input[c]);
    mend_level(frames, input);
    for (unsigned c = 0; c < frames->channels; c++)
        join(frames, c, input[c]);
    join_shares(frames, share);
    keep_past(frames);
    frames->frame += frames->chunk;
    frames->begun = false;
}

int transform_frames_make(TransformFrames *frames, float *const *input, float *share, Error *err)
{
    if (!frames->begun && begin_chunk(frames, input, err))
        return -1;
    for (int state = frames->settings.strength == 0.0f; state != 1;) {
        state = sampler_step(&frames->sampler, err);
        if (state < 0)
            return -1;
    }
    end_chunk(frames, input, share);
    return 0;
}
