#include "models/texture_stream.h"

#include "dsp/invert.h"
#include "dsp/random.h"
#include "models/denoiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 8, CHANNELS = 2, QUEUE_LEAST = INVERTER_BLOCK + INVERTER_AHEAD };
static const float CLIP = NORMALISER_RANGE;

/* What a stream of random numbers is for: the low byte of its number. */
enum { NOISE_SHARED = 1, NOISE_SIDE, EXCITE_SHARED, EXCITE_SIDE, CHOICE };

/* The most that a memory is moved from one mean frame towards another. */
static const double MOST_MOVED = 0.3;

typedef struct Channel {
    Inverter *inverter;
    float *history; /* (PREFIX + FADE, bands): final frames, then those still to be joined */
    float *queue;   /* (queue_room, bands): log energies not yet turned into sound */
    float *sound;   /* (INVERTER_BLOCK * hop,): made, not yet read */
    TextureStream *stream;
    unsigned index;
} Channel;

struct TextureStream {
    const TextureModel *model;
    TextureSettings settings;
    const atomic_bool *cancel;
    unsigned channels;
    size_t bands, window, hop;
    DenoiserPass *pass;
    Channel channel[CHANNELS];
    float mix[TEXTURE_MAX_CLASSES];      /* of chunks to come */
    float last_mix[TEXTURE_MAX_CLASSES]; /* of the last chunk */
    float *memory;                       /* (CHANNELS, bands), the same for both */
    uint64_t chunk; /* number of the next chunk */
    size_t queued, queue_room, sound_at, sound_end;
    /* Space for one sampling: (channels * window, bands) each. */
    float *x, *network, *work, *known, *level, *mixes;
};

TextureSettings texture_settings_default(void)
{
    TextureSettings settings = {.sampler = SAMPLER_DPM, .steps = 8, .width = 0.5f};
    settings.mix[0] = 1.0f;
    return settings;
}

int texture_settings_check(const TextureSettings *settings, const TextureModel *model, Error *err)
{
    const TextureConfig *config = texture_model_config(model);
    float sum = 0.0f;
    for (size_t c = 0; c < TEXTURE_MAX_CLASSES; c++) {
        if (!(settings->mix[c] >= 0.0f) || !isfinite(settings->mix[c]))
            return error_set(err, "the weight of class %zu is not a number of 0 or more", c);
        if (c < config->denoiser.classes)
            sum += settings->mix[c];
    }
    if (!(sum > 0.0f))
        return error_set(err, "all classes have weight 0: give one of them some");
    if (settings->steps < 1 || settings->steps > 1000)
        return error_set(err, "%d steps: give 1 to 1000", settings->steps);
    if (!(settings->width >= 0.0f && settings->width <= 1.0f))
        return error_set(err, "width %g: give 0 to 1", (double)settings->width);
    return 0;
}

static uint64_t stream_number(int kind, uint64_t chunk, int step)
{
    return chunk << 24 | (uint64_t)(step + 1) << 8 | (uint64_t)kind;
}

/* Values that two channels share in part: c shared +- s side. Their correlation is 1 - width. */
static void partly_shared(const TextureStream *stream, unsigned channel, int shared, int side,
                          uint64_t chunk, int step, uint64_t first, float *out, size_t n)
{
    const uint64_t seed = stream->settings.seed;
    random_gaussian(seed, stream_number(shared, chunk, step), first, out, n);
    if (stream->channels == 1 || stream->settings.width == 0.0f)
        return;
    const double angle = 0.5 * acos(1.0 - (double)stream->settings.width);
    const float c = (float)cos(angle), s = (float)(channel ? -sin(angle) : sin(angle));
    float piece[512];
    for (size_t i = 0; i < n; i += 512) {
        const size_t m = n - i < 512 ? n - i : 512;
        random_gaussian(seed, stream_number(side, chunk, step), first + i, piece, m);
        for (size_t j = 0; j < m; j++)
            out[i + j] = c * out[i + j] + s * piece[j];
    }
}

static void excite(void *user, uint64_t first, float *out, size_t n)
{
    const Channel *channel = user;
    partly_shared(channel->stream, channel->index, EXCITE_SHARED, EXCITE_SIDE, 0, 0, first, out, n);
}

/* The seed's two mean frames of a class, mixed: added to memory (bands,), times `weight`. */
static void add_memory(const TextureStream *stream, size_t c, float weight, float *memory)
{
    const uint64_t seed = stream->settings.seed, choice = stream_number(CHOICE, 0, 0);
    const float *colours = texture_model_colours(stream->model) +
                           c * TEXTURE_MEMORIES * stream->bands;
    const size_t one = (size_t)random_below(seed, choice, 4 * c, TEXTURE_MEMORIES);
    const size_t other = (size_t)random_below(seed, choice, 4 * c + 1, TEXTURE_MEMORIES);
    const float moved = (float)(MOST_MOVED * random_uniform(seed, choice, 4 * c + 2));
    for (size_t b = 0; b < stream->bands; b++) {
        const float from = colours[one * stream->bands + b];
        const float to = colours[other * stream->bands + b];
        memory[b] += weight * (from + moved * (to - from));
    }
}

static void set_mix(TextureStream *stream, const TextureSettings *settings)
{
    const size_t classes = texture_model_config(stream->model)->denoiser.classes;
    float sum = 0.0f;
    for (size_t c = 0; c < classes; c++)
        sum += settings->mix[c];
    memset(stream->mix, 0, sizeof stream->mix);
    memset(stream->memory, 0, CHANNELS * stream->bands * sizeof *stream->memory);
    for (size_t c = 0; c < classes; c++) {
        stream->mix[c] = settings->mix[c] / sum;
        if (stream->mix[c] > 0.0f)
            add_memory(stream, c, stream->mix[c], stream->memory);
    }
    memcpy(stream->memory + stream->bands, stream->memory, stream->bands * sizeof *stream->memory);
}

void texture_stream_set(TextureStream *stream, const TextureSettings *settings)
{
    const uint64_t seed = stream->settings.seed;
    stream->settings = *settings;
    stream->settings.seed = seed;
    set_mix(stream, settings);
}

void texture_stream_restart(TextureStream *stream, const TextureSettings *settings)
{
    stream->settings = *settings;
    set_mix(stream, settings);
    memcpy(stream->last_mix, stream->mix, sizeof stream->mix);
    stream->chunk = 0;
    stream->queued = 0;
    stream->sound_at = stream->sound_end = 0;
    for (unsigned c = 0; c < stream->channels; c++)
        inverter_reset(stream->channel[c].inverter);
}

static int create_channel(TextureStream *stream, unsigned index, Error *err)
{
    Channel *channel = &stream->channel[index];
    channel->stream = stream;
    channel->index = index;
    channel->inverter = inverter_create(texture_model_bands(stream->model), 4 * stream->hop, ROUNDS,
                                        excite, channel, err);
    channel->history = calloc((TEXTURE_PREFIX + TEXTURE_FADE) * stream->bands, sizeof(float));
    channel->queue = calloc(stream->queue_room * stream->bands, sizeof(float));
    channel->sound = calloc(INVERTER_BLOCK * stream->hop, sizeof(float));
    if (!channel->inverter || !channel->history || !channel->queue || !channel->sound)
        return error_set(err, "out of memory for a texture");
    return 0;
}

static int create_space(TextureStream *stream, Error *err)
{
    const size_t windows = stream->channels, rows = windows * stream->window;
    const size_t size = rows * stream->bands;
    const size_t classes = texture_model_config(stream->model)->denoiser.classes;
    stream->pass =
        denoiser_pass_create(texture_model_denoiser(stream->model), windows, rows, false, err);
    stream->memory = calloc(CHANNELS * stream->bands, sizeof(float));
    stream->x = calloc(size, sizeof(float));
    stream->network = calloc(size, sizeof(float));
    stream->work = calloc(2 * size, sizeof(float));
    stream->known = calloc(rows, sizeof(float));
    stream->level = calloc(windows, sizeof(float));
    stream->mixes = calloc(windows * classes, sizeof(float));
    if (!stream->pass || !stream->memory || !stream->x || !stream->network || !stream->work ||
        !stream->known || !stream->level || !stream->mixes)
        return error_set(err, "out of memory for a texture");
    for (unsigned c = 0; c < stream->channels; c++)
        if (create_channel(stream, c, err))
            return -1;
    return 0;
}

TextureStream *texture_stream_create(const TextureModel *model, const TextureSettings *settings,
                                     unsigned channels, const atomic_bool *cancel, Error *err)
{
    const TextureConfig *config = texture_model_config(model);
    if (channels < 1 || channels > CHANNELS) {
        error_set(err, "a texture of %u channels: 1 or 2 are possible", channels);
        return NULL;
    }
    if (config->window < TEXTURE_PREFIX + 2 * TEXTURE_FADE + QUEUE_LEAST) {
        error_set(err, "its window of %zu frames is too short for an endless stream: %d at least",
                  config->window, TEXTURE_PREFIX + 2 * TEXTURE_FADE + QUEUE_LEAST);
        return NULL;
    }
    if (texture_settings_check(settings, model, err))
        return NULL;
    TextureStream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        error_set(err, "out of memory for a texture");
        return NULL;
    }
    stream->model = model;
    stream->cancel = cancel;
    stream->channels = channels;
    stream->bands = config->denoiser.bands;
    stream->window = config->window;
    stream->hop = texture_model_hop(model);
    stream->queue_room = config->window + QUEUE_LEAST;
    if (create_space(stream, err)) {
        texture_stream_destroy(stream);
        return NULL;
    }
    texture_stream_restart(stream, settings);
    return stream;
}

void texture_stream_destroy(TextureStream *stream)
{
    if (!stream)
        return;
    for (unsigned c = 0; c < stream->channels; c++) {
        inverter_destroy(stream->channel[c].inverter);
        free(stream->channel[c].history);
        free(stream->channel[c].queue);
        free(stream->channel[c].sound);
    }
    denoiser_pass_destroy(stream->pass);
    free(stream->memory);
    free(stream->x);
    free(stream->network);
    free(stream->work);
    free(stream->known);
    free(stream->level);
    free(stream->mixes);
    free(stream);
}

/* Standard Gaussian values for all channels of the next chunk; step -1 is x_T. */
static void fill_noise(const TextureStream *stream, int step, float *out)
{
    const size_t size = stream->window * stream->bands;
    for (unsigned c = 0; c < stream->channels; c++)
        partly_shared(stream, c, NOISE_SHARED, NOISE_SIDE, stream->chunk, step, 0, out + c * size,
                      size);
}

static void sampler_noise(void *user, int step, float *out, size_t n)
{
    (void)n;
    fill_noise(user, step, out);
}

/* Known frames are shown clean at every noise level. */
static void put_prefix(const TextureStream *stream, float *x)
{
    for (size_t c = 0; stream->chunk > 0 && c < stream->channels; c++)
        memcpy(x + c * stream->window * stream->bands, stream->channel[c].history,
               TEXTURE_PREFIX * stream->bands * sizeof *x);
}

static int sampler_denoise(void *user, const float *x, double half_log_snr, float *out)
{
    TextureStream *stream = user;
    if (stream->cancel && atomic_load_explicit(stream->cancel, memory_order_relaxed))
        return -1;
    const size_t size = stream->channels * stream->window * stream->bands;
    memcpy(stream->network, x, size * sizeof *x);
    put_prefix(stream, stream->network);
    for (size_t c = 0; c < stream->channels; c++)
        stream->level[c] = (float)half_log_snr;
    const DenoiserInput input = {stream->channels, stream->window, stream->network, stream->known,
                                 stream->level,    stream->mixes,  stream->memory};
    denoiser_forward(stream->pass, texture_model_values(stream->model), &input, out);
    return 0;
}

/* Samples the next chunk of all channels into stream->x. */
static int sample(TextureStream *stream, Error *err)
{
    const TextureConfig *config = texture_model_config(stream->model);
    const size_t classes = config->denoiser.classes;
    SamplerSettings settings = sampler_defaults();
    settings.kind = stream->settings.sampler;
    settings.steps = stream->settings.steps;
    settings.prediction = config->prediction;
    settings.schedule = texture_model_schedule(stream->model);
    settings.clip = CLIP;
    for (size_t c = 0; c < stream->channels; c++) {
        memcpy(stream->mixes + c * classes, stream->mix, classes * sizeof(float));
        for (size_t f = 0; f < stream->window; f++)
            stream->known[c * stream->window + f] = stream->chunk > 0 && f < TEXTURE_PREFIX;
    }
    fill_noise(stream, -1, stream->x);
    const size_t size = stream->channels * stream->window * stream->bands;
    if (sampler_run(&settings, stream->x, size, stream->work, sampler_denoise, sampler_noise,
                    stream, err))
        return -1;
    put_prefix(stream, stream->x);
    for (size_t i = 0; i < size; i++)
        stream->x[i] = fminf(fmaxf(stream->x[i], -CLIP), CLIP);
    return 0;
}

/* Frames PREFIX.. of a new chunk, faded in over what the last chunk had there, at equal power. */
static void join(const TextureStream *stream, const Channel *channel, float *chunk)
{
    for (size_t f = 0; f < TEXTURE_FADE; f++) {
        const double angle = acos(0.0) * (double)(f + 1) / (double)(TEXTURE_FADE + 1);
        const float leave = (float)cos(angle), enter = (float)sin(angle);
        const float *old = channel->history + (TEXTURE_PREFIX + f) * stream->bands;
        float *new_ = chunk + (TEXTURE_PREFIX + f) * stream->bands;
        for (size_t b = 0; b < stream->bands; b++)
            new_[b] = leave * old[b] + enter * new_[b];
    }
}

/* Appends final frames first..first+n-1 of a chunk to the queue as log energies; during a join the
 * classes' mixture moves too. */
static void enqueue(TextureStream *stream, Channel *channel, const float *chunk, size_t first,
                    size_t n, bool joins)
{
    const size_t classes = texture_model_config(stream->model)->denoiser.classes;
    for (size_t f = 0; f < n; f++) {
        float mix[TEXTURE_MAX_CLASSES];
        const float share =
            joins && f < TEXTURE_FADE ? (float)(f + 1) / (float)(TEXTURE_FADE + 1) : 1.0f;
        for (size_t c = 0; c < classes; c++)
            mix[c] = stream->last_mix[c] + share * (stream->mix[c] - stream->last_mix[c]);
        float *at = channel->queue + (stream->queued + f) * stream->bands;
        memcpy(at, chunk + (first + f) * stream->bands, stream->bands * sizeof *at);
        normaliser_backward(texture_model_maps(stream->model), mix, at, 1);
    }
}

static int make_chunk(TextureStream *stream, Error *err)
{
    if (sample(stream, err))
        return -1;
    const bool joins = stream->chunk > 0;
    const size_t first = joins ? TEXTURE_PREFIX : 0, end = stream->window - TEXTURE_FADE;
    for (unsigned c = 0; c < stream->channels; c++) {
        Channel *channel = &stream->channel[c];
        float *chunk = stream->x + c * stream->window * stream->bands;
        if (joins)
            join(stream, channel, chunk);
        enqueue(stream, channel, chunk, first, end - first, joins);
        memcpy(channel->history, chunk + (end - TEXTURE_PREFIX) * stream->bands,
               (TEXTURE_PREFIX + TEXTURE_FADE) * stream->bands * sizeof *chunk);
    }
    memcpy(stream->last_mix, stream->mix, sizeof stream->mix);
    stream->queued += end - first;
    stream->chunk++;
    return 0;
}

/* The next INVERTER_BLOCK frames as sound. */
static int make_block(TextureStream *stream, bool first, Error *err)
{
    while (stream->queued < QUEUE_LEAST)
        if (make_chunk(stream, err))
            return -1;
    stream->queued -= INVERTER_BLOCK;
    for (unsigned c = 0; c < stream->channels; c++) {
        Channel *channel = &stream->channel[c];
        inverter_block(channel->inverter, channel->queue, channel->sound);
        memmove(channel->queue, channel->queue + INVERTER_BLOCK * stream->bands,
                stream->queued * stream->bands * sizeof(float));
    }
    /* The first samples lack the frames before them. */
    stream->sound_at = first ? 3 * stream->hop : 0;
    stream->sound_end = INVERTER_BLOCK * stream->hop;
    return 0;
}

int texture_stream_read(TextureStream *stream, float *const *out, size_t n, Error *err)
{
    for (size_t done = 0; done < n;) {
        if (stream->sound_at == stream->sound_end &&
            make_block(stream, stream->sound_end == 0, err))
            return -1;
        const size_t there = stream->sound_end - stream->sound_at;
        const size_t m = n - done < there ? n - done : there;
        for (unsigned c = 0; c < stream->channels; c++)
            memcpy(out[c] + done, stream->channel[c].sound + stream->sound_at, m * sizeof(float));
        stream->sound_at += m;
        done += m;
    }
    return 0;
}

double texture_stream_join_interval(const TextureModel *model)
{
    const TextureConfig *config = texture_model_config(model);
    return (double)(config->window - TEXTURE_PREFIX - TEXTURE_FADE) *
           (double)texture_model_hop(model) / (double)config->rate;
}

double texture_stream_first_join(const TextureModel *model)
{
    const TextureConfig *config = texture_model_config(model);
    /* The middle of the fade, in the middle of its frames, less the samples that are dropped. */
    const double frame = (double)(config->window - TEXTURE_FADE) + 0.5 * TEXTURE_FADE;
    return ((frame + 2.0 - 3.0) * (double)texture_model_hop(model)) / (double)config->rate;
}
