/* The normaliser: known distributions become Gaussian ones, and come back. */
#include "models/normaliser.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BANDS = 3, FRAMES = 20000, KNOTS = NORMALISER_KNOTS };

static double gaussian_share(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0));
}

static float knot(size_t k)
{
    return -4.0f + 0.25f * (float)k;
}

/* Frames of three bands: Gaussian about -5, exponential, uniform in -1..1; to be freed. */
static float *draw_frames(uint64_t seed)
{
    float *frames = malloc(FRAMES * BANDS * sizeof *frames);
    assert_non_null(frames);
    for (size_t i = 0; i < FRAMES; i++) {
        random_gaussian(seed, 1, i, &frames[i * BANDS], 1);
        frames[i * BANDS] = -5.0f + 2.0f * frames[i * BANDS];
        frames[i * BANDS + 1] = (float)-log(1.0 - random_uniform(seed, 2, i));
        frames[i * BANDS + 2] = (float)(2.0 * random_uniform(seed, 3, i) - 1.0);
    }
    return frames;
}

static Normaliser *create(size_t classes, size_t bands)
{
    Error err = {""};
    Normaliser *normaliser = normaliser_create(classes, bands, &err);
    assert_non_null(normaliser);
    return normaliser;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Moments of a standard Gaussian, and the Kolmogorov-Smirnov distance to one. */
static void check_gaussian(size_t band, const float *frames)
{
    double *x = malloc(FRAMES * sizeof *x), mean = 0.0, square = 0.0, cube = 0.0, distance = 0.0;
    assert_non_null(x);
    for (size_t i = 0; i < FRAMES; i++) {
        x[i] = (double)frames[i * BANDS + band];
        assert_true(x[i] >= -4.0 && x[i] <= 4.0);
        mean += x[i] / FRAMES;
        square += x[i] * x[i] / FRAMES;
        cube += x[i] * x[i] * x[i] / FRAMES;
    }
    qsort(x, FRAMES, sizeof *x, compare_doubles);
    for (size_t i = 0; i < FRAMES; i++)
        distance = fmax(distance, fabs(gaussian_share(x[i]) - ((double)i + 0.5) / FRAMES));
    free(x);
    /* Two draws of 20000 differ by 1.95 sqrt(2 / 20000) in one case of 1000. */
    if (!(fabs(mean) < 0.04 && fabs(square - 1.0) < 0.06 && fabs(cube) < 0.2 && distance < 0.0195))
        fail_msg("band %zu: mean %g, square %g, cube %g, distance %g", band, mean, square, cube,
                 distance);
}

static void known_distributions_become_gaussian(void **state)
{
    (void)state;
    Normaliser *normaliser = create(2, BANDS);
    float *fitted = draw_frames(1), *others = draw_frames(2);
    assert_int_equal(normaliser_fit(normaliser, 1, fitted, FRAMES, NULL), 0);
    normaliser_forward(normaliser, 1, fitted, FRAMES);
    normaliser_forward(normaliser, 1, others, FRAMES);
    for (size_t b = 0; b < BANDS; b++) {
        check_gaussian(b, fitted);
        check_gaussian(b, others);
    }
    free(fitted), free(others);
    normaliser_destroy(normaliser);
    normaliser_destroy(NULL);
}

static void knots_are_the_quantiles(void **state)
{
    (void)state;
    Normaliser *normaliser = create(1, BANDS);
    float *frames = draw_frames(3);
    assert_int_equal(normaliser_fit(normaliser, 0, frames, FRAMES, NULL), 0);
    const float *table = normaliser_table(normaliser);
    for (size_t k = 6; k <= KNOTS - 7; k++) { /* -2.5..2.5: beyond, few samples say where */
        const double share = gaussian_share((double)knot(k)), wide = 5.0 * sqrt(share / FRAMES);
        assert_true(fabs((double)table[k] - (-5.0 + 2.0 * (double)knot(k))) < 0.25);
        assert_true(fabs(1.0 - exp(-(double)table[KNOTS + k]) - share) < wide);
        assert_true(fabs(0.5 + 0.5 * (double)table[2 * KNOTS + k] - share) < wide);
    }
    for (size_t i = 0; i < BANDS; i++)
        for (size_t k = 1; k < KNOTS; k++)
            assert_true(table[i * KNOTS + k] > table[i * KNOTS + k - 1]);
    free(frames);
    normaliser_destroy(normaliser);
}

static void there_and_back_is_where_it_was(void **state)
{
    (void)state;
    Normaliser *normaliser = create(2, BANDS);
    float *frames = draw_frames(4), *changed = draw_frames(4);
    assert_int_equal(normaliser_fit(normaliser, 0, frames, 10, NULL), 0);
    assert_int_equal(normaliser_fit(normaliser, 1, frames, FRAMES, NULL), 0);
    normaliser_forward(normaliser, 1, changed, FRAMES);
    normaliser_backward(normaliser, (float[]){0.0f, 1.0f}, changed, FRAMES);
    const float *table = normaliser_table(normaliser) + BANDS * KNOTS;
    for (size_t i = 0; i < FRAMES * BANDS; i++) {
        const float *knots = table + i % BANDS * KNOTS;
        const float wanted = fminf(fmaxf(frames[i], knots[0]), knots[KNOTS - 1]);
        if (!(fabsf(changed[i] - wanted) < 2e-5f))
            fail_msg("%g came back as %g", (double)wanted, (double)changed[i]);
    }
    free(frames), free(changed);
    normaliser_destroy(normaliser);
}

static void unset_maps_are_the_identity(void **state)
{
    (void)state;
    Normaliser *normaliser = create(1, 1);
    for (int i = -50; i <= 50; i++) {
        const float x = 0.1f * (float)i, wanted = fminf(fmaxf(x, -4.0f), 4.0f);
        float there = x, back = x;
        normaliser_forward(normaliser, 0, &there, 1);
        normaliser_backward(normaliser, (float[]){1.0f}, &back, 1);
        assert_true(fabsf(there - wanted) < 1e-6f);
        assert_true(fabsf(back - wanted) < 1e-6f);
    }
    float odd[] = {NAN};
    normaliser_forward(normaliser, 0, odd, 1);
    assert_true(odd[0] == -4.0f);
    normaliser_destroy(normaliser);
}

/* The maps 2z + 1 and 5z - 3 mix to a line again. */
static void mixtures_interpolate_the_quantiles(void **state)
{
    (void)state;
    Normaliser *normaliser = create(3, 1);
    float table[3 * KNOTS];
    for (size_t k = 0; k < KNOTS; k++) {
        table[k] = 2.0f * knot(k) + 1.0f;
        table[KNOTS + k] = 5.0f * knot(k) - 3.0f;
        table[2 * KNOTS + k] = 90.0f + knot(k); /* to be heard if its weight 0 counted */
    }
    assert_int_equal(normaliser_set_table(normaliser, table, NULL), 0);
    assert_memory_equal(normaliser_table(normaliser), table, sizeof table);
    for (int share = 0; share <= 4; share++)
        for (int i = -450; i <= 450; i++) {
            const float mix[] = {0.25f * (float)share, 1.0f - 0.25f * (float)share, 0.0f};
            float x = 0.01f * (float)i;
            const double z = fmin(fmax((double)x, -4.0), 4.0);
            const double wanted =
                (double)mix[0] * (2.0 * z + 1.0) + (double)mix[1] * (5.0 * z - 3.0);
            normaliser_backward(normaliser, mix, &x, 1);
            assert_true(fabs((double)x - wanted) < 1e-5);
            normaliser_forward_mix(normaliser, mix, &x, 1);
            assert_true(fabs((double)x - z) < 1e-5);
        }
    normaliser_destroy(normaliser);
}

/* Silence is all at the floor, ln(1e-10); the second band is silent half of the time. */
static void silent_bands_survive(void **state)
{
    (void)state;
    enum { N = 1000 };
    const float silence = -23.02585f;
    Normaliser *normaliser = create(1, 2);
    float frames[2 * N], changed[2 * N];
    for (size_t i = 0; i < N; i++) {
        frames[2 * i] = silence;
        frames[2 * i + 1] = i % 2 ? silence : (float)i * 0.01f;
    }
    assert_int_equal(normaliser_fit(normaliser, 0, frames, N, NULL), 0);
    memcpy(changed, frames, sizeof frames);
    normaliser_forward(normaliser, 0, changed, N);
    for (size_t i = 0; i < 2 * N; i++)
        assert_true(isfinite(changed[i]) && fabsf(changed[i]) <= 4.0f);
    normaliser_backward(normaliser, (float[]){1.0f}, changed, N);
    for (size_t i = 0; i < 2 * N; i++)
        assert_true(fabsf(changed[i] - frames[i]) < 0.04f);
    /* Whatever is generated in the silent band is silent, and the table can be read again. */
    for (int i = -5; i <= 5; i++) {
        float made[] = {(float)i, 0.0f};
        normaliser_backward(normaliser, (float[]){1.0f}, made, 1);
        assert_true(fabsf(made[0] - silence) < 0.04f);
    }
    Normaliser *again = create(1, 2);
    assert_int_equal(normaliser_set_table(again, normaliser_table(normaliser), NULL), 0);
    normaliser_destroy(again);
    normaliser_destroy(normaliser);
}

static void one_frame_is_enough(void **state)
{
    (void)state;
    Normaliser *normaliser = create(1, 2);
    assert_int_equal(normaliser_fit(normaliser, 0, (float[]){-3.0f, 2.0f}, 1, NULL), 0);
    float made[] = {0.0f, 0.0f};
    normaliser_backward(normaliser, (float[]){1.0f}, made, 1);
    assert_true(fabsf(made[0] + 3.0f) < 0.04f && fabsf(made[1] - 2.0f) < 0.04f);
    normaliser_destroy(normaliser);
}

static void bad_tables_are_refused(void **state)
{
    (void)state;
    Normaliser *normaliser = create(2, 3);
    float table[2 * 3 * KNOTS], before[2 * 3 * KNOTS];
    memcpy(before, normaliser_table(normaliser), sizeof before);
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < KNOTS; k++)
            table[i * KNOTS + k] = 2.0f * knot(k);
    const float last = table[4 * KNOTS + 6];
    const float bad[] = {NAN, INFINITY, -INFINITY, last, last - 0.1f, -100.0f, 100.0f, 1e30f};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Error err = {""};
        table[4 * KNOTS + 7] = bad[i]; /* class 1, band 1 */
        assert_int_equal(normaliser_set_table(normaliser, table, &err), -1);
        assert_non_null(strstr(err.message, "class 1, band 1"));
        assert_memory_equal(normaliser_table(normaliser), before, sizeof before);
    }
    table[4 * KNOTS + 7] = 2.0f * knot(7);
    assert_int_equal(normaliser_set_table(normaliser, table, NULL), 0);
    normaliser_destroy(normaliser);
}

static void bad_sizes_are_refused(void **state)
{
    (void)state;
    const size_t sizes[][2] = {{0, 1}, {257, 1}, {1, 0}, {1, 4097}};
    for (size_t i = 0; i < 4; i++) {
        Error err = {""};
        assert_null(normaliser_create(sizes[i][0], sizes[i][1], &err));
        assert_non_null(strstr(err.message, "256 and 4096"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_distributions_become_gaussian),
        cmocka_unit_test(knots_are_the_quantiles),
        cmocka_unit_test(there_and_back_is_where_it_was),
        cmocka_unit_test(unset_maps_are_the_identity),
        cmocka_unit_test(mixtures_interpolate_the_quantiles),
        cmocka_unit_test(silent_bands_survive),
        cmocka_unit_test(one_frame_is_enough),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(bad_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
