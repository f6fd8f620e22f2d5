#include "models/texture_stream.h"

#include "dsp/invert.h"
#include "models/texture_image.h"
#include "models/texture_noise.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, CHANNELS = 2, SEEN = INVERTER_BLOCK + INVERTER_AHEAD };

typedef struct Channel {
    TextureStream *stream;
    unsigned index;
    Inverter *inverter;
    float *sound; /* (INVERTER_BLOCK * hop,): made, not yet read */
    float *gain;  /* (bins,) of what the inverter makes: the middle (0), the side (1) */
} Channel;

struct TextureStream {
    const TextureModel *model;
    unsigned channels;
    size_t hop, rewinds, snapshot_size;
    TextureFrames *frames;
    Channel channel[CHANNELS];
    float *mix; /* (classes,) that the gains are for, and their width */
    float width;
    size_t seen_size, shown_size; /* values: of a channel's energies (SEEN, bands); of all that a
                                   * block is made of: these (channels, seen_size), then the
                                   * mixture in its middle (classes,) */
    float *shown;                 /* (rewinds or 1, shown_size): of block b at b % rewinds */
    uint64_t block;               /* number of the next block */
    uint64_t next; /* ... to be made from new frames: `block`, or a later one after a redo */
    size_t sound_at, sound_end; /* of channel[].sound */
    char *snapshots;            /* (rewinds, snapshot_size): before block b at b % rewinds */
    uint64_t oldest;            /* block of the oldest snapshot that holds */
};

static void excite(void *user, uint64_t first, float *out, size_t n)
{
    const Channel *channel = user;
    const TextureSettings *settings = texture_frames_settings(channel->stream->frames);
    texture_noise_draw(settings->seed, channel->index, TEXTURE_NOISE_EXCITE, 0, 0, first, out, n);
}

static int create_space(TextureStream *stream, Error *err)
{
    const Bands *bands = texture_model_bands(stream->model);
    const size_t classes = texture_model_config(stream->model)->denoiser.classes;
    const size_t remembered = stream->rewinds ? stream->rewinds : 1;
    stream->seen_size = SEEN * bands_count(bands);
    stream->shown_size = stream->channels * stream->seen_size + classes;
    stream->shown = calloc(remembered * stream->shown_size, sizeof(float));
    stream->mix = calloc(classes, sizeof(float));
    stream->snapshot_size = texture_frames_state_size(stream->frames);
    for (unsigned c = 0; c < CHANNELS; c++) {
        Channel *channel = &stream->channel[c];
        channel->stream = stream;
        channel->index = c;
        channel->gain = calloc(2 * stream->hop + 1, sizeof(float));
        if (!channel->gain)
            return error_set(err, "out of memory for a texture");
        if (c >= stream->channels)
            continue;
        channel->sound = calloc(INVERTER_BLOCK * stream->hop, sizeof(float));
        channel->inverter = inverter_create(bands, 4 * stream->hop, ROUNDS, excite, channel, err);
        if (!channel->inverter)
            return -1;
        if (!channel->sound)
            return error_set(err, "out of memory for a texture");
        stream->snapshot_size += inverter_state_size(channel->inverter);
    }
    if (stream->rewinds)
        stream->snapshots = malloc(stream->rewinds * stream->snapshot_size);
    if (!stream->shown || !stream->mix || (stream->rewinds && !stream->snapshots))
        return error_set(err, "out of memory for a texture");
    return 0;
}

TextureStream *texture_stream_create(const TextureModel *model, const TextureSettings *settings,
                                     unsigned channels, size_t rewinds, const atomic_bool *cancel,
                                     Error *err)
{
    TextureFrames *frames = texture_frames_create(model, settings, channels, cancel, err);
    if (!frames)
        return NULL;
    TextureStream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        texture_frames_destroy(frames);
        error_set(err, "out of memory for a texture");
        return NULL;
    }
    stream->model = model;
    stream->frames = frames;
    stream->channels = channels;
    stream->hop = texture_model_hop(model);
    stream->rewinds = rewinds < 256 ? rewinds : 256;
    if (create_space(stream, err)) {
        texture_stream_destroy(stream);
        return NULL;
    }
    return stream;
}

void texture_stream_destroy(TextureStream *stream)
{
    if (!stream)
        return;
    for (unsigned c = 0; c < CHANNELS; c++) {
        inverter_destroy(stream->channel[c].inverter);
        free(stream->channel[c].sound);
        free(stream->channel[c].gain);
    }
    texture_frames_destroy(stream->frames);
    free(stream->shown);
    free(stream->mix);
    free(stream->snapshots);
    free(stream);
}

void texture_stream_restart(TextureStream *stream, const TextureSettings *settings)
{
    texture_frames_restart(stream->frames, settings);
    for (unsigned c = 0; c < stream->channels; c++)
        inverter_reset(stream->channel[c].inverter);
    stream->block = stream->next = stream->oldest = 0;
    stream->sound_at = stream->sound_end = 0;
}

static char *snapshot_of(const TextureStream *stream, uint64_t block)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): without rewinds `next` is `block`, always */
    return stream->snapshots + block % stream->rewinds * stream->snapshot_size;
}

static void take_snapshot(TextureStream *stream)
{
    if (!stream->rewinds)
        return;
    char *at = snapshot_of(stream, stream->block);
    if (stream->block == stream->next)
        texture_frames_save(stream->frames, at);
    at += texture_frames_state_size(stream->frames);
    for (unsigned c = 0; c < stream->channels; c++) {
        inverter_save(stream->channel[c].inverter, at);
        at += inverter_state_size(stream->channel[c].inverter);
    }
    if (stream->block - stream->oldest >= stream->rewinds)
        stream->oldest = stream->block - stream->rewinds + 1;
}

/* Back to before a block, in what is made of the frames. */
static void rewind_sound(TextureStream *stream, uint64_t block)
{
    const char *at = snapshot_of(stream, block) + texture_frames_state_size(stream->frames);
    for (unsigned c = 0; c < stream->channels; c++) {
        inverter_load(stream->channel[c].inverter, at);
        at += inverter_state_size(stream->channel[c].inverter);
    }
    stream->block = block;
}

/* Back to before a block, in the frames. */
static void rewind_frames(TextureStream *stream, uint64_t block)
{
    texture_frames_load(stream->frames, snapshot_of(stream, block));
    stream->next = block;
}

/* Number of a block's first sample. The stream's first three hops, which lack the frames before
 * them, are dropped. */
static uint64_t block_start(const TextureStream *stream, uint64_t block)
{
    return block ? (block * INVERTER_BLOCK - 3) * stream->hop : 0;
}

int texture_stream_prepare(TextureStream *stream, Error *err)
{
    return texture_frames_prepare(stream->frames, err);
}

uint64_t texture_stream_position(const TextureStream *stream)
{
    return block_start(stream, stream->block) - (stream->sound_end - stream->sound_at);
}

/* Width weighs what is made: it alone makes no other frames. */
static bool same_frames(const TextureSettings *a, const TextureSettings *b)
{
    return a->sampler == b->sampler && a->steps == b->steps &&
           !memcmp(a->mix, b->mix, sizeof a->mix);
}

uint64_t texture_stream_redo(TextureStream *stream, const TextureSettings *settings, uint64_t from)
{
    uint64_t block = stream->block;
    while (block > 0 && block_start(stream, block) > from)
        block--;
    if (!stream->rewinds || block < stream->oldest)
        block = stream->rewinds ? stream->oldest : stream->block;
    TextureSettings kept = *settings;
    kept.seed = texture_frames_settings(stream->frames)->seed;
    if (block == 0) {
        texture_stream_restart(stream, &kept);
        return 0;
    }
    if (block < stream->block)
        rewind_sound(stream, block);
    stream->sound_at = stream->sound_end = 0;
    if (same_frames(texture_frames_settings(stream->frames), &kept)) {
        texture_frames_set_width(stream->frames, kept.width);
        return texture_stream_position(stream);
    }
    if (block < stream->next)
        rewind_frames(stream, block);
    texture_frames_set(stream->frames, &kept);
    texture_frames_redo(stream->frames);
    return texture_stream_position(stream);
}

int texture_stream_pack(const TextureStream *stream, uint64_t sample, Packer *packer)
{
    uint64_t block = stream->block;
    while (block > stream->oldest &&
           (block == stream->block || block_start(stream, block) > sample))
        block--;
    if (!stream->rewinds || block == stream->block || block_start(stream, block) > sample)
        return -1;
    const char *at = snapshot_of(stream, block);
    pack_whole(packer, block);
    texture_frames_pack(stream->frames, at, packer);
    at += texture_frames_state_size(stream->frames);
    for (unsigned c = 0; c < stream->channels; c++) {
        inverter_pack(stream->channel[c].inverter, at, packer);
        at += inverter_state_size(stream->channel[c].inverter);
    }
    return 0;
}

int texture_stream_unpack(TextureStream *stream, const TextureSettings *settings,
                          Unpacker *unpacker, uint64_t *sample)
{
    const uint64_t most = UINT64_MAX / (INVERTER_BLOCK * stream->hop);
    texture_stream_restart(stream, settings);
    const uint64_t block = unpack_whole(unpacker, most);
    int failed = texture_frames_unpack(stream->frames, unpacker);
    for (unsigned c = 0; c < stream->channels; c++)
        failed |= inverter_unpack(stream->channel[c].inverter, block * INVERTER_BLOCK, unpacker);
    if (failed || unpacker->failed) {
        texture_stream_restart(stream, settings);
        return -1;
    }
    stream->block = stream->next = stream->oldest = block;
    *sample = texture_stream_position(stream);
    return 0;
}

/* Gains for a mixture of classes. */
static void set_gains(TextureStream *stream, const float *mix)
{
    const size_t classes = texture_model_config(stream->model)->denoiser.classes;
    const float width = texture_frames_settings(stream->frames)->width;
    if (stream->width == width && !memcmp(stream->mix, mix, classes * sizeof *mix))
        return;
    stream->width = width;
    memcpy(stream->mix, mix, classes * sizeof *mix);
    texture_image_gains(stream->model, mix, width, stream->channel[0].gain,
                        stream->channel[1].gain);
}

/* Middle and side -> left and right, in place. */
static void spread(TextureStream *stream)
{
    float *left = stream->channel[0].sound, *right = stream->channel[1].sound;
    for (size_t i = 0; stream->channels > 1 && i < INVERTER_BLOCK * stream->hop; i++) {
        const float middle = left[i], side = right[i];
        left[i] = middle + side;
        right[i] = middle - side;
    }
}

/* What the next block is made of (shown_size,), remembered or new; NULL when cancelled. */
static const float *show(TextureStream *stream, Error *err)
{
    const size_t classes = texture_model_config(stream->model)->denoiser.classes;
    const size_t remembered = stream->rewinds ? stream->rewinds : 1;
    float *shown = stream->shown + stream->block % remembered * stream->shown_size;
    if (stream->block < stream->next)
        return shown;
    if (texture_frames_ensure(stream->frames, SEEN, err))
        return NULL;
    for (unsigned c = 0; c < stream->channels; c++)
        texture_frames_read(stream->frames, c, SEEN, shown + c * stream->seen_size);
    memcpy(shown + stream->channels * stream->seen_size,
           texture_frames_mix(stream->frames, INVERTER_BLOCK / 2), classes * sizeof *shown);
    texture_frames_drop(stream->frames, INVERTER_BLOCK);
    stream->next++;
    return shown;
}

/* The next INVERTER_BLOCK frames as sound. */
static int make_block(TextureStream *stream, Error *err)
{
    take_snapshot(stream);
    const float *shown = show(stream, err);
    if (!shown)
        return -1;
    set_gains(stream, shown + stream->channels * stream->seen_size);
    for (unsigned c = 0; c < stream->channels; c++) {
        Channel *channel = &stream->channel[c];
        inverter_block(channel->inverter, shown + c * stream->seen_size, channel->gain,
                       channel->sound);
    }
    spread(stream);
    stream->sound_at = stream->block ? 0 : 3 * stream->hop;
    stream->sound_end = INVERTER_BLOCK * stream->hop;
    stream->block++;
    return 0;
}

int texture_stream_read(TextureStream *stream, float *const *out, size_t n, Error *err)
{
    for (size_t done = 0; done < n;) {
        if (stream->sound_at == stream->sound_end && make_block(stream, err))
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
    /* The middle of the fading frames; a frame's middle is two hops after its start, and the first
     * three hops are dropped. */
    const double frame = (double)TEXTURE_QUICK - 0.5 * TEXTURE_FADE - 0.5;
    return (frame + 2.0 - 3.0) * (double)texture_model_hop(model) / (double)config->rate;
}
