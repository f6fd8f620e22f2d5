/* What a window to train on is made of. A recording of two seconds is shorter than a window: the
 * rest is made of others of its class (and side of the split), joined by cross-fades, so that no
 * sound is heard backwards and a short one stands at ever other places beside ever other ones. */
#ifndef BRUME_MODELS_TEXTURE_WINDOW_H
#define BRUME_MODELS_TEXTURE_WINDOW_H

#include "models/corpus.h"

enum {
    TEXTURE_WINDOW_PIECES = 32, /* at most; the last goes on mirrored if that is too few */
    TEXTURE_WINDOW_FADE = 8     /* frames that two neighbours share */
};

/* A window as pieces, one after another; each but the first begins within the fade of the one
 * before it. */
typedef struct TextureWindow {
    size_t count;
    CorpusPlace places[TEXTURE_WINDOW_PIECES];
    size_t frames[TEXTURE_WINDOW_PIECES]; /* of each, 2 fades or more, shared ones included */
} TextureWindow;

/* The window of `frames` frames at `place`: of its take alone where that is long enough. A shorter
 * take begins anywhere, and others follow; a pure function of the corpus and the other arguments.
 * Any thread. */
void texture_window_choose(const Corpus *corpus, CorpusPlace place, size_t frames, uint64_t seed,
                           uint64_t stream, uint64_t index, TextureWindow *window);

/* Its frames, out (frames, bands); scratch (TEXTURE_WINDOW_FADE, bands). The fades keep the
 * variance of Gaussian values (cosine and sine as weights). Any thread. */
void texture_window_read(const Corpus *corpus, const TextureWindow *window, float *scratch,
                         float *out);

#endif
