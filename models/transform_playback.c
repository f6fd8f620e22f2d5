#include "models/transform_playback.h"

#include "dsp/gain.h"
#include "dsp/resample.h"

#include <math.h>
#include <stdlib.h>

enum { PIECE = 512, CHANNELS = 2 };

/* What the two resamplers hold back, in samples at the model's rate, and more. */
static const double HELD_BACK = 2048.0;

/* A texture that begins out of nothing is faded in over this time. */
static const double FADE_IN_SECONDS = 0.01;

static const float LOUDEST = 16.0f;

/* Frames that wait between two parts of the way. */
typedef struct Buffer {
    float planar[CHANNELS][PIECE];
    float interleaved[CHANNELS * PIECE];
    size_t at, end;
} Buffer;

struct TransformPlayback {
    TransformStream *stream;
    Resampler *into, *out_of; /* the model's rate */
    unsigned channels;
    double ratio; /* the model's frames for one of the host's */
    float strength;
    uint64_t position, fade_in; /* output frames */
    Buffer input, output;       /* at the model's rate */
};

TransformPlayback *transform_playback_create(const TextureModel *model,
                                             const TransformSettings *settings, unsigned channels,
                                             double rate, const atomic_bool *cancel, Error *err)
{
    TransformPlayback *playback = calloc(1, sizeof *playback);
    if (!playback) {
        error_set(err, "out of memory for a transformed sound");
        return NULL;
    }
    const double model_rate = (double)texture_model_config(model)->rate;
    playback->channels = channels;
    playback->ratio = model_rate / rate;
    playback->strength = settings->strength;
    playback->fade_in = (uint64_t)(FADE_IN_SECONDS * rate);
    playback->stream = transform_stream_create(model, settings, channels, cancel, err);
    if (playback->stream)
        playback->into = resampler_create(rate, model_rate, channels, err);
    if (playback->into)
        playback->out_of = resampler_create(model_rate, rate, channels, err);
    if (!playback->out_of) {
        transform_playback_destroy(playback);
        return NULL;
    }
    return playback;
}

void transform_playback_destroy(TransformPlayback *playback)
{
    if (!playback)
        return;
    transform_stream_destroy(playback->stream);
    resampler_destroy(playback->into);
    resampler_destroy(playback->out_of);
    free(playback);
}

uint64_t transform_playback_latency(const TextureModel *model, double rate)
{
    const size_t samples = transform_stream_latency(model) + transform_stream_interval(model);
    return (uint64_t)ceil(((double)samples + HELD_BACK) * rate /
                          (double)texture_model_config(model)->rate);
}

void transform_playback_set(TransformPlayback *playback, const TransformSettings *settings,
                            uint64_t position)
{
    transform_stream_set(playback->stream, settings,
                         (uint64_t)((double)position * playback->ratio));
}

/* From the caller to the stream's input, at the model's rate. */
static int take_input(TransformPlayback *playback, const float *in, size_t n, size_t *used,
                      Error *err)
{
    const unsigned channels = playback->channels;
    Buffer *buffer = &playback->input;
    float sane[CHANNELS * PIECE];
    const size_t m = n < PIECE ? n : PIECE;
    for (size_t i = 0; i < m * channels; i++)
        sane[i] = isfinite(in[i]) ? fminf(fmaxf(in[i], -LOUDEST), LOUDEST) : 0.0f;
    if (resampler_process(playback->into, sane, m, used, buffer->interleaved, PIECE, &buffer->end,
                          err))
        return -1;
    buffer->at = 0;
    for (size_t i = 0; i < buffer->end; i++)
        for (unsigned c = 0; c < channels; c++)
            buffer->planar[c][i] = buffer->interleaved[i * channels + c];
    return 0;
}

/* From the stream's input to its output. */
static int transform(TransformPlayback *playback, size_t *moved, Error *err)
{
    const unsigned channels = playback->channels;
    Buffer *input = &playback->input, *output = &playback->output;
    float *const in[CHANNELS] = {input->planar[0] + input->at, input->planar[1] + input->at};
    float *const out[CHANNELS] = {output->planar[0], output->planar[1]};
    size_t used;
    output->at = 0;
    const int failed = transform_stream_process(playback->stream, in, input->end - input->at, &used,
                                                out, PIECE, &output->end, err);
    input->at += used;
    for (size_t i = 0; i < output->end; i++)
        for (unsigned c = 0; c < channels; c++)
            output->interleaved[i * channels + c] = output->planar[c][i];
    *moved = used + output->end;
    return failed;
}

/* Finishes n frames that are about to go out. */
static void finish(TransformPlayback *playback, float *out, size_t n)
{
    for (size_t i = 0; i < n && playback->position + i < playback->fade_in; i++) {
        const float in_time = (float)(playback->position + i) / (float)playback->fade_in;
        for (unsigned c = 0; c < playback->channels; c++)
            out[i * playback->channels + c] *= 1.0f - playback->strength * (1.0f - in_time);
    }
    limiter_apply(out, n * playback->channels);
    playback->position += n;
}

/* From the stream's output to the caller, until there is nothing left or no room. */
static int give_output(TransformPlayback *playback, float *out, size_t room, size_t *made,
                       Error *err)
{
    const unsigned channels = playback->channels;
    Buffer *buffer = &playback->output;
    *made = 0;
    do {
        size_t used, step;
        if (resampler_process(playback->out_of, buffer->interleaved + buffer->at * channels,
                              buffer->end - buffer->at, &used, out + *made * channels, room - *made,
                              &step, err))
            return -1;
        buffer->at += used;
        *made += step;
    } while (buffer->at < buffer->end && *made < room);
    finish(playback, out, *made);
    return 0;
}

int transform_playback_process(TransformPlayback *playback, const float *in, size_t n, size_t *used,
                               float *out, size_t room, size_t *made, Error *err)
{
    const unsigned channels = playback->channels;
    *used = *made = 0;
    for (size_t moved = 1; moved > 0;) {
        size_t step = 0;
        if (give_output(playback, out + *made * channels, room - *made, &step, err))
            return -1;
        *made += step;
        if (playback->output.at < playback->output.end)
            return 0; /* no room */
        if (playback->input.at == playback->input.end) {
            if (take_input(playback, in + *used * channels, n - *used, &step, err))
                return -1;
            *used += step;
        }
        if (transform(playback, &moved, err))
            return -1;
        moved += step;
    }
    return 0;
}
