/* The corpus: what is held out is never trained on, and draws go as their weights say. Frames are
 * recognisable: band 0 holds the frame's number, band 1 the take's. */
#include "models/corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BANDS = 3, MOST_FRAMES = 2048, MOST_TAKES = 64 };

static Corpus *create(void)
{
    Error err = {""};
    Corpus *corpus = corpus_create(BANDS, &err);
    assert_non_null(corpus);
    return corpus;
}

static int try_add(Corpus *corpus, const char *class_name, const char *recording,
                   CorpusChannel channel, size_t frames, int take, Error *err)
{
    float *values = malloc((frames + 1) * BANDS * sizeof *values);
    assert_non_null(values);
    for (size_t f = 0; f < frames; f++) {
        values[f * BANDS] = (float)f;
        values[f * BANDS + 1] = (float)take;
        values[f * BANDS + 2] = 0.5f;
    }
    const size_t c = corpus_class(corpus, class_name, err);
    assert_true(c != SIZE_MAX);
    const int failed = corpus_add(corpus, c, recording, channel, values, frames, err);
    free(values);
    return failed;
}

/* A take that holds its own number, `take`, in every frame. */
static void add(Corpus *corpus, const char *class_name, const char *recording,
                CorpusChannel channel, size_t frames, int take)
{
    Error err = {""};
    if (try_add(corpus, class_name, recording, channel, frames, take, &err))
        fail_msg("%s", err.message);
}

static void split(Corpus *corpus, double holdout, uint64_t seed)
{
    Error err = {""};
    if (corpus_split(corpus, holdout, seed, &err))
        fail_msg("%s", err.message);
}

/* Draw number `index`; its take's and first frame's numbers, and whether frames follow each other.
 */
typedef struct Drawn {
    CorpusPlace place;
    size_t take, first;
    float values[64 * BANDS];
} Drawn;

static Drawn draw(const Corpus *corpus, int held_out, size_t frames, uint64_t index)
{
    Drawn drawn;
    assert_true(frames <= 64);
    assert_int_equal(corpus_draw(corpus, held_out, frames, 5, 9, index, &drawn.place), 0);
    corpus_read(corpus, drawn.place, frames, drawn.values);
    drawn.take = (size_t)drawn.values[1];
    drawn.first = (size_t)drawn.values[0];
    for (size_t f = 0; f < frames; f++)
        assert_true(drawn.values[f * BANDS + 1] == drawn.values[1]);
    return drawn;
}

/* Ten recordings in two pieces of 100 frames each: take 2g is piece A, 2g + 1 piece B. */
static Corpus *ten_pairs(double holdout, uint64_t seed)
{
    const char *separators = "-_ ";
    Corpus *corpus = create();
    for (int g = 0; g < 10; g++)
        for (int piece = 0; piece < 2; piece++) {
            char name[32];
            snprintf(name, sizeof name, "sea %d%c%c", g, separators[g % 3],
                     (g % 2 ? 'a' : 'A') + piece);
            add(corpus, "waves", name, CORPUS_MONO, 100, 2 * g + piece);
        }
    split(corpus, holdout, seed);
    return corpus;
}

typedef struct Visits {
    size_t count, held_out;
    char names[MOST_TAKES][32];
} Visits;

static void visit(void *user, const char *class_name, const char *recording, int held_out)
{
    Visits *visits = user;
    assert_string_equal(class_name, "waves");
    snprintf(visits->names[visits->count++], sizeof visits->names[0], "%s", recording);
    assert_true(held_out == 0 || held_out == 1);
    visits->held_out += held_out == 1;
}

static void pieces_of_one_recording_stay_together(void **state)
{
    (void)state;
    int ever_held[10] = {0};
    for (uint64_t seed = 1; seed <= 30; seed++) {
        Corpus *corpus = ten_pairs(0.2, seed);
        Visits visits = {0};
        corpus_each(corpus, visit, &visits);
        assert_int_equal(visits.count, 10);
        assert_string_equal(visits.names[3], "sea 3");
        /* Each take has 100 frames, and shares are met up to the size of a group. */
        assert_int_equal(visits.held_out, 2);
        assert_int_equal(corpus_frames(corpus, 0, 1), 400);
        assert_int_equal(corpus_frames(corpus, 0, 0), 1600);
        int sides[2][MOST_TAKES] = {{0}};
        for (uint64_t i = 0; i < 1000; i++)
            for (int side = 0; side < 2; side++)
                sides[side][draw(corpus, side, 16, i).take]++;
        for (int g = 0; g < 10; g++) {
            const int trained = sides[0][2 * g] + sides[0][2 * g + 1];
            const int held = sides[1][2 * g] + sides[1][2 * g + 1];
            assert_true((trained == 0) != (held == 0));
            assert_true(sides[held > 0][2 * g] > 0 && sides[held > 0][2 * g + 1] > 0);
            ever_held[g] |= held > 0;
        }
        corpus_destroy(corpus);
    }
    /* The seed decides; over thirty of them each group had its turn. */
    for (int g = 0; g < 10; g++)
        assert_true(ever_held[g]);
}

/* What is told of a recording is what is drawn of it. */
static void recordings_are_told_what_is_held_out(void **state)
{
    (void)state;
    Corpus *corpus = ten_pairs(0.2, 3);
    for (uint64_t i = 0; i < 200; i++)
        for (int side = 0; side < 2; side++) {
            const size_t take = draw(corpus, side, 16, i).take;
            char name[32];
            snprintf(name, sizeof name, "sea %zu%c%c", take / 2, "-_ "[take / 2 % 3],
                     (char)((take / 2 % 2 ? 'a' : 'A') + take % 2));
            assert_int_equal(corpus_held_from(corpus, 0, name, 100), side ? 0 : 100);
        }
    assert_true(corpus_held_from(corpus, 0, "sea 0-A", 101) == SIZE_MAX);
    assert_true(corpus_held_from(corpus, 0, "sea", 100) == SIZE_MAX);
    assert_true(corpus_held_from(corpus, 1, "sea 0-A", 100) == SIZE_MAX);
    corpus_destroy(corpus);

    /* Of one recording its end; of a copy of it, nothing that counts. */
    corpus = create();
    add(corpus, "rain", "long", CORPUS_MONO, 1000, 0);
    add(corpus, "rain", "long", CORPUS_VARIANT, 980, 1);
    split(corpus, 0.2, 1);
    const size_t from = corpus_held_from(corpus, 0, "long", 1000);
    assert_int_equal(from, 800);
    assert_true(corpus_held_from(corpus, 0, "long", 980) == SIZE_MAX);
    for (uint64_t i = 0; i < 100; i++)
        assert_true(draw(corpus, 1, 16, i).first >= from);
    corpus_destroy(corpus);
}

static void names_without_a_piece_are_groups_of_their_own(void **state)
{
    (void)state;
    const char *names[] = {"sea-A", "sea-B", "sea", "sea-1", "sea-AB", "seaA", "-A", "A"};
    Corpus *corpus = create();
    for (int i = 0; i < 8; i++)
        add(corpus, "waves", names[i], CORPUS_MONO, 20, i);
    split(corpus, 0.0, 1);
    Visits visits = {0};
    corpus_each(corpus, visit, &visits);
    assert_int_equal(visits.count, 6);
    assert_string_equal(visits.names[0], "sea");
    assert_string_equal(visits.names[1], "sea-1");
    corpus_destroy(corpus);
    corpus_destroy(NULL);
}

static void holdout_is_about_what_was_asked_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (int percent = 0; percent <= 90; percent += 10) {
            Corpus *corpus = create();
            size_t total = 0;
            for (int take = 0; take < 40; take++) {
                char name[32];
                snprintf(name, sizeof name, "rain%d", take);
                const size_t frames = (size_t)(50 + 37 * take % 200);
                add(corpus, "rain", name, CORPUS_MONO, frames, take);
                total += frames;
            }
            split(corpus, percent / 100.0, seed);
            const size_t held = corpus_frames(corpus, 0, 1);
            assert_int_equal(held + corpus_frames(corpus, 0, 0), total);
            if (!(fabs((double)held / (double)total - percent / 100.0) < 0.06))
                fail_msg("%d %% asked for, %zu of %zu held out", percent, held, total);
            corpus_destroy(corpus);
        }
}

/* Groups too long for the share, or a share of nearly all: still something on either side. */
static void few_groups_leave_something_on_either_side(void **state)
{
    (void)state;
    for (int groups = 1; groups <= 8; groups++)
        for (int percent = 10; percent <= 90; percent += 20)
            for (uint64_t seed = 1; seed <= 5; seed++) {
                Corpus *corpus = create();
                for (int g = 0; g < groups; g++) {
                    char name[32];
                    snprintf(name, sizeof name, "rain%d", g);
                    add(corpus, "rain", name, CORPUS_MONO, 400, g);
                }
                split(corpus, percent / 100.0, seed);
                const double total = 400.0 * groups;
                const double held = (double)corpus_frames(corpus, 0, 1) / total;
                if (!(held > 0.0 && held < 1.0 && held <= 1.5 * percent / 100.0 + 1e-9))
                    fail_msg("%d groups, %d %%: %g held out", groups, percent, held);
                draw(corpus, 0, 16, 0);
                draw(corpus, 1, 16, 0);
                corpus_destroy(corpus);
            }
}

static void visit_end(void *user, const char *class_name, const char *recording, int held_out)
{
    (void)class_name, (void)recording;
    *(int *)user = held_out;
}

/* One group: its last fifth is held out, in all takes. */
static void one_group_is_split_in_time(void **state)
{
    (void)state;
    Corpus *corpus = create();
    add(corpus, "boat", "boat-A", CORPUS_LEFT, 1000, 0);
    add(corpus, "boat", "boat-A", CORPUS_RIGHT, 1000, 1);
    add(corpus, "boat", "boat-A", CORPUS_MIDDLE, 1000, 2);
    add(corpus, "boat", "boat-B", CORPUS_MONO, 100, 3);
    split(corpus, 0.2, 1);
    /* Three frames at each border, which share samples, are in neither side. */
    assert_int_equal(corpus_frames(corpus, 0, 0), 880 - 6);
    assert_int_equal(corpus_frames(corpus, 0, 1), 220);
    const size_t used[] = {800, 800, 800, 80}, all[] = {1000, 1000, 1000, 100};
    size_t least[] = {9999, 9999, 9999, 9999}, most[] = {0, 0, 0, 0};
    for (uint64_t i = 0; i < 30000; i++)
        for (int side = 0; side < 2; side++) {
            /* Often longer than what there is: reading must turn back at the border. */
            const size_t frames = i % 10 ? 40 : 64;
            const Drawn d = draw(corpus, side, frames, i);
            for (size_t f = 0; f < frames; f++) {
                const size_t at = (size_t)d.values[f * BANDS];
                assert_true(side ? at >= used[d.take] && at < all[d.take] : at < used[d.take] - 3);
                if (!side && at < least[d.take])
                    least[d.take] = at;
                if (!side && at > most[d.take])
                    most[d.take] = at;
            }
        }
    /* All that may be used is. */
    for (size_t take = 0; take < 4; take++) {
        assert_int_equal(least[take], 0);
        assert_int_equal(most[take], used[take] - 4);
    }
    int held_out = -1;
    corpus_each(corpus, visit_end, &held_out);
    assert_int_equal(held_out, 2);
    corpus_destroy(corpus);
}

static void without_holdout_nothing_is_held_out(void **state)
{
    (void)state;
    Corpus *corpus = create();
    add(corpus, "boat", "boat", CORPUS_MONO, 1000, 0);
    split(corpus, 0.0, 1);
    CorpusPlace place;
    assert_int_equal(corpus_draw(corpus, 1, 32, 1, 2, 3, &place), -1);
    assert_int_equal(corpus_frames(corpus, 0, 1), 0);
    int held_out = -1;
    corpus_each(corpus, visit_end, &held_out);
    assert_int_equal(held_out, 0);
    corpus_destroy(corpus);
}

static void draws_are_pure(void **state)
{
    (void)state;
    Corpus *corpus = ten_pairs(0.2, 1), *again = ten_pairs(0.2, 1);
    CorpusPlace places[500];
    for (uint64_t i = 0; i < 500; i++)
        assert_int_equal(corpus_draw(corpus, 0, 32, 11, 22, i, &places[i]), 0);
    size_t other_seed = 0, other_stream = 0, other_index = 0;
    for (uint64_t i = 500; i-- > 0;) {
        CorpusPlace p;
        corpus_draw(again, 0, 32, 11, 22, i, &p);
        assert_true(p.take == places[i].take && p.start == places[i].start);
        corpus_draw(corpus, 0, 32, 12, 22, i, &p);
        other_seed += p.take == places[i].take && p.start == places[i].start;
        corpus_draw(corpus, 0, 32, 11, 23, i, &p);
        other_stream += p.take == places[i].take && p.start == places[i].start;
        corpus_draw(corpus, 0, 32, 11, 22, i + 1, &p);
        other_index += p.take == places[i].take && p.start == places[i].start;
        const CorpusPlace a = corpus_draw_same(corpus, places[i], 32, 3, 4, i);
        const CorpusPlace b = corpus_draw_same(again, places[i], 32, 3, 4, i);
        assert_true(a.take == places[i].take && a.start == b.start && a.start <= 100 - 32);
    }
    /* One of 16 takes, one of 69 places: by chance, half a draw in 500 is the same. */
    assert_true(other_seed < 6 && other_stream < 6 && other_index < 6);
    corpus_destroy(corpus);
    corpus_destroy(again);
}

static void check_share(const char *what, size_t count, size_t draws, double wanted)
{
    const double share = (double)count / (double)draws;
    if (!(fabs(share - wanted) < 5.0 * sqrt(wanted * (1.0 - wanted) / (double)draws)))
        fail_msg("%s: %g of all draws, not %g", what, share, wanted);
}

/* Three takes of a recording of two channels: a band whose middle is all of the energy, one whose
 * middle is half of it, one with a quarter. */
static void the_image_is_the_middles_share(void **state)
{
    (void)state;
    enum { FRAMES = 200 };
    static const CorpusChannel CHANNELS[] = {CORPUS_LEFT, CORPUS_RIGHT, CORPUS_MIDDLE};
    static const float SHARES[BANDS] = {1.0f, 0.5f, 0.25f};
    Corpus *corpus = create();
    Error err = {""};
    float values[FRAMES * BANDS], middle[3 * BANDS], read[BANDS];
    const size_t c = corpus_class(corpus, "rain", &err);
    for (size_t i = 0; i < 3; i++) {
        for (size_t f = 0; f < FRAMES; f++)
            for (size_t b = 0; b < BANDS; b++)
                values[f * BANDS + b] =
                    -4.0f + (CHANNELS[i] == CORPUS_MIDDLE ? logf(SHARES[b]) : 0.0f);
        assert_int_equal(corpus_add(corpus, c, "pond", CHANNELS[i], values, FRAMES, &err), 0);
    }
    add(corpus, "wind", "mono", CORPUS_MONO, 100, 1);
    add(corpus, "fire", "both", CORPUS_ALIKE, 100, 2);
    split(corpus, 0.0, 1);
    assert_int_equal(corpus_image(corpus, middle, &err), 0);
    for (size_t b = 0; b < BANDS; b++) {
        assert_true(fabsf(middle[b] - SHARES[b]) < 0.01f);
        /* A class of mono recordings takes over what the others have. */
        assert_true(fabsf(middle[BANDS + b] - 0.5f * (SHARES[b] + 1.0f)) < 0.01f);
        assert_true(middle[2 * BANDS + b] == 1.0f);
        /* The middle has been brought to the level of its channels. */
        corpus_read(corpus, (CorpusPlace){2, 50}, 1, read);
        assert_true(fabsf(read[b] + 4.0f) < 0.01f);
    }
    corpus_destroy(corpus);
}

static void weights_go_by_the_square_root(void **state)
{
    (void)state;
    enum { DRAWS = 40000 };
    Corpus *corpus = create();
    add(corpus, "long", "one", CORPUS_MONO, 900, 0);
    add(corpus, "long", "two", CORPUS_MONO, 400, 1);
    add(corpus, "long", "three", CORPUS_LEFT, 300, 2);
    add(corpus, "long", "three", CORPUS_RIGHT, 300, 3);
    add(corpus, "short", "four", CORPUS_MONO, 100, 4);
    split(corpus, 0.0, 1);
    size_t takes[5] = {0}, first_half = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const Drawn d = draw(corpus, 0, 1, i);
        assert_int_equal(corpus_place_class(corpus, d.place), d.take == 4);
        takes[d.take]++;
        first_half += d.take == 0 && d.first < 450;
    }
    const double of_long = 40.0 / (40.0 + 10.0); /* sqrt(1600), sqrt(100) */
    const double sum = 30.0 + 20.0 + 0.5 * sqrt(300.0);
    check_share("short", takes[4], DRAWS, 1.0 - of_long);
    check_share("one", takes[0], DRAWS, of_long * 30.0 / sum);
    check_share("two", takes[1], DRAWS, of_long * 20.0 / sum);
    check_share("three, left", takes[2], DRAWS, of_long * 0.25 * sqrt(300.0) / sum);
    check_share("three, right", takes[3], DRAWS, of_long * 0.25 * sqrt(300.0) / sum);
    check_share("first half", first_half, takes[0], 0.5);
    corpus_destroy(corpus);
}

static void short_takes_are_mirrored(void **state)
{
    (void)state;
    Corpus *corpus = create();
    add(corpus, "short", "short", CORPUS_MONO, 17, 3);
    split(corpus, 0.0, 1);
    float values[100 * BANDS];
    for (uint64_t i = 0; i < 20; i++) {
        CorpusPlace place;
        assert_int_equal(corpus_draw(corpus, 0, 100, 1, 1, i, &place), 0);
        assert_int_equal(place.start, 0);
    }
    for (size_t start = 0; start < 17; start++) {
        corpus_read(corpus, (CorpusPlace){0, start}, 100, values);
        size_t at = start;
        int forward = 1;
        for (size_t f = 0; f < 100; f++) {
            assert_int_equal((size_t)values[f * BANDS], at);
            if (at == 16)
                forward = 0;
            else if (at == 0)
                forward = 1;
            at += forward ? 1 : (size_t)-1;
        }
    }
    corpus_destroy(corpus);
}

/* Variants are drawn to train on, on their own side of the split, and for nothing else. */
static void variants_are_trained_on_alone(void **state)
{
    (void)state;
    Corpus *corpus = create();
    add(corpus, "rain", "long", CORPUS_MONO, 400, 0);
    add(corpus, "rain", "long", CORPUS_VARIANT, 420, 1);
    split(corpus, 0.25, 1);
    assert_int_equal(corpus_frames(corpus, 0, 0), 300 - 3);
    assert_int_equal(corpus_frames(corpus, 0, 1), 100);
    size_t drawn = 0;
    for (uint64_t i = 0; i < 200; i++) {
        CorpusPlace place;
        float frame[BANDS];
        assert_int_equal(corpus_draw(corpus, 0, 20, 1, 1, i, &place), 0);
        drawn += place.take == 1;
        corpus_read(corpus, (CorpusPlace){place.take, place.start + 19}, 1, frame);
        if (place.take == 1 && !(frame[0] < 0.75f * 420.0f - 3.0f))
            fail_msg("a variant's frame %g is held out", (double)frame[0]);
        const CorpusPlace beside = corpus_draw_beside(corpus, place, 20, 1, 4, i);
        assert_true(beside.start + 20 <= 315);
        assert_int_equal(corpus_draw(corpus, 1, 20, 1, 2, i, &place), 0);
        assert_int_equal(place.take, 0);
        assert_true(place.start >= 300);
        assert_int_equal(corpus_draw_beside(corpus, place, 20, 1, 4, i).take, 0);
        assert_true(corpus_draw_beside(corpus, place, 20, 1, 4, i).start >= 300);
        assert_int_equal(corpus_draw_class(corpus, 0, 20, 1, 3, i, &place), 0);
        assert_int_equal(place.take, 0);
    }
    /* By half of its weight: a third of all draws. */
    assert_true(drawn > 45 && drawn < 90);
    corpus_destroy(corpus);
}

/* A tenth of two seconds is too short to be tested on: a little more is held out. */
static void short_takes_have_something_to_test_on(void **state)
{
    (void)state;
    Corpus *corpus = create();
    add(corpus, "rain", "short", CORPUS_MONO, 169, 0);
    add(corpus, "wind", "shorter", CORPUS_MONO, 100, 0);
    split(corpus, 0.1, 1);
    assert_int_equal(corpus_frames(corpus, 0, 1), 32);
    CorpusPlace place = {0, 0};
    assert_int_equal(corpus_draw(corpus, 1, 16, 1, 1, 0, &place), 0);
    assert_int_equal(corpus_frames(corpus, 1, 1), 10);
    corpus_destroy(corpus);
}

static void too_short_takes_are_refused(void **state)
{
    (void)state;
    Corpus *corpus = create();
    add(corpus, "rain", "rain", CORPUS_MONO, CORPUS_LEAST_FRAMES, 0);
    const uint64_t before = corpus_fingerprint(corpus);
    for (size_t frames = 0; frames < CORPUS_LEAST_FRAMES; frames++) {
        Error err = {""};
        assert_int_equal(try_add(corpus, "rain", "drop", CORPUS_MONO, frames, 1, &err), -1);
        assert_non_null(strstr(err.message, "too short"));
    }
    assert_true(corpus_fingerprint(corpus) == before);
    split(corpus, 0.0, 1);
    assert_int_equal(corpus_frames(corpus, 0, 0), CORPUS_LEAST_FRAMES);
    corpus_destroy(corpus);
}

static void a_class_with_nothing_left_is_named(void **state)
{
    (void)state;
    Error err = {""};
    Corpus *corpus = create();
    add(corpus, "rain", "rain", CORPUS_MONO, 100, 0);
    assert_int_equal(corpus_class(corpus, "silence", NULL), 1);
    assert_int_equal(corpus_split(corpus, 0.1, 1, &err), -1);
    assert_non_null(strstr(err.message, "\"silence\""));
    corpus_destroy(corpus);

    /* 10 of 100 frames are too few to draw from. */
    corpus = create();
    add(corpus, "waves", "sea", CORPUS_MONO, 1000, 0);
    add(corpus, "rain", "rain", CORPUS_MONO, 100, 1);
    assert_int_equal(corpus_split(corpus, 0.9, 1, &err), -1);
    assert_non_null(strstr(err.message, "\"rain\""));
    corpus_destroy(corpus);
}

/* A class whose end is too short to test on must not keep the others from being tested. */
static void draws_avoid_classes_with_too_little(void **state)
{
    (void)state;
    Corpus *corpus = create();
    add(corpus, "waves", "sea", CORPUS_MONO, 2000, 0);
    add(corpus, "rain", "rain", CORPUS_MONO, 100, 1);
    split(corpus, 0.1, 1);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(draw(corpus, 1, 32, i).take, 0);
    corpus_destroy(corpus);
}

static void classes_are_found_by_name(void **state)
{
    (void)state;
    Corpus *corpus = create();
    char name[32];
    for (size_t c = 0; c < 70; c++) {
        snprintf(name, sizeof name, "class %zu", c);
        assert_int_equal(corpus_class(corpus, name, NULL), c);
    }
    assert_int_equal(corpus_classes(corpus), 70);
    assert_int_equal(corpus_class(corpus, "class 42", NULL), 42);
    assert_string_equal(corpus_class_name(corpus, 69), "class 69");
    assert_int_equal(corpus_classes(corpus), 70);
    corpus_destroy(corpus);
}

/* One corpus for each letter: 'a' is as it was, each other differs in one thing. */
static uint64_t fingerprint_of(char change)
{
    Corpus *corpus = create();
    add(corpus, "rain", "one", CORPUS_MONO, change == 'f' ? 41 : 40, change == 'v' ? 2 : 1);
    add(corpus, change == 'c' ? "waves" : "rain", change == 'g' ? "one-A" : "two", CORPUS_MONO, 40,
        7);
    if (change == 't')
        add(corpus, "rain", "three", CORPUS_MONO, 20, 1);
    if (change == 'h')
        split(corpus, 0.5, 1);
    const uint64_t fingerprint = corpus_fingerprint(corpus);
    corpus_destroy(corpus);
    return fingerprint;
}

static void fingerprints_change_with_content(void **state)
{
    (void)state;
    const char changes[] = "afvcgth";
    for (size_t i = 0; changes[i]; i++) {
        assert_true(fingerprint_of(changes[i]) == fingerprint_of(changes[i]));
        for (size_t j = 0; j < i; j++)
            if (fingerprint_of(changes[i]) == fingerprint_of(changes[j]))
                fail_msg("%c and %c have one fingerprint", changes[i], changes[j]);
    }
    /* The same values, cut elsewhere. */
    float values[80 * BANDS];
    for (size_t i = 0; i < 80 * BANDS; i++)
        values[i] = (float)i;
    Corpus *a = create(), *b = create();
    corpus_class(a, "rain", NULL);
    corpus_class(b, "rain", NULL);
    assert_int_equal(corpus_add(a, 0, "x", CORPUS_MONO, values, 30, NULL), 0);
    assert_int_equal(corpus_add(a, 0, "x", CORPUS_MONO, values + 30 * BANDS, 50, NULL), 0);
    assert_int_equal(corpus_add(b, 0, "x", CORPUS_MONO, values, 50, NULL), 0);
    assert_int_equal(corpus_add(b, 0, "x", CORPUS_MONO, values + 50 * BANDS, 30, NULL), 0);
    assert_true(corpus_fingerprint(a) != corpus_fingerprint(b));
    corpus_destroy(a);
    corpus_destroy(b);
}

/* Training frames become Gaussian; held-out ones, all louder, lie beyond what was fitted. */
/* A trained model's maps are used as they are; a class without takes does no harm. */
static void measuring_takes_the_maps_as_they_are(void **state)
{
    (void)state;
    Corpus *corpus = create();
    float values[100 * BANDS], knots[NORMALISER_KNOTS * BANDS * 2];
    for (size_t i = 0; i < 100 * BANDS; i++)
        values[i] = -3.0f + 0.5f * (float)(i % 13);
    /* Class 0 maps x to itself, class 1 to half of it. */
    for (size_t i = 0; i < 2 * BANDS; i++)
        for (size_t k = 0; k < NORMALISER_KNOTS; k++)
            knots[i * NORMALISER_KNOTS + k] =
                (i < BANDS ? 1.0f : 2.0f) * (-4.0f + 0.25f * (float)k);
    Normaliser *normaliser = normaliser_create(2, BANDS, NULL);
    assert_non_null(normaliser);
    assert_int_equal(normaliser_set_table(normaliser, knots, NULL), 0);
    corpus_class(corpus, "none", NULL);
    assert_int_equal(corpus_class(corpus, "rain", NULL), 1);
    assert_int_equal(corpus_add(corpus, 1, "rain", CORPUS_MONO, values, 100, NULL), 0);
    assert_int_equal(corpus_measure_by(corpus, normaliser, NULL), 0);
    float mapped[100 * BANDS];
    corpus_read(corpus, (CorpusPlace){0, 0}, 100, mapped);
    for (size_t i = 0; i < 100 * BANDS; i++)
        assert_true(fabsf(mapped[i] - 0.5f * values[i]) < 0.002f);
    for (uint64_t i = 0; i < 50; i++) {
        CorpusPlace place;
        assert_int_equal(corpus_draw(corpus, 0, 32, 1, 2, i, &place), 0);
        assert_int_equal(corpus_place_class(corpus, place), 1);
        assert_true(place.start + 32 <= 100);
    }
    CorpusPlace place;
    assert_int_equal(corpus_draw(corpus, 1, 32, 1, 2, 0, &place), -1);
    normaliser_destroy(normaliser);
    corpus_destroy(corpus);
}

static void normalising_fits_on_training_frames_alone(void **state)
{
    (void)state;
    Corpus *corpus = create();
    float values[1000 * BANDS];
    for (size_t f = 0; f < 1000; f++)
        for (size_t b = 0; b < BANDS; b++)
            values[f * BANDS + b] = f < 800 ? -8.0f + 0.005f * (float)((f * 331 + b) % 800) : 9.0f;
    corpus_class(corpus, "rain", NULL);
    assert_int_equal(corpus_add(corpus, 0, "rain", CORPUS_MONO, values, 1000, NULL), 0);
    split(corpus, 0.2, 1);
    Normaliser *normaliser = normaliser_create(1, BANDS, NULL);
    assert_non_null(normaliser);
    Error err = {""};
    assert_int_equal(corpus_normalise(corpus, normaliser, &err), 0);
    corpus_read(corpus, (CorpusPlace){0, 0}, 800, values);
    corpus_read(corpus, (CorpusPlace){0, 800}, 200, values + 800 * BANDS);
    for (size_t b = 0; b < BANDS; b++) {
        double mean = 0.0, square = 0.0;
        for (size_t f = 0; f < 800; f++) {
            mean += (double)values[f * BANDS + b] / 800.0;
            square += pow((double)values[f * BANDS + b], 2.0) / 800.0;
        }
        assert_true(fabs(mean) < 0.05);
        assert_true(fabs(square - 1.0) < 0.08);
        for (size_t f = 800; f < 1000; f++)
            assert_true(values[f * BANDS + b] == 4.0f);
    }
    normaliser_destroy(normaliser);
    corpus_destroy(corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_one_recording_stay_together),
        cmocka_unit_test(recordings_are_told_what_is_held_out),
        cmocka_unit_test(names_without_a_piece_are_groups_of_their_own),
        cmocka_unit_test(holdout_is_about_what_was_asked_for),
        cmocka_unit_test(few_groups_leave_something_on_either_side),
        cmocka_unit_test(one_group_is_split_in_time),
        cmocka_unit_test(without_holdout_nothing_is_held_out),
        cmocka_unit_test(draws_are_pure),
        cmocka_unit_test(the_image_is_the_middles_share),
        cmocka_unit_test(weights_go_by_the_square_root),
        cmocka_unit_test(short_takes_are_mirrored),
        cmocka_unit_test(variants_are_trained_on_alone),
        cmocka_unit_test(short_takes_have_something_to_test_on),
        cmocka_unit_test(too_short_takes_are_refused),
        cmocka_unit_test(a_class_with_nothing_left_is_named),
        cmocka_unit_test(draws_avoid_classes_with_too_little),
        cmocka_unit_test(classes_are_found_by_name),
        cmocka_unit_test(fingerprints_change_with_content),
        cmocka_unit_test(measuring_takes_the_maps_as_they_are),
        cmocka_unit_test(normalising_fits_on_training_frames_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
