#include "models/texture_past.h"

#include <string.h>

enum {
    GROUPS = TEXTURE_PAST_GROUPS,
    FRAMES = TEXTURE_PAST_FRAMES,
    STRETCHES = 16,
    SHORT = 8,
    SHORT_FRAMES = 64,
    LONG_FRAMES = 256
};

/* First band of a group: squares, so that low groups are narrow. */
static size_t group_start(size_t group, size_t bands)
{
    return bands * group * group / (GROUPS * GROUPS);
}

void texture_past_outline(const float *frame, size_t bands, float *outline)
{
    for (size_t g = 0; g < GROUPS; g++) {
        const size_t first = group_start(g, bands), end = group_start(g + 1, bands);
        float sum = 0.0f;
        for (size_t b = first; b < end; b++)
            sum += frame[b];
        outline[g] = end > first ? sum / (float)(end - first) : 0.0f;
    }
}

/* Frames of a stretch, counted backwards from the window. */
static size_t stretch_length(size_t stretch)
{
    return stretch < SHORT ? SHORT_FRAMES : LONG_FRAMES;
}

void texture_past_pool(const float *outlines, size_t n, float *past)
{
    memset(past, 0, TEXTURE_PAST_VALUES * sizeof *past);
    size_t end = n;
    for (size_t s = 0; s < STRETCHES && end > 0; s++) {
        const size_t length = stretch_length(s), count = end < length ? end : length;
        float *stretch = past + s * (GROUPS + 1);
        for (size_t f = end - count; f < end; f++)
            for (size_t g = 0; g < GROUPS; g++)
                stretch[g] += outlines[f * GROUPS + g] / (float)count;
        stretch[GROUPS] = (float)count / (float)length;
        end -= count;
    }
}

void texture_history_add(TextureHistory *history, const float *frames, size_t n, size_t bands)
{
    const size_t fresh = n < FRAMES ? n : FRAMES, kept = FRAMES - fresh;
    memmove(history->outlines, history->outlines + fresh * GROUPS,
            kept * GROUPS * sizeof *history->outlines);
    for (size_t f = 0; f < fresh; f++)
        texture_past_outline(frames + (n - fresh + f) * bands, bands,
                             history->outlines + (kept + f) * GROUPS);
    history->count = history->count + fresh < FRAMES ? history->count + fresh : FRAMES;
}

void texture_history_tell(const TextureHistory *history, const float *frames, size_t n,
                          size_t bands, float *past)
{
    TextureHistory then = *history;
    texture_history_add(&then, frames, n, bands);
    texture_past_pool(then.outlines + (FRAMES - then.count) * GROUPS, then.count, past);
}
