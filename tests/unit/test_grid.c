/* Patches and convolutions over them, against what they are by definition. */
#include "models/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void every_band_lies_in_two_patches(void **state)
{
    (void)state;
    const struct {
        size_t bands, stride;
    } shapes[] = {{12, 4}, {13, 4}, {15, 4}, {3, 8}, {396, 12}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        enum { ROWS = 2 };
        const size_t bands = shapes[i].bands, stride = shapes[i].stride;
        const size_t size = ROWS * grid_positions(bands, stride) * 2 * stride;
        real *x = calloc(ROWS * bands, sizeof *x), *back = calloc(ROWS * bands, sizeof *back);
        real *patches = malloc(size * sizeof *patches);
        assert_true(x && back && patches);
        for (size_t b = 0; b < ROWS * bands; b++)
            x[b] = (real)(b + 1);
        grid_cut(ROWS, bands, stride, x, patches);
        grid_paste(ROWS, bands, stride, patches, back);
        for (size_t b = 0; b < ROWS * bands; b++)
            assert_true(back[b] == 2 * x[b]);
        /* The second patch begins at band 0, half a patch after the first. */
        assert_true(patches[stride] == x[0] && patches[2 * stride] == x[0] && patches[0] == 0);
        free(x), free(back), free(patches);
    }
}

enum { WINDOWS = 2, FRAMES = 11, POSITIONS = 5, CHANNELS = 4, PLACES = FRAMES * POSITIONS };

/* One output value, tap by tap. */
static double by_definition(const real *x, const real *w, size_t dilation, size_t window, long t,
                            long p, size_t out)
{
    double sum = 0.0;
    for (long dt = -1; dt <= 1; dt++)
        for (long dp = -1; dp <= 1; dp++)
            for (long c = 0; c < CHANNELS; c++) {
                const long frame = t + dt * (long)dilation, place = p + dp;
                if (frame < 0 || frame >= FRAMES || place < 0 || place >= POSITIONS)
                    continue;
                const long tap = (dt + 1) * 3 + dp + 1;
                sum +=
                    (double)w[out * 9 * CHANNELS + (size_t)(tap * CHANNELS + c)] *
                    (double)x[(window * PLACES + (size_t)(frame * POSITIONS + place)) * CHANNELS +
                              (size_t)c];
            }
    return sum;
}

static void a_convolution_is_the_sum_of_its_taps(void **state)
{
    (void)state;
    static real x[WINDOWS * PLACES * CHANNELS], y[WINDOWS * PLACES * CHANNELS];
    static real w[CHANNELS * 9 * CHANNELS];
    const real bias[CHANNELS] = {1, 2, 3, 4};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (real)((i * 37 + 11) % 23) - 11;
    for (size_t i = 0; i < sizeof w / sizeof *w; i++)
        w[i] = (real)((i * 29 + 5) % 17) - 8;
    real *scratch = malloc(grid_scratch(POSITIONS, CHANNELS) * sizeof *scratch);
    assert_non_null(scratch);
    for (size_t dilation = 1; dilation <= 8; dilation *= 2) {
        const GridShape shape = {WINDOWS, FRAMES, POSITIONS, CHANNELS, dilation};
        grid_convolve(shape, x, w, bias, scratch, y);
        for (size_t i = 0; i < sizeof y / sizeof *y; i++) {
            const size_t place = i / CHANNELS % PLACES;
            const double wanted =
                by_definition(x, w, dilation, i / CHANNELS / PLACES, (long)(place / POSITIONS),
                              (long)(place % POSITIONS), i % CHANNELS) +
                (double)bias[i % CHANNELS];
            assert_true(fabs((double)y[i] - wanted) < 1e-3);
        }
    }
    free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_band_lies_in_two_patches),
        cmocka_unit_test(a_convolution_is_the_sum_of_its_taps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
