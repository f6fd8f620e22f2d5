#include "models/playback.h"

#include "dsp/gain.h"
#include "dsp/resample.h"

#include <stdlib.h>

enum { PIECE = 512 };

struct Playback {
    TextureStream *stream;
    Resampler *resampler;
    unsigned channels;
    float planar[2][PIECE];
    float interleaved[2 * PIECE]; /* at the model's rate */
    size_t at, end;               /* frames of it not yet resampled */
};

Playback *playback_create(const TextureModel *model, const TextureSettings *settings,
                          unsigned channels, double rate, const atomic_bool *cancel, Error *err)
{
    Playback *playback = calloc(1, sizeof *playback);
    if (!playback) {
        error_set(err, "out of memory for a texture");
        return NULL;
    }
    playback->channels = channels;
    playback->stream = texture_stream_create(model, settings, channels, cancel, err);
    if (playback->stream)
        playback->resampler = resampler_create((double)texture_model_config(model)->rate, rate,
                                               channels, err);
    if (!playback->resampler) {
        playback_destroy(playback);
        return NULL;
    }
    return playback;
}

void playback_destroy(Playback *playback)
{
    if (!playback)
        return;
    texture_stream_destroy(playback->stream);
    resampler_destroy(playback->resampler);
    free(playback);
}

static int refill(Playback *playback, Error *err)
{
    float *const planar[2] = {playback->planar[0], playback->planar[1]};
    if (texture_stream_read(playback->stream, planar, PIECE, err))
        return -1;
    for (size_t i = 0; i < PIECE; i++)
        for (unsigned c = 0; c < playback->channels; c++)
            playback->interleaved[i * playback->channels + c] = playback->planar[c][i];
    playback->at = 0;
    playback->end = PIECE;
    return 0;
}

int playback_read(Playback *playback, float *out, size_t frames, Error *err)
{
    const unsigned channels = playback->channels;
    for (size_t done = 0; done < frames;) {
        if (playback->at == playback->end && refill(playback, err))
            return -1;
        size_t used = 0, made = 0;
        if (resampler_process(playback->resampler,
                              playback->interleaved + playback->at * channels,
                              playback->end - playback->at, &used, out + done * channels,
                              frames - done, &made, err))
            return -1;
        playback->at += used;
        done += made;
    }
    limiter_apply(out, frames * channels);
    return 0;
}

void playback_restart(Playback *playback, const TextureSettings *settings)
{
    texture_stream_restart(playback->stream, settings);
    resampler_reset(playback->resampler);
    playback->at = playback->end = 0;
}

void playback_set(Playback *playback, const TextureSettings *settings)
{
    texture_stream_set(playback->stream, settings);
}
