#include "models/texture_start.h"

#include "models/texture_config.h"

#include <stdlib.h>
#include <string.h>

#define CLASS_TENSOR "class.table"

/* Windows that a row is tried on, and the seed of their draws: the same for every row. */
enum { TRIAL_WINDOWS = 8, TRIAL_SEED = 0x7a1 };

/* One network's tensors and where the classes are among them. */
typedef struct Side {
    const TextureConfig *config;
    const Parameters *parameters;
    size_t table; /* offset of the class table */
} Side;

static Side side_of(const TextureModel *model)
{
    Side side = {texture_model_config(model), denoiser_parameters(texture_model_denoiser(model)),
                 0};
    for (size_t i = 0; i < parameters_count(side.parameters); i++)
        if (!strcmp(parameters_info(side.parameters, i)->name, CLASS_TENSOR))
            side.table = parameters_info(side.parameters, i)->offset;
    return side;
}

/* Whether two configurations are the same but for their classes. */
static int check_same(const Side *source, const Side *target, Error *err)
{
    TextureConfig expected = *source->config;
    expected.denoiser.classes = target->config->denoiser.classes;
    memcpy(expected.classes, target->config->classes, sizeof expected.classes);
    char *one = texture_config_print(&expected, err);
    char *other = texture_config_print(target->config, err);
    const int failed = !one || !other;
    const int differ = !failed && strcmp(one, other);
    free(one);
    free(other);
    return differ ? error_set(err, "the model to start from has another network") : -failed;
}

/* All tensors but the class table; they have the same names, in the same order. */
static void copy_tensors(const Side *source, const Side *target, const real *from, real *to)
{
    for (size_t i = 0; i < parameters_count(source->parameters); i++) {
        const ParameterInfo *its = parameters_info(source->parameters, i);
        const ParameterInfo *info = parameters_info(target->parameters, i);
        if (info->offset != target->table)
            memcpy(to + info->offset, from + its->offset, info->size * sizeof *to);
    }
}

/* Row `r` of the source's table; the one after the last is the mean of all. */
static void read_row(const Side *source, const real *from, size_t r, real *row)
{
    const size_t classes = source->config->denoiser.classes;
    const size_t width = source->config->denoiser.condition;
    const real *table = from + source->table;
    if (r < classes) {
        memcpy(row, table + r * width, width * sizeof *row);
        return;
    }
    memset(row, 0, width * sizeof *row);
    for (size_t i = 0; i < classes * width; i++)
        row[i % width] += table[i] / (real)classes;
}

static size_t find_class(const TextureConfig *config, const char *name)
{
    size_t c = 0;
    while (c < config->denoiser.classes && strcmp(config->classes[c], name))
        c++;
    return c;
}

/* The row with which class c of the target is predicted best, the batch holding windows of it. */
static size_t best_row(const Side *source, const Side *target, const real *from, size_t c,
                       TextureBatch *batch, real *weights)
{
    const size_t width = source->config->denoiser.condition;
    size_t best = 0;
    double least = 0.0;
    for (size_t r = 0; r <= source->config->denoiser.classes; r++) {
        read_row(source, from, r, weights + target->table + c * width);
        const double loss = texture_batch_loss(batch, weights, 0.0, NULL).sum;
        if (r == 0 || loss < least) {
            best = r;
            least = loss;
        }
    }
    return best;
}

int texture_start(const TextureModel *source, const TextureModel *target, const Corpus *corpus,
                  TextureBatch *batch, real *weights, Error *err)
{
    const Side from = side_of(source), to = side_of(target);
    const real *values = texture_model_values(source);
    const size_t width = from.config->denoiser.condition;
    if (check_same(&from, &to, err))
        return -1;
    copy_tensors(&from, &to, values, weights);
    for (size_t c = 0; c < to.config->denoiser.classes; c++) {
        size_t row = find_class(from.config, to.config->classes[c]);
        const TextureDraw draw = {
            .seed = TRIAL_SEED, .windows = TRIAL_WINDOWS, .of = TRIAL_WINDOWS, .only = c + 1};
        if (row == from.config->denoiser.classes) {
            if (texture_batch_draw(batch, corpus, &draw))
                return error_set(err, "class \"%s\" has nothing to train on",
                                 to.config->classes[c]);
            row = best_row(&from, &to, values, c, batch, weights);
        }
        read_row(&from, values, row, weights + to.table + c * width);
    }
    return 0;
}
