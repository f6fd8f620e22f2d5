#include "models/texture_window.h"

#include "dsp/random.h"

#include <math.h>
#include <string.h>

enum { FADE = TEXTURE_WINDOW_FADE };

static size_t take_frames(const Corpus *corpus, CorpusPlace place)
{
    return corpus_before(corpus, place) + corpus_after(corpus, place);
}

/* Anywhere in its take where enough frames follow to fade in and out. */
static CorpusPlace move_start(const Corpus *corpus, CorpusPlace place, uint64_t seed,
                              uint64_t stream, uint64_t index)
{
    const size_t first = place.start - corpus_before(corpus, place);
    const size_t there = take_frames(corpus, place);
    const size_t room = there > 2 * FADE ? there - 2 * FADE + 1 : 1;
    return (CorpusPlace){place.take, first + (size_t)random_below(seed, stream, index, room)};
}

void texture_window_choose(const Corpus *corpus, CorpusPlace place, size_t frames, uint64_t seed,
                           uint64_t stream, uint64_t index, TextureWindow *window)
{
    *window = (TextureWindow){.count = 1, .places = {place}, .frames = {frames}};
    if (take_frames(corpus, place) >= frames)
        return;
    /* Each piece draws up to eight numbers: four of its own, four for its take. */
    const uint64_t base = index * 2 * TEXTURE_WINDOW_PIECES;
    for (size_t done = 0, i = 0; i < TEXTURE_WINDOW_PIECES && done < frames; i++) {
        if (i)
            place = corpus_draw_beside(corpus, place, frames, seed, stream, base + 2 * i);
        if (take_frames(corpus, place) < frames)
            place = move_start(corpus, place, seed, stream, 4 * (base + 2 * i + 1));
        const size_t start = i ? done - FADE : 0;
        const size_t there = corpus_after(corpus, place);
        const int last = there >= frames - start || i == TEXTURE_WINDOW_PIECES - 1;
        window->places[i] = place;
        window->frames[i] = last ? frames - start : there;
        window->count = i + 1;
        done = start + window->frames[i];
    }
}

/* Mixes the next piece's first frames (FADE, bands) into `out`, the end of the one before. */
static void cross_fade(const float *next, size_t bands, float *out)
{
    for (size_t f = 0; f < FADE; f++) {
        const double angle = 0.5 * acos(-1.0) * (double)(f + 1) / (FADE + 1.0);
        const float before = (float)cos(angle), after = (float)sin(angle);
        for (size_t b = 0; b < bands; b++)
            out[f * bands + b] = before * out[f * bands + b] + after * next[f * bands + b];
    }
}

void texture_window_read(const Corpus *corpus, const TextureWindow *window, float *scratch,
                         float *out)
{
    const size_t bands = corpus_bands(corpus);
    for (size_t i = 0; i < window->count; i++) {
        CorpusPlace place = window->places[i];
        size_t left = window->frames[i];
        if (i) {
            corpus_read(corpus, place, FADE, scratch);
            cross_fade(scratch, bands, out - FADE * bands);
            place.start += FADE;
            left -= FADE;
        }
        corpus_read(corpus, place, left, out);
        out += left * bands;
    }
}
