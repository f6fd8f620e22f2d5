/* One training step in all its parts, written down for another program to repeat it. */
#include "tests/bench/bench.h"

#include "dsp/random.h"
#include "models/safetensors.h"
#include "models/texture_batch.h"
#include "models/texture_trainer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps before it: Adam's moments are not zero then. */
enum { STEPS = 3, CLASSES = 2, TAKES = 4, FRAMES = 1000 };

/* Noise whose log energies have another spread in each class. */
static Corpus *make_corpus(const TextureConfig *config)
{
    Error err = {""};
    const size_t size = FRAMES * config->denoiser.bands;
    Corpus *corpus = corpus_create(config->denoiser.bands, &err);
    float *frames = bench_values(size);
    bench_need(corpus != NULL, &err);
    for (size_t class_ = 0; class_ < CLASSES; class_++) {
        bench_need(corpus_class(corpus, config->classes[class_], &err) == class_, &err);
        for (unsigned take = 0; take < TAKES; take++) {
            char name[24];
            snprintf(name, sizeof name, "%zu-%u", class_, take);
            random_gaussian(3, 10 * class_ + take, 0, frames, size);
            for (size_t i = 0; i < size; i++)
                frames[i] = (float)(1 + class_) * frames[i] - 8.0f;
            bench_need(!corpus_add(corpus, class_, name, CORPUS_MONO, frames, FRAMES, &err), &err);
        }
    }
    free(frames);
    bench_need(!corpus_split(corpus, 0.1, 1, &err), &err);
    return corpus;
}

/* The network of `source`, with classes of its own. */
static TextureModel *make_model(const TextureModel *source)
{
    Error err = {""};
    TextureConfig config = *texture_model_config(source);
    config.denoiser.classes = CLASSES;
    for (size_t class_ = 0; class_ < CLASSES; class_++)
        snprintf(config.classes[class_], sizeof config.classes[0], "noise%zu", class_);
    TextureModel *model = texture_model_create(&config, &err);
    bench_need(model != NULL, &err);
    return model;
}

static void add(SafetensorsWriter *writer, const char *name, size_t rows, size_t columns,
                const float *values)
{
    Error err = {""};
    const size_t shape[] = {rows, columns};
    bench_need(!safetensors_writer_tensor(writer, name, 2, shape, values, false, &err), &err);
}

/* The batch, the loss and the gradients before they are clipped. */
static void write_batch(const TextureBatch *batch, const TextureModel *model, double loss,
                        const real *gradients, const char *path)
{
    Error err = {""};
    const DenoiserConfig *c = denoiser_config(texture_model_denoiser(model));
    const TextureBatchView view = texture_batch_view(batch);
    const DenoiserInput *in = &view.input;
    const size_t rows = in->windows * in->frames;
    const float loss_value = (float)loss;
    SafetensorsWriter *writer = safetensors_writer_create(&err);
    bench_need(writer != NULL, &err);
    add(writer, "x", rows, c->bands, in->x);
    add(writer, "known", rows, 1, in->known);
    add(writer, "half_log_snr", in->windows, 1, in->half_log_snr);
    add(writer, "mix", in->windows, c->classes, in->mix);
    add(writer, "memory", in->windows, c->bands, in->memory);
    add(writer, "past", in->windows, c->past, in->past);
    add(writer, "clean", rows, c->bands, view.clean);
    add(writer, "noise", rows, c->bands, view.noise);
    add(writer, "counts", in->windows, c->bands, view.counts);
    add(writer, "loss", 1, 1, &loss_value);
    add(writer, "gradients", 1, parameters_size(denoiser_parameters(texture_model_denoiser(model))),
        gradients);
    bench_need(!safetensors_writer_save(writer, path, &err), &err);
    safetensors_writer_destroy(writer);
}

/* The weights of a checkpoint, (size,), and the seed of what is drawn. */
static real *read_weights(const char *checkpoint, size_t size, uint64_t *seed)
{
    Error err = {""};
    Safetensors *file = safetensors_open(checkpoint, &err);
    bench_need(file != NULL, &err);
    const char *numbers = safetensors_metadata(file, "state");
    const char *draws = numbers ? strstr(numbers, " draws=") : NULL;
    bench_need(draws && sscanf(draws, " draws=%" SCNu64, seed) == 1, NULL);
    real *weights = bench_values(size);
    bench_need(!safetensors_read_float(file, "values", 1, &size, weights, &err), &err);
    safetensors_destroy(file);
    return weights;
}

/* What the next step after a checkpoint draws, and its gradients, as the trainer finds them. */
static void repeat_draw(const TextureModel *model, const Corpus *corpus, const char *checkpoint,
                        const char *path)
{
    Error err = {""};
    const TextureConfig *config = texture_model_config(model);
    const size_t size = parameters_size(denoiser_parameters(texture_model_denoiser(model)));
    const size_t windows = texture_trainer_defaults().batch;
    TextureDraw draw = {.step = STEPS, .windows = windows, .of = windows};
    real *weights = read_weights(checkpoint, size, &draw.seed);
    TextureBatch *batch = texture_batch_create(model, windows, true, &err);
    bench_need(batch && !texture_batch_draw(batch, corpus, &draw), &err);
    real *gradients = bench_values(size);
    const double values = (double)(windows * config->window * config->denoiser.bands);
    const TextureLoss loss = texture_batch_loss(batch, weights, 1.0 / values, gradients);
    write_batch(batch, model, loss.sum / loss.values, gradients, path);
    free(gradients);
    free(weights);
    texture_batch_destroy(batch);
}

void bench_step(const char *path, const char *folder)
{
    Error err = {""};
    char before[4096], after[4096], batch[4096], network[4096];
    snprintf(before, sizeof before, "%s/before.safetensors", folder);
    snprintf(after, sizeof after, "%s/after.safetensors", folder);
    snprintf(batch, sizeof batch, "%s/batch.safetensors", folder);
    snprintf(network, sizeof network, "%s/network.safetensors", folder);
    TextureModel *source = texture_model_open(path, &err);
    bench_need(source != NULL, &err);
    TextureModel *model = make_model(source);
    Corpus *corpus = make_corpus(texture_model_config(model));
    const TextureTrainerSettings settings = texture_trainer_defaults();
    TextureTrainer *trainer = texture_trainer_create(model, corpus, &settings, &err);
    bench_need(trainer && !texture_trainer_start_from(trainer, source, &err), &err);
    for (int step = 0; step < STEPS; step++)
        bench_need(!texture_trainer_step(trainer, &err), &err);
    bench_need(!texture_trainer_save(trainer, before, &err), &err);
    repeat_draw(model, corpus, before, batch);
    bench_need(!texture_trainer_step(trainer, &err) &&
                   !texture_trainer_save(trainer, after, &err) &&
                   !texture_model_save(model, NULL, 0, 0, network, &err),
               &err);
    texture_trainer_destroy(trainer);
    corpus_destroy(corpus);
    texture_model_destroy(model);
    texture_model_destroy(source);
}
