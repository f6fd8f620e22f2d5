#include "models/playback.h"

#include "dsp/gain.h"
#include "dsp/resample.h"

#include <math.h>
#include <stdlib.h>

/* Frames read at a time; and input that a resampler is given before the first output that counts,
 * after the stream was taken back. */
enum { PIECE = 512, WARM_UP = 512 };

/* A stream's beginning is faded in over this time, so that it does not click. */
static const double FADE_IN_SECONDS = 0.01;

struct Playback {
    TextureStream *stream;
    Resampler *resampler;
    unsigned channels;
    double ratio;               /* input frames for an output frame */
    uint64_t step_in, step_out; /* input frames after which both rates meet again; 0: never soon */
    uint64_t position;          /* number of the next output frame */
    uint64_t fade_in;           /* output frames */
    uint64_t skip_in, skip_out; /* frames still to be passed over */
    float planar[2][PIECE];
    float interleaved[2 * PIECE]; /* input */
    size_t at, end;               /* input frames not yet resampled */
};

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void find_steps(Playback *playback, double from, double to)
{
    playback->ratio = from / to;
    if (from != floor(from) || to != floor(to))
        return;
    const uint64_t divisor = greatest_common_divisor((uint64_t)from, (uint64_t)to);
    if ((uint64_t)from / divisor <= WARM_UP) {
        playback->step_in = (uint64_t)from / divisor;
        playback->step_out = (uint64_t)to / divisor;
    }
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
        playback->resampler = resampler_create(model_rate, rate, channels, err);
    if (!playback->resampler) {
        playback_destroy(playback);
        return NULL;
    }
    find_steps(playback, model_rate, rate);
    playback->fade_in = (uint64_t)(FADE_IN_SECONDS * rate);
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

int playback_prepare(Playback *playback, Error *err)
{
    return texture_stream_prepare(playback->stream, err);
}

uint64_t playback_position(const Playback *playback)
{
    return playback->position;
}

static int refill(Playback *playback, Error *err)
{
    float *const planar[2] = {playback->planar[0], playback->planar[1]};
    while (playback->skip_in) {
        const size_t n = playback->skip_in < PIECE ? (size_t)playback->skip_in : PIECE;
        if (texture_stream_read(playback->stream, planar, n, err))
            return -1;
        playback->skip_in -= n;
    }
    if (texture_stream_read(playback->stream, planar, PIECE, err))
        return -1;
    for (size_t i = 0; i < PIECE; i++)
        for (unsigned c = 0; c < playback->channels; c++)
            playback->interleaved[i * playback->channels + c] = playback->planar[c][i];
    playback->at = 0;
    playback->end = PIECE;
    return 0;
}

/* The next `frames` frames as the resampler gives them. */
static int resample(Playback *playback, float *out, size_t frames, Error *err)
{
    const unsigned channels = playback->channels;
    for (size_t done = 0; done < frames;) {
        if (playback->at == playback->end && refill(playback, err))
            return -1;
        size_t used = 0, made = 0;
        if (resampler_process(playback->resampler, playback->interleaved + playback->at * channels,
                              playback->end - playback->at, &used, out + done * channels,
                              frames - done, &made, err))
            return -1;
        playback->at += used;
        done += made;
    }
    return 0;
}

/* Applies the fade-in to n frames from the current position on. */
static void fade_in(const Playback *playback, float *out, size_t n)
{
    for (size_t i = 0; i < n && playback->position + i < playback->fade_in; i++) {
        const float gain = (float)(playback->position + i) / (float)playback->fade_in;
        for (unsigned c = 0; c < playback->channels; c++)
            out[i * playback->channels + c] *= gain;
    }
}

int playback_read(Playback *playback, float *out, size_t frames, Error *err)
{
    float passed[2 * PIECE];
    while (playback->skip_out) {
        const size_t n = playback->skip_out < PIECE ? (size_t)playback->skip_out : PIECE;
        if (resample(playback, passed, n, err))
            return -1;
        playback->skip_out -= n;
    }
    if (resample(playback, out, frames, err))
        return -1;
    fade_in(playback, out, frames);
    limiter_apply(out, frames * playback->channels);
    playback->position += frames;
    return 0;
}

static void forget(Playback *playback, uint64_t position)
{
    resampler_reset(playback->resampler);
    playback->at = playback->end = 0;
    playback->skip_in = playback->skip_out = 0;
    playback->position = position;
}

void playback_restart(Playback *playback, const TextureSettings *settings)
{
    texture_stream_restart(playback->stream, settings);
    forget(playback, 0);
}

uint64_t playback_redo(Playback *playback, const TextureSettings *settings, uint64_t from)
{
    const double wanted = floor((double)from * playback->ratio) - (double)WARM_UP;
    const uint64_t start =
        texture_stream_redo(playback->stream, settings, wanted > 0.0 ? (uint64_t)wanted : 0);
    /* The resampler starts where an input and an output frame fall together, so that what it makes
     * lies where it would have lain. Other pairs of rates are met to half a frame. */
    uint64_t input = start, output = (uint64_t)llround((double)start / playback->ratio);
    if (playback->step_in) {
        const uint64_t steps = (start + playback->step_in - 1) / playback->step_in;
        input = steps * playback->step_in;
        output = steps * playback->step_out;
    }
    forget(playback, output > from ? output : from);
    playback->skip_in = input - start;
    playback->skip_out = playback->position - output;
    return playback->position;
}
