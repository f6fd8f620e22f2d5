/* The gradients of attention, rotation, tables, softmax and of the whole note model against central
 * finite differences, in double precision; and that no note sees what comes after it. */
#include "models/attention.h"
#include "models/categories.h"
#include "models/note_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small generator of the test's own: values in [-1, 1). */
static double draw(unsigned long *state)
{
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return (double)(*state >> 11) / 4503599627370496.0 - 1.0;
}

static double *values(size_t n, unsigned long seed)
{
    double *v = malloc(n * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < n; i++)
        v[i] = draw(&seed);
    return v;
}

/* loss = sum(target * output), so that target is the gradient by the output. */
static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("%.12g, not %.12g", found, expected);
}

typedef double (*Loss)(void *user);

/* Compares `gradient` of `loss` by x (n,) with central differences at up to 40 places. */
static void check_gradient(const char *name, Loss loss, void *user, double *x, size_t n,
                           const double *gradient)
{
    const double step = 1e-5;
    const size_t stride = n > 40 ? n / 40 : 1;
    for (size_t i = 0; i < n; i += stride) {
        const double kept = x[i];
        x[i] = kept + step;
        const double above = loss(user);
        x[i] = kept - step;
        const double below = loss(user);
        x[i] = kept;
        const double numeric = (above - below) / (2.0 * step);
        if (fabs(numeric - gradient[i]) > 1e-6 * (1.0 + fabs(numeric)))
            fail_msg("%s[%zu]: %.10g by differences, %.10g by the layer", name, i, numeric,
                     gradient[i]);
    }
}

static const AttentionShape SHAPE = {.windows = 2, .frames = 7, .heads = 3, .size = 4, .reach = 4};
enum { ROWS = 14, CHANNELS = 12 };

typedef struct Attention {
    double *qkv, *target, *weights, *scratch, *y;
} Attention;

static double attention_loss(void *user)
{
    Attention *a = user;
    attention_forward(&SHAPE, a->qkv, a->weights, a->scratch, a->y);
    return dot(ROWS * CHANNELS, a->y, a->target);
}

static void attention_has_its_gradient(void **state)
{
    (void)state;
    Attention a = {values(ROWS * 3 * CHANNELS, 1), values(ROWS * CHANNELS, 2),
                   values(attention_weights(&SHAPE), 3), values(attention_scratch(&SHAPE), 4),
                   values(ROWS * CHANNELS, 5)};
    double dqkv[ROWS * 3 * CHANNELS];
    attention_loss(&a);
    attention_backward(&SHAPE, a.qkv, a.weights, a.target, a.scratch, dqkv);
    check_gradient("attention", attention_loss, &a, a.qkv, ROWS * 3 * CHANNELS, dqkv);
    free(a.qkv), free(a.target), free(a.weights), free(a.scratch), free(a.y);
}

/* The formula written out; large scores must not overflow. */
static void attention_follows_its_formula(void **state)
{
    (void)state;
    Attention a = {values(ROWS * 3 * CHANNELS, 6), NULL, values(attention_weights(&SHAPE), 7),
                   values(attention_scratch(&SHAPE), 8), values(ROWS * CHANNELS, 9)};
    for (int i = 0; i < ROWS * 3 * CHANNELS; i++)
        a.qkv[i] *= i / (3 * CHANNELS) == 9 ? 60.0 : 1.0;
    attention_forward(&SHAPE, a.qkv, a.weights, a.scratch, a.y);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t h = 0; h < 3; h++) {
            const size_t frame = row % 7, first = frame > 3 ? frame - 3 : 0;
            double e[7] = {0.0}, sum = 0.0, y[4] = {0.0}, most = -1e9;
            for (size_t j = first; j <= frame; j++) {
                const size_t other = row - frame + j;
                e[j] = dot(4, a.qkv + row * 36 + h * 4, a.qkv + other * 36 + 12 + h * 4) / 2.0;
                most = fmax(most, e[j]);
            }
            for (size_t j = first; j <= frame; j++)
                sum += e[j] = exp(e[j] - most);
            for (size_t j = first; j <= frame; j++)
                for (size_t i = 0; i < 4; i++)
                    y[i] += e[j] / sum * a.qkv[(row - frame + j) * 36 + 24 + h * 4 + i];
            for (size_t i = 0; i < 4; i++)
                near(a.y[row * 12 + h * 4 + i], y[i], 1e-9);
        }
    free(a.qkv), free(a.weights), free(a.scratch), free(a.y);
}

/* Turning is orthogonal, its gradient the way back, and products depend on differences only. */
static void rotation_keeps_differences(void **state)
{
    (void)state;
    enum { SIZE = 6, HEADS = 2, STRIDE = 15 };
    double *x = values(2 * STRIDE, 10), kept[2 * STRIDE], turns[4][2 * SIZE];
    memcpy(kept, x, sizeof kept);
    for (int set = 0; set < 4; set++)
        for (int row = 0; row < 2; row++)
            for (int p = 0; p < 3; p++) {
                const double at = (set < 2 ? 0.0 : 11.0) + (set % 2 ? 2.5 : 1.0) + 0.5 * row;
                turns[set][row * SIZE + p] = cos(at / (1.0 + p));
                turns[set][row * SIZE + 3 + p] = sin(at / (1.0 + p));
            }
    double products[2];
    for (int set = 0; set < 4; set += 2) {
        double q[2 * STRIDE], k[2 * STRIDE];
        memcpy(q, x, sizeof q);
        memcpy(k, x, sizeof k);
        rotate_pairs(2, HEADS, SIZE, STRIDE, turns[set], 0, q);
        rotate_pairs(2, HEADS, SIZE, STRIDE, turns[set + 1], 0, k);
        assert_true(fabs(q[0] - x[0]) > 1e-3);
        assert_true(q[HEADS * SIZE] == x[HEADS * SIZE]); /* beyond the heads: untouched */
        products[set / 2] = dot(HEADS * SIZE, q, k + STRIDE);
        rotate_pairs(2, HEADS, SIZE, STRIDE, turns[set], 1, q);
        for (int i = 0; i < 2 * STRIDE; i++)
            near(q[i], kept[i], 1e-12);
    }
    near(products[0], products[1], 1e-12);
    free(x);
}

enum { CLASSES = 5, WIDTH = 4, LOOKUPS = 6 };
static const int INDICES[LOOKUPS] = {4, 0, CATEGORY_NONE, 4, 2, 1};

static double softmax_sum(void *user)
{
    return softmax_loss(LOOKUPS, CLASSES, user, INDICES, 0, NULL);
}

static void softmax_has_its_gradient(void **state)
{
    (void)state;
    double *logits = values(LOOKUPS * CLASSES, 11), d[LOOKUPS * CLASSES];
    softmax_loss(LOOKUPS, CLASSES, logits, INDICES, 1, d);
    check_gradient("softmax", softmax_sum, logits, logits, LOOKUPS * CLASSES, d);
    /* Far beyond what exp can hold: exact to the last digit, and finite. */
    double large[CLASSES] = {1e6, -1e6, 1e6 - 1.0, 0.0, 0.0};
    const int target = 1, best = 0;
    near(softmax_loss(1, CLASSES, large, &target, 1, d), 2e6 + log(1 + exp(-1)), 1e-6);
    near(softmax_loss(1, CLASSES, large, &best, 1, large), log(1 + exp(-1)), 1e-9);
    near(large[0], -exp(-1) / (1 + exp(-1)), 1e-12);
    free(logits);
}

static void lookups_add_up(void **state)
{
    (void)state;
    double *table = values(CLASSES * WIDTH, 12), *y = values(LOOKUPS * WIDTH, 13);
    double kept[LOOKUPS * WIDTH], dtable[CLASSES * WIDTH] = {0};
    memcpy(kept, y, sizeof kept);
    lookup_add(LOOKUPS, WIDTH, INDICES, table, y);
    lookup_backward(LOOKUPS, WIDTH, INDICES, kept, dtable);
    for (int r = 0; r < LOOKUPS; r++)
        for (int i = 0; i < WIDTH; i++)
            near(y[r * WIDTH + i] - kept[r * WIDTH + i],
                 INDICES[r] < 0 ? 0.0 : table[INDICES[r] * WIDTH + i], 1e-12);
    for (int i = 0; i < WIDTH; i++) {
        near(dtable[4 * WIDTH + i], kept[i] + kept[3 * WIDTH + i], 1e-12);
        near(dtable[3 * WIDTH + i], 0.0, 0.0);
    }
    free(table), free(y);
}

enum { WINDOWS = 2, FRAMES = 9 };

typedef struct Net {
    NotePass *pass;
    double *weights;
    NoteToken tokens[WINDOWS * (FRAMES + 1)];
    NoteDropout dropout;
} Net;

static double net_loss(void *user)
{
    Net *net = user;
    const NoteLoss loss =
        note_model_loss(net->pass, net->weights, net->tokens, &net->dropout, NULL);
    return (loss.pitch + loss.end + loss.step + loss.length) / (double)loss.notes;
}

static void fill_net(Net *net, const Parameters *parameters)
{
    net->weights = values(parameters_size(parameters), 21);
    for (size_t i = 0; i < parameters_size(parameters); i++)
        net->weights[i] *= 0.4;
    unsigned long seed = 22;
    for (size_t i = 0; i < WINDOWS * (FRAMES + 1); i++)
        net->tokens[i] =
            (NoteToken){(uint8_t)(30 + 20 * draw(&seed)), (uint8_t)(18 + 18 * draw(&seed)),
                        (uint8_t)(4 + 4 * draw(&seed))};
    net->tokens[0].pitch = NOTE_START;
    net->tokens[FRAMES + 1].pitch = NOTE_OPEN;
    net->tokens[FRAMES + 1 + 7].pitch = NOTE_END; /* and two tokens that must not count */
}

static void note_model_has_its_gradient(void **state)
{
    (void)state;
    const NoteConfig config = {.width = 72, .heads = 2, .layers = 2, .hidden = 10, .reach = 5};
    Error err = {""};
    NoteModel *model = note_model_create(&config, &err);
    assert_non_null(model);
    const Parameters *parameters = note_model_parameters(model);
    Net net = {.pass = note_pass_create(model, WINDOWS, FRAMES, true, &err)};
    assert_non_null(net.pass);
    fill_net(&net, parameters);
    double *gradients = calloc(parameters_size(parameters), sizeof *gradients);
    assert_non_null(gradients);
    for (int round = 0; round < 2; round++) {
        net.dropout = (NoteDropout){0.25 * round, 3, 4};
        memset(gradients, 0, parameters_size(parameters) * sizeof *gradients);
        const NoteLoss loss =
            note_model_loss(net.pass, net.weights, net.tokens, &net.dropout, gradients);
        assert_int_equal(loss.notes, FRAMES + 6);
        assert_int_equal(loss.ends, 1);
        for (size_t i = 0; i < parameters_count(parameters); i++) {
            const ParameterInfo *info = parameters_info(parameters, i);
            check_gradient(info->name, net_loss, &net, net.weights + info->offset, info->size,
                           gradients + info->offset);
        }
    }
    note_pass_destroy(net.pass);
    note_model_destroy(model);
    free(net.weights), free(gradients);
}

/* A window's loss up to a note is the same whatever follows; after the end nothing counts. */
static void no_note_sees_the_future(void **state)
{
    (void)state;
    const NoteConfig config = {.width = 16, .heads = 2, .layers = 2, .hidden = 10, .reach = 6};
    NoteModel *model = note_model_create(&config, NULL);
    assert_non_null(model);
    Net net = {.pass = note_pass_create(model, WINDOWS, FRAMES, false, NULL)};
    assert_non_null(net.pass);
    fill_net(&net, note_model_parameters(model));
    const double before = net_loss(&net);
    net.tokens[FRAMES + 1 + 8] = (NoteToken){1, 2, 3};
    net.tokens[FRAMES + 1 + 9] = (NoteToken){60, 5, 0};
    assert_true(net_loss(&net) == before);
    Net cut = net;
    cut.tokens[5].pitch = cut.tokens[FRAMES + 1 + 5].pitch = NOTE_NONE;
    const double first = net_loss(&cut);
    for (size_t i = 6; i <= FRAMES; i++)
        cut.tokens[i] = cut.tokens[FRAMES + 1 + i] = (NoteToken){7, 7, 7};
    assert_true(net_loss(&cut) == first);
    note_pass_destroy(net.pass);
    note_model_destroy(model);
    free(net.weights);
}

static void note_model_refuses_bad_shapes(void **state)
{
    (void)state;
    const NoteConfig good = {.width = 16, .heads = 2, .layers = 1, .hidden = 8, .reach = 2};
    for (int i = 0; i < 5; i++) {
        NoteConfig bad = good;
        size_t *fields[] = {&bad.width, &bad.heads, &bad.layers, &bad.hidden, &bad.reach};
        *fields[i] = 0;
        Error err = {""};
        assert_null(note_model_create(&bad, &err));
        assert_non_null(strstr(err.message, "possible"));
        *fields[i] = 100000;
        assert_null(note_model_create(&bad, &err));
    }
    NoteConfig odd = good;
    odd.width = 18;
    assert_null(note_model_create(&odd, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_has_its_gradient),
        cmocka_unit_test(attention_follows_its_formula),
        cmocka_unit_test(rotation_keeps_differences),
        cmocka_unit_test(softmax_has_its_gradient),
        cmocka_unit_test(lookups_add_up),
        cmocka_unit_test(note_model_has_its_gradient),
        cmocka_unit_test(no_note_sees_the_future),
        cmocka_unit_test(note_model_refuses_bad_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
