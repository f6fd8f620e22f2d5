#include "models/texture_frames_parts.h"

#include <math.h>
#include <string.h>

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
    size_t bytes = sizeof(TextureFramesState);
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
    texture_frames_settle(frames);
}

/* Values are clipped to NORMALISER_RANGE; a join may go beyond, but not as far as this. */
static const float MOST_VALUE = 4.0f * NORMALISER_RANGE, MOST_MIX = 1.001f;

void texture_frames_pack(const TextureFrames *frames, const void *state, Packer *packer)
{
    TextureFramesState then;
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
    unpack_floats(unpacker, texture_frames_row(frames, channel, first), count * frames->bands,
                  MOST_VALUE);
    history->count = (size_t)unpack_whole(unpacker, TEXTURE_PAST_FRAMES);
    const size_t old = (TEXTURE_PAST_FRAMES - history->count) * TEXTURE_PAST_GROUPS;
    unpack_floats(unpacker, history->outlines + old, history->count * TEXTURE_PAST_GROUPS,
                  MOST_VALUE);
}

int texture_frames_unpack(TextureFrames *frames, Unpacker *unpacker)
{
    TextureFramesState *state = &frames->state;
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
