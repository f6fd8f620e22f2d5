#include "cli/score.h"

#include "cli/interrupt.h"
#include "cli/report.h"
#include "cli/sound_folder.h"
#include "models/texture_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Levels are half-log-SNR, ln(alpha / sigma), from nearly all noise to nearly none. */
enum { LEVELS = 10, WINDOWS = 8, BATCHES = 4 };
static const double LEVEL_FIRST = -5.0, LEVEL_STEP = 1.0;

/* The name of the folder that a file lies in. */
static int folder_name(const char *path, char *name, size_t room, Error *err)
{
    char *whole = realpath(path, NULL);
    char *slash = whole ? strrchr(whole, '/') : NULL;
    if (slash)
        *slash = '\0';
    const char *folder = slash ? strrchr(whole, '/') : NULL;
    snprintf(name, room, "%s", folder ? folder + 1 : "");
    free(whole);
    return folder ? 0 : error_set(err, "%s: cannot be found: check the path", path);
}

/* A corpus of the files, whose classes have the model's numbers. */
static int fill(const ScoreRequest *request, const TextureModel *model, Corpus *corpus, Error *err)
{
    const TextureConfig *config = texture_model_config(model);
    for (size_t c = 0; c < config->denoiser.classes; c++)
        if (corpus_class(corpus, config->classes[c], err) == SIZE_MAX)
            return -1;
    for (size_t i = 0; i < request->count; i++) {
        char name[256];
        const char *path = request->files[i];
        progress_update(request->progress, 0.2 * (double)i / (double)request->count, "reading %s",
                        path);
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was measured");
        if (request->class_name)
            snprintf(name, sizeof name, "%s", request->class_name);
        else if (folder_name(path, name, sizeof name, err))
            return -1;
        if (texture_model_class(model, name, err) < 0)
            return request->class_name ? -1
                                       : error_prefix(err, "%s: say what it is with --class", path);
        if (sound_file_read(path, name, config, texture_model_bands(model), corpus, err))
            return -1;
    }
    return corpus_measure_by(corpus, texture_model_maps(model), err);
}

/* losses (LEVELS,): the squared error of the network's output at each level, its bands weighed
 * as in training, the same windows
 * and noise at all. */
static int measure(const ScoreRequest *request, const TextureModel *model, const Corpus *corpus,
                   TextureBatch *batch, double *losses, Error *err)
{
    TextureLoss sums[LEVELS] = {{0.0, 0.0}};
    for (uint64_t b = 0; b < BATCHES; b++) {
        const TextureDraw draw = {.seed = 1, .step = b, .windows = WINDOWS, .of = WINDOWS};
        if (texture_batch_draw(batch, corpus, &draw))
            return error_set(err, "nothing in the files is long enough to measure");
        for (int l = 0; l < LEVELS; l++) {
            if (interrupt_requested())
                return error_set(err, "interrupted: nothing was measured");
            texture_batch_set_level(batch, LEVEL_FIRST + LEVEL_STEP * l);
            const TextureLoss loss =
                texture_batch_loss(batch, texture_model_values(model), 0.0, NULL);
            sums[l].sum += loss.sum;
            sums[l].values += loss.values;
            progress_update(request->progress,
                            0.2 + 0.8 * ((double)b * LEVELS + l) / (BATCHES * LEVELS), "level %g",
                            LEVEL_FIRST + LEVEL_STEP * l);
        }
    }
    for (int l = 0; l < LEVELS; l++)
        losses[l] = sums[l].sum / sums[l].values;
    return 0;
}

static void print(const ScoreRequest *request, const TextureModel *model, const double *losses)
{
    const char *prediction = prediction_name(texture_model_config(model)->prediction);
    double mean = 0.0;
    for (int l = 0; l < LEVELS; l++)
        mean += losses[l] / LEVELS;
    if (request->common.json) {
        printf("{\"prediction\": \"%s\", \"loss\": %.6g, \"levels\": [", prediction, mean);
        for (int l = 0; l < LEVELS; l++)
            printf("%s{\"half_log_snr\": %g, \"loss\": %.6g}", l ? ", " : "",
                   LEVEL_FIRST + LEVEL_STEP * l, losses[l]);
        printf("]}\n");
        return;
    }
    printf("half-log-SNR  squared error of %s, bands weighed as in training\n", prediction);
    for (int l = 0; l < LEVELS; l++)
        printf("%12g  %.4f\n", LEVEL_FIRST + LEVEL_STEP * l, losses[l]);
    printf("%12s  %.4f\n", "mean", mean);
}

int score_texture(const ScoreRequest *request, Error *err)
{
    double losses[LEVELS];
    TextureModel *model = texture_model_open(request->model, err);
    Corpus *corpus = model ? corpus_create(texture_model_config(model)->denoiser.bands, err) : NULL;
    TextureBatch *batch = corpus ? texture_batch_create(model, WINDOWS, false, err) : NULL;
    const int failed = !batch || fill(request, model, corpus, err) ||
                       measure(request, model, corpus, batch, losses, err);
    progress_end(request->progress);
    if (!failed)
        print(request, model, losses);
    texture_batch_destroy(batch);
    corpus_destroy(corpus);
    texture_model_destroy(model);
    return failed ? -1 : 0;
}
