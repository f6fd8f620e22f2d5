/* Products with packed weights, on every path that this processor has, against sums by definition.
 */
#include "dsp/random.h"
#include "models/panels_layer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* One layer at random, its input rows `stride` values apart. */
typedef struct Layer {
    size_t rows, in, out, stride;
    float *x, *w, *panels;
} Layer;

static float *values(uint64_t seed, size_t n)
{
    float *at = NULL;
    assert_int_equal(posix_memalign((void **)&at, 64, (n + 1) * sizeof *at), 0);
    random_gaussian(seed, 0, 0, at, n);
    return at;
}

static Layer layer_create(uint64_t seed)
{
    Layer l = {.rows = 1 + random_below(seed, 1, 0, PANELS_ROWS),
               .in = 1 + random_below(seed, 2, 0, 300),
               .out = 1 + random_below(seed, 3, 0, 100)};
    l.stride = l.in + random_below(seed, 4, 0, 40);
    l.x = values(seed + 1000, l.rows * l.stride);
    l.w = values(seed + 2000, l.out * l.in);
    l.panels = values(seed + 3000, panels_size(l.in, l.out));
    panels_pack(l.in, l.out, l.w, l.in, l.panels);
    return l;
}

static void layer_destroy(Layer *l)
{
    free(l->x), free(l->w), free(l->panels);
}

/* What one value of a tile is by definition: one sum in ascending order, fused. */
static float fused(const Layer *l, size_t row, size_t out)
{
    float sum = 0.0f;
    for (size_t i = 0; i < l->in; i++)
        sum = fmaf(l->x[row * l->stride + i], l->w[out * l->in + i], sum);
    return sum;
}

/* The same without rounding, and the sum of the terms' sizes, by which an error is judged. */
static double exact(const Layer *l, size_t row, size_t out, double *size)
{
    double sum = 0.0;
    *size = 0.0;
    for (size_t i = 0; i < l->in; i++) {
        const double term = (double)l->x[row * l->stride + i] * (double)l->w[out * l->in + i];
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

static void check_tile(const Layer *l, PanelsPath path, size_t panel)
{
    float tile[PANELS_ROWS * PANELS_WIDTH + 1];
    for (size_t i = 0; i <= PANELS_ROWS * PANELS_WIDTH; i++)
        tile[i] = 12345.0f;
    panels_tile(path)(l->rows, l->in, l->x, l->stride, l->panels + panel * l->in * PANELS_WIDTH,
                      tile);
    for (size_t i = 0; i < l->rows * PANELS_WIDTH; i++) {
        const size_t row = i / PANELS_WIDTH, out = panel * PANELS_WIDTH + i % PANELS_WIDTH;
        double size;
        if (out >= l->out) {
            assert_true(tile[i] == 0.0f);
        } else if (path == PANELS_BASELINE) {
            const double wanted = exact(l, row, out, &size);
            assert_true(fabs((double)tile[i] - wanted) <= (double)l->in * 0x1p-23 * size);
        } else {
            assert_true(tile[i] == fused(l, row, out));
        }
    }
    assert_true(tile[l->rows * PANELS_WIDTH] == 12345.0f);
}

static void a_tile_is_the_product_of_its_rows(void **state)
{
    (void)state;
    enum { SHAPES = 60 };
    for (uint64_t seed = 0; seed < SHAPES; seed++) {
        Layer l = layer_create(seed);
        for (int path = PANELS_BASELINE; path < PANELS_PATHS; path++)
            for (size_t p = 0; panels_has((PanelsPath)path) && p < panels_count(l.out); p++)
                check_tile(&l, (PanelsPath)path, p);
        layer_destroy(&l);
    }
}

static void rows_are_shared_out_evenly(void **state)
{
    (void)state;
    for (size_t rows = 1; rows < 200; rows++) {
        size_t tiles = 0, least = PANELS_ROWS, most = 0;
        for (size_t done = 0; done < rows; tiles++) {
            const size_t n = panels_tile_rows(rows, done);
            least = n < least ? n : least;
            most = n > most ? n : most;
            done += n;
            assert_true(done <= rows);
        }
        assert_int_equal(tiles, (rows + PANELS_ROWS - 1) / PANELS_ROWS);
        assert_true(most <= PANELS_ROWS && most - least <= 1);
    }
}

static void the_best_path_is_there(void **state)
{
    (void)state;
    assert_true(panels_has(PANELS_BASELINE) && panels_has(panels_best()));
    for (int path = PANELS_BASELINE; path < PANELS_PATHS; path++) {
        if (panels_has((PanelsPath)path)) {
            print_message("this processor has %s\n", panels_name((PanelsPath)path));
            assert_true((PanelsPath)path <= panels_best());
        }
    }
}

static void silu_is_what_it_is_by_definition(void **state)
{
    (void)state;
    enum { MOST = 100 };
    for (size_t n = 0; n <= MOST; n++) {
        float x[MOST + 1], y[MOST + 1];
        random_gaussian(5, n, 0, x, MOST + 1);
        for (size_t i = 0; i <= MOST; i++)
            y[i] = x[i] *= i % 7 ? 4.0f : 70.0f;
        panels_silu(n, y);
        for (size_t i = 0; i < n; i++) {
            const double wanted = (double)x[i] / (1.0 + exp(-(double)x[i]));
            assert_true(fabs((double)y[i] - wanted) <= 5e-7 * fabs(wanted) + 1e-30);
        }
        assert_true(y[n] == x[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tile_is_the_product_of_its_rows),
        cmocka_unit_test(rows_are_shared_out_evenly),
        cmocka_unit_test(silu_is_what_it_is_by_definition),
        cmocka_unit_test(the_best_path_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
