#include "models/transform_stream.h"

#include "dsp/invert.h"
#include "dsp/stft.h"
#include "models/transform_noise.h"

#include <stdlib.h>
#include <string.h>

/* Settings that wait for a chunk: never more than there are chunks under way in what feeds it. */
enum { ROUNDS = 5, CHANNELS = 2, OVERLAP = 4, PENDING = 4 };

/* Frames see three hops of silence before the stream's first sample, so that there they overlap as
 * they do everywhere. */
enum { LEAD = OVERLAP - 1 };

_Static_assert(TRANSFORM_FADE == INVERTER_AHEAD, "a chunk ends with what its last block looks at");

typedef struct Channel {
    TransformStream *stream;
    unsigned index;
    Inverter *inverter;
    float *input;           /* (span,): the chunk's samples, as far as they are there */
    float complex *spectra; /* (fresh, bins) */
    float *log_energy;      /* (fresh, bands) */
    float *sound;           /* (chunk * hop,): made, not yet read */
} Channel;

typedef struct Pending {
    uint64_t chunk; /* from which on they are in force */
    TransformSettings settings;
} Pending;

struct TransformStream {
    const TextureModel *model;
    unsigned channels;
    size_t hop, bins, bands;
    size_t chunk, fresh, span; /* frames, frames with look-ahead, samples under those */
    TransformFrames *frames;
    Stft *stft;
    Channel channel[CHANNELS];
    float *share; /* (fresh,) */
    TransformSettings settings;
    Pending pending[PENDING];
    size_t pending_count;
    uint64_t number;            /* of the next chunk */
    size_t filled;              /* samples of channel[].input */
    bool analysed;              /* the chunk's frames are there */
    size_t sound_at, sound_end; /* of channel[].sound */
};

static void excite(void *user, uint64_t first, float *out, size_t n)
{
    const Channel *channel = user;
    const TransformStream *stream = channel->stream;
    const float width = stream->channels > 1 ? stream->settings.texture.width : 0.0f;
    transform_noise_draw(stream->settings.texture.seed, width, channel->index, TEXTURE_NOISE_EXCITE,
                         first, out, n);
}

static size_t span_of(const TextureModel *model)
{
    return (transform_frames_chunk(model) + TRANSFORM_FADE + LEAD) * texture_model_hop(model);
}

size_t transform_stream_interval(const TextureModel *model)
{
    return transform_frames_chunk(model) * texture_model_hop(model);
}

/* A chunk's first sample comes out with the last one of its span. */
size_t transform_stream_latency(const TextureModel *model)
{
    return span_of(model);
}

static int create_channel(TransformStream *stream, unsigned c, Error *err)
{
    Channel *channel = &stream->channel[c];
    channel->stream = stream;
    channel->index = c;
    channel->input = calloc(stream->span, sizeof *channel->input);
    channel->spectra = calloc(stream->fresh * stream->bins, sizeof *channel->spectra);
    channel->log_energy = calloc(stream->fresh * stream->bands, sizeof *channel->log_energy);
    channel->sound = calloc(stream->chunk * stream->hop, sizeof *channel->sound);
    if (!channel->input || !channel->spectra || !channel->log_energy || !channel->sound)
        return error_set(err, "out of memory for a transformed sound");
    channel->inverter = inverter_create(texture_model_bands(stream->model), OVERLAP * stream->hop,
                                        ROUNDS, excite, channel, err);
    return channel->inverter ? 0 : -1;
}

static int create_space(TransformStream *stream, Error *err)
{
    stream->stft = stft_create(OVERLAP * stream->hop, err);
    if (!stream->stft)
        return -1;
    stream->bins = stft_bins(stream->stft);
    stream->share = calloc(stream->fresh, sizeof *stream->share);
    if (!stream->share)
        return error_set(err, "out of memory for a transformed sound");
    for (unsigned c = 0; c < stream->channels; c++)
        if (create_channel(stream, c, err))
            return -1;
    return 0;
}

TransformStream *transform_stream_create(const TextureModel *model,
                                         const TransformSettings *settings, unsigned channels,
                                         const atomic_bool *cancel, Error *err)
{
    TransformFrames *frames = transform_frames_create(model, settings, channels, cancel, err);
    if (!frames)
        return NULL;
    TransformStream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        transform_frames_destroy(frames);
        error_set(err, "out of memory for a transformed sound");
        return NULL;
    }
    stream->model = model;
    stream->frames = frames;
    stream->channels = channels;
    stream->settings = *settings;
    stream->hop = texture_model_hop(model);
    stream->bands = bands_count(texture_model_bands(model));
    stream->chunk = transform_frames_chunk(model);
    stream->fresh = stream->chunk + TRANSFORM_FADE;
    stream->span = span_of(model);
    stream->filled = LEAD * stream->hop;
    if (create_space(stream, err)) {
        transform_stream_destroy(stream);
        return NULL;
    }
    return stream;
}

void transform_stream_destroy(TransformStream *stream)
{
    if (!stream)
        return;
    for (unsigned c = 0; c < stream->channels; c++) {
        Channel *channel = &stream->channel[c];
        inverter_destroy(channel->inverter);
        free(channel->input);
        free(channel->spectra);
        free(channel->log_energy);
        free(channel->sound);
    }
    transform_frames_destroy(stream->frames);
    stft_destroy(stream->stft);
    free(stream->share);
    free(stream);
}

void transform_stream_set(TransformStream *stream, const TransformSettings *settings,
                          uint64_t position)
{
    const uint64_t first = stream->span - LEAD * stream->hop; /* end of the first chunk's input */
    uint64_t chunk = position < first ? 0 : (position - first) / (stream->chunk * stream->hop) + 1;
    const uint64_t next = stream->number + transform_frames_begun(stream->frames);
    chunk = chunk > next ? chunk : next;
    size_t at = stream->pending_count;
    if (at > 0 && (stream->pending[at - 1].chunk >= chunk || at == PENDING))
        at--;
    stream->pending[at] = (Pending){chunk, *settings};
    stream->pending_count = at + 1;
}

/* Settings whose time has come. */
static void take_settings(TransformStream *stream)
{
    size_t due = 0;
    while (due < stream->pending_count && stream->pending[due].chunk <= stream->number)
        due++;
    if (due == 0)
        return;
    stream->settings = stream->pending[due - 1].settings;
    transform_frames_set(stream->frames, &stream->settings);
    stream->pending_count -= due;
    memmove(stream->pending, stream->pending + due,
            stream->pending_count * sizeof stream->pending[0]);
}

static void analyse(TransformStream *stream)
{
    const Bands *bands = texture_model_bands(stream->model);
    for (unsigned c = 0; c < stream->channels; c++) {
        Channel *channel = &stream->channel[c];
        for (size_t f = 0; f < stream->fresh; f++) {
            float complex *spectrum = channel->spectra + f * stream->bins;
            float *log_energy = channel->log_energy + f * stream->bands;
            stft_forward(stream->stft, channel->input + f * stream->hop, spectrum);
            bands_energy(bands, spectrum, log_energy);
            bands_log(bands, log_energy);
        }
    }
    stream->analysed = true;
}

static void invert(TransformStream *stream)
{
    for (unsigned c = 0; c < stream->channels; c++) {
        Channel *channel = &stream->channel[c];
        for (size_t f = 0; f < stream->chunk; f += INVERTER_BLOCK) {
            const InverterGuide guide = {channel->spectra + f * stream->bins, stream->share + f};
            inverter_block_guided(channel->inverter, channel->log_energy + f * stream->bands,
                                  &guide, channel->sound + f * stream->hop);
        }
    }
}

/* The next chunk, whose input is there, as sound. */
static int make_chunk(TransformStream *stream, Error *err)
{
    if (!stream->analysed) {
        take_settings(stream);
        analyse(stream);
    }
    float *log_energy[CHANNELS] = {stream->channel[0].log_energy, stream->channel[1].log_energy};
    if (transform_frames_make(stream->frames, log_energy, stream->share, err))
        return -1;
    invert(stream);
    const size_t used = stream->chunk * stream->hop;
    for (unsigned c = 0; c < stream->channels; c++)
        memmove(stream->channel[c].input, stream->channel[c].input + used,
                (stream->span - used) * sizeof(float));
    stream->filled -= used;
    stream->analysed = false;
    stream->sound_at = stream->number ? 0 : LEAD * stream->hop;
    stream->sound_end = used;
    stream->number++;
    return 0;
}

/* Takes what there is room for. */
static size_t take_input(TransformStream *stream, float *const *in, size_t from, size_t n)
{
    const size_t room = stream->span - stream->filled;
    const size_t m = n - from < room ? n - from : room;
    for (unsigned c = 0; c < stream->channels; c++)
        memcpy(stream->channel[c].input + stream->filled, in[c] + from, m * sizeof(float));
    stream->filled += m;
    return m;
}

static size_t give_output(TransformStream *stream, float *const *out, size_t from, size_t room)
{
    const size_t there = stream->sound_end - stream->sound_at;
    const size_t m = room - from < there ? room - from : there;
    for (unsigned c = 0; c < stream->channels; c++)
        memcpy(out[c] + from, stream->channel[c].sound + stream->sound_at, m * sizeof(float));
    stream->sound_at += m;
    return m;
}

int transform_stream_process(TransformStream *stream, float *const *in, size_t n, size_t *used,
                             float *const *out, size_t room, size_t *made, Error *err)
{
    *used = *made = 0;
    for (;;) {
        *made += give_output(stream, out, *made, room);
        if (stream->sound_at < stream->sound_end)
            return 0;
        *used += take_input(stream, in, *used, n);
        if (stream->filled < stream->span)
            return 0;
        if (make_chunk(stream, err))
            return -1;
    }
}
