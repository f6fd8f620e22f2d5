/* Windows made of several takes: every frame forward, nothing from the other side of the split, and
 * fades that keep the variance. */
#include "models/texture_window.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

enum { BANDS = 2, FRAMES = 256, SHORT = 100, TAKES = 5, LONG = 600, FADE = TEXTURE_WINDOW_FADE };

/* Takes of one class: band 0 holds the frame's number, band 1 that of the take. */
static Corpus *numbered(size_t takes, size_t frames)
{
    Error err = {""};
    Corpus *corpus = corpus_create(BANDS, &err);
    assert_non_null(corpus);
    assert_int_equal(corpus_class(corpus, "rain", &err), 0);
    float values[LONG * BANDS];
    for (size_t t = 0; t < takes; t++) {
        for (size_t f = 0; f < frames; f++) {
            values[f * BANDS] = (float)f;
            values[f * BANDS + 1] = (float)t;
        }
        char name[2] = {(char)('0' + t), 0};
        assert_int_equal(corpus_add(corpus, 0, name, CORPUS_MONO, values, frames, &err), 0);
    }
    assert_int_equal(corpus_split(corpus, takes > 1 ? 0.4 : 0.2, 1, &err), 0);
    return corpus;
}

static void check_pieces(const Corpus *corpus, const TextureWindow *window, int held_out)
{
    size_t done = 0;
    for (size_t i = 0; i < window->count; i++) {
        const CorpusPlace place = window->places[i];
        const size_t n = window->frames[i];
        assert_true(n >= 2 * FADE || i + 1 == window->count);
        assert_true(place.start + n <= SHORT); /* nothing is mirrored */
        CorpusPlace any;
        size_t same = 0;
        for (uint64_t d = 0; d < 64; d++)
            if (!corpus_draw(corpus, held_out, 16, 3, 3, d, &any))
                same += any.take == place.take;
        assert_true(same > 0); /* its take lies on that side */
        done += n - (i ? FADE : 0);
    }
    assert_int_equal(done, FRAMES);
    assert_true(window->count > 2);
}

static void short_takes_are_joined(void **state)
{
    (void)state;
    Corpus *corpus = numbered(TAKES, SHORT);
    static float out[FRAMES * BANDS], scratch[FADE * BANDS];
    size_t starts = 0, mixed = 0;
    for (int side = 0; side < 2; side++)
        for (uint64_t index = 0; index < 50; index++) {
            CorpusPlace place;
            TextureWindow window;
            assert_int_equal(corpus_draw(corpus, side, FRAMES, 1, 1, index, &place), 0);
            texture_window_choose(corpus, place, FRAMES, 1, 2, index, &window);
            check_pieces(corpus, &window, side);
            starts += window.places[0].start > 0;
            mixed += window.places[1].take != window.places[0].take;
            texture_window_read(corpus, &window, scratch, out);
            size_t at = 0;
            for (size_t i = 0; i < window.count; i++) {
                const size_t skipped = i ? FADE : 0;
                const size_t last = i + 1 < window.count ? FADE : 0;
                for (size_t f = skipped; f + last < window.frames[i]; f++, at++) {
                    if (i && f == skipped)
                        at += FADE;
                    assert_true(out[at * BANDS] == (float)(window.places[i].start + f));
                    assert_true(out[at * BANDS + 1] == (float)window.places[i].take);
                }
            }
            assert_int_equal(at, FRAMES);
        }
    assert_true(starts > 80 && mixed > 30);
    corpus_destroy(corpus);
}

static void long_takes_are_left_alone(void **state)
{
    (void)state;
    Corpus *corpus = numbered(1, LONG);
    static float out[FRAMES * BANDS], plain[FRAMES * BANDS], scratch[FADE * BANDS];
    TextureWindow window;
    const CorpusPlace place = {0, 77};
    texture_window_choose(corpus, place, FRAMES, 1, 2, 3, &window);
    assert_int_equal(window.count, 1);
    texture_window_read(corpus, &window, scratch, out);
    corpus_read(corpus, place, FRAMES, plain);
    assert_memory_equal(out, plain, sizeof out);
    corpus_destroy(corpus);
}

/* Gaussian takes: in the middle of a fade the variance is still 1. */
static void fades_keep_the_variance(void **state)
{
    (void)state;
    Error err = {""};
    enum { WIDE = 512 };
    Corpus *corpus = corpus_create(WIDE, &err);
    assert_int_equal(corpus_class(corpus, "rain", &err), 0);
    static float values[SHORT * WIDE], out[FRAMES * WIDE], scratch[FADE * WIDE];
    for (uint64_t t = 0; t < 3; t++) {
        const char name[2] = {(char)('0' + t), 0};
        random_gaussian(5, t, 0, values, SHORT * WIDE);
        assert_int_equal(corpus_add(corpus, 0, name, CORPUS_MONO, values, SHORT, &err), 0);
    }
    assert_int_equal(corpus_split(corpus, 0.0, 1, &err), 0);
    double sum = 0.0;
    size_t count = 0;
    for (uint64_t index = 0; index < 20; index++) {
        CorpusPlace place;
        TextureWindow window;
        assert_int_equal(corpus_draw(corpus, 0, FRAMES, 1, 1, index, &place), 0);
        texture_window_choose(corpus, place, FRAMES, 1, 2, index, &window);
        texture_window_read(corpus, &window, scratch, out);
        const float *middle = out + (window.frames[0] - FADE / 2) * WIDE;
        if (window.places[1].take == window.places[0].take)
            continue; /* may be the same frames */
        for (size_t b = 0; b < WIDE; b++, count++)
            sum += (double)middle[b] * (double)middle[b];
    }
    assert_true(count > 2000);
    assert_true(fabs(sum / (double)count - 1.0) < 0.08);
    corpus_destroy(corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_takes_are_joined),
        cmocka_unit_test(long_takes_are_left_alone),
        cmocka_unit_test(fades_keep_the_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
