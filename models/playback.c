#include "models/playback.h"

#include "dsp/gain.h"
#include "dsp/relay.h"

#include <stdlib.h>
#include <string.h>

/* Frames read at a time. */
enum { PIECE = 512, CHANNELS = 2 };

/* A stream's beginning is faded in over this time, so that it does not click. */
static const double FADE_IN_SECONDS = 0.01;

struct Playback {
    TextureStream *stream;
    Relay *relay;
    unsigned channels;
    uint64_t fade_in; /* output frames */
    uint64_t skip;    /* of the stream's frames, to be passed over */
    /* Output frames from..to - 1 were made after a redo: their resampler began with frame `origin`
     * of the stream. */
    uint64_t redone_from, redone_to, redone_origin;
    float planar[CHANNELS][PIECE];
};

/* The relay's source: n of the stream's next frames. */
static int read_stream(void *user, float *frames, size_t n, Error *err)
{
    Playback *playback = user;
    float *const planar[CHANNELS] = {playback->planar[0], playback->planar[1]};
    while (playback->skip) {
        const size_t m = playback->skip < PIECE ? (size_t)playback->skip : PIECE;
        if (texture_stream_read(playback->stream, planar, m, err))
            return -1;
        playback->skip -= m;
    }
    for (size_t done = 0; done < n;) {
        const size_t m = n - done < PIECE ? n - done : PIECE;
        if (texture_stream_read(playback->stream, planar, m, err))
            return -1;
        for (size_t i = 0; i < m; i++)
            for (unsigned c = 0; c < playback->channels; c++)
                *frames++ = playback->planar[c][i];
        done += m;
    }
    return 0;
}

Playback *playback_create(const TextureModel *model, const TextureSettings *settings,
                          unsigned channels, double rate, size_t rewinds, const atomic_bool *cancel,
                          Error *err)
{
    Playback *playback = calloc(1, sizeof *playback);
    if (!playback) {
        error_set(err, "out of memory for a texture");
        return NULL;
    }
    const double model_rate = (double)texture_model_config(model)->rate;
    playback->channels = channels;
    playback->stream = texture_stream_create(model, settings, channels, rewinds, cancel, err);
    if (playback->stream)
        playback->relay = relay_create(model_rate, rate, channels, read_stream, playback, err);
    if (!playback->relay) {
        playback_destroy(playback);
        return NULL;
    }
    playback->fade_in = (uint64_t)(FADE_IN_SECONDS * rate);
    return playback;
}

void playback_destroy(Playback *playback)
{
    if (!playback)
        return;
    texture_stream_destroy(playback->stream);
    relay_destroy(playback->relay);
    free(playback);
}

int playback_prepare(Playback *playback, Error *err)
{
    return texture_stream_prepare(playback->stream, err);
}

uint64_t playback_position(const Playback *playback)
{
    return relay_position(playback->relay);
}

/* Applies the fade-in to n frames, of which the first is number `first`. */
static void fade_in(const Playback *playback, uint64_t first, float *out, size_t n)
{
    for (size_t i = 0; i < n && first + i < playback->fade_in; i++) {
        const float gain = (float)(first + i) / (float)playback->fade_in;
        for (unsigned c = 0; c < playback->channels; c++)
            out[i * playback->channels + c] *= gain;
    }
}

int playback_read(Playback *playback, float *out, size_t frames, Error *err)
{
    const uint64_t first = relay_position(playback->relay);
    if (relay_read(playback->relay, out, frames, err))
        return -1;
    fade_in(playback, first, out, frames);
    limiter_apply(out, frames * playback->channels);
    return 0;
}

/* Goes on with frame `frame`, while the stream stands at its frame `start`. */
static void go_on(Playback *playback, uint64_t start, uint64_t origin, uint64_t frame)
{
    playback->skip = origin - start;
    relay_seek(playback->relay, origin, frame);
}

void playback_restart(Playback *playback, const TextureSettings *settings)
{
    texture_stream_restart(playback->stream, settings);
    playback->redone_from = playback->redone_to = 0;
    go_on(playback, 0, 0, 0);
}

uint64_t playback_redo(Playback *playback, const TextureSettings *settings, uint64_t from)
{
    const uint64_t wanted = relay_near(playback->relay, from);
    const uint64_t start = texture_stream_redo(playback->stream, settings, wanted);
    uint64_t output;
    const uint64_t origin = relay_meet(playback->relay, start > wanted ? start : wanted, &output);
    const uint64_t frame = output > from ? output : from;
    playback->redone_from = frame;
    playback->redone_to = relay_stretch_end(playback->relay, frame);
    playback->redone_origin = origin;
    go_on(playback, start, origin, frame);
    return frame;
}

int playback_pack(const Playback *playback, uint64_t frame, Packer *packer)
{
    const bool redone = frame >= playback->redone_from && frame < playback->redone_to;
    const uint64_t usual = relay_origin(playback->relay, frame);
    const uint64_t origin =
        redone && playback->redone_origin > usual ? playback->redone_origin : usual;
    pack_whole(packer, frame);
    pack_whole(packer, origin);
    return texture_stream_pack(playback->stream, origin, packer);
}

int playback_unpack(Playback *playback, const TextureSettings *settings, Unpacker *unpacker)
{
    const uint64_t frame = unpack_whole(unpacker, PLAYBACK_MOST);
    const uint64_t origin = unpack_whole(unpacker, PLAYBACK_MOST);
    uint64_t start, output;
    playback_restart(playback, settings);
    if (texture_stream_unpack(playback->stream, settings, unpacker, &start))
        return -1;
    /* A resampler that begins there, soon enough and not too soon. */
    const uint64_t usual = relay_origin(playback->relay, frame);
    const bool meets = relay_meet(playback->relay, origin, &output) == origin && output <= frame;
    if (!meets || origin < usual || origin < start || origin - start > PLAYBACK_SKIP) {
        playback_restart(playback, settings);
        return -1;
    }
    if (origin > usual) {
        playback->redone_from = frame;
        playback->redone_to = relay_stretch_end(playback->relay, frame);
        playback->redone_origin = origin;
    }
    go_on(playback, start, origin, frame);
    return 0;
}
