#include "models/predictor_trainer.h"

#include "models/adam.h"
#include "models/safetensors.h"
#include "models/training_state.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND "brume.predictor.checkpoint"

enum { WARM_UP = 100, HELD_OUT_BATCHES = 6 };
static const double CLIP = 1.0, AVERAGE_DECAY = 0.998, LOSS_MEMORY = 0.99, LEAST_RATE = 0.05;
static const double BITS = 1.4426950408889634; /* a nat */

struct PredictorTrainer {
    const PredictorNet *net;
    const PredictorClip *clips, *held_out;
    size_t count, held_out_count;
    PredictorTrainerSettings settings;
    AdamSettings adam;
    PredictorProgress progress;
    TrainingState state;
    PredictorBatchMaker *batch;
    real *gradients;
};

PredictorTrainerSettings predictor_trainer_defaults(void)
{
    return (PredictorTrainerSettings){.seed = 1,
                                      .steps = 10000,
                                      .lanes = 16,
                                      .samples = 2048,
                                      .rate = 2e-3,
                                      .planned = 0.5,
                                      .errors = 0.6,
                                      .tolerance = 0.05};
}

/* Of 5e-4 and 2e-3, on one instrument (tests/bench/MELODY.md). A model that runs steadily
 * already needs no tolerance. */
PredictorTrainerSettings predictor_trainer_tuning(void)
{
    PredictorTrainerSettings settings = predictor_trainer_defaults();
    settings.rate = 5e-4;
    settings.tolerance = 0.0;
    return settings;
}

static int check_settings(const PredictorTrainerSettings *s, Error *err)
{
    if (s->lanes < 1 || s->lanes > 256)
        return error_set(err, "a batch of %zu windows: 1 to 256 are possible", s->lanes);
    if (s->samples < PREDICTOR_FRAME || s->samples > 65536 || s->samples % PREDICTOR_FRAME)
        return error_set(err, "windows of %zu samples: a multiple of %d up to 65536 is possible",
                         s->samples, PREDICTOR_FRAME);
    if (s->steps < 1)
        return error_set(err, "0 steps: give at least 1");
    return 0;
}

PredictorTrainer *predictor_trainer_create(const PredictorNet *net, const PredictorClip *clips,
                                           size_t count, const PredictorClip *held_out,
                                           size_t held_out_count,
                                           const PredictorTrainerSettings *settings, Error *err)
{
    if (check_settings(settings, err))
        return NULL;
    if (count < 1) {
        error_set(err, "nothing to train on: give at least one clip of a second or more");
        return NULL;
    }
    const Parameters *parameters = predictor_net_parameters(net);
    PredictorTrainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer) {
        error_set(err, "out of memory for training");
        return NULL;
    }
    trainer->net = net;
    trainer->clips = clips;
    trainer->count = count;
    trainer->held_out = held_out;
    trainer->held_out_count = held_out_count;
    trainer->settings = *settings;
    trainer->adam = adam_defaults();
    trainer->progress = (PredictorProgress){
        .bits = {NAN, NAN}, .held_out = {NAN, NAN}, .best = NAN, .seconds = 0.0};
    trainer->batch = predictor_batch_create(net, settings->lanes, settings->samples, err);
    trainer->gradients = calloc(parameters_size(parameters), sizeof(real));
    if (!trainer->batch || !trainer->gradients ||
        training_state_create(&trainer->state, parameters_size(parameters), err)) {
        if (trainer->batch && !trainer->gradients)
            error_set(err, "out of memory for training");
        predictor_trainer_destroy(trainer);
        return NULL;
    }
    parameters_start(parameters, settings->seed, trainer->state.values);
    predictor_trainer_start_from(trainer, trainer->state.values);
    return trainer;
}

void predictor_trainer_start_from(PredictorTrainer *trainer, const real *weights)
{
    training_state_start(&trainer->state, weights);
}

void predictor_trainer_destroy(PredictorTrainer *trainer)
{
    if (!trainer)
        return;
    training_state_destroy(&trainer->state);
    predictor_batch_destroy(trainer->batch);
    free(trainer->gradients);
    free(trainer);
}

void predictor_trainer_set_steps(PredictorTrainer *trainer, size_t steps)
{
    trainer->settings.steps = steps > 0 ? steps : 1;
}

/* A linear rise, then a straight fall. */
static double rate_at(const PredictorTrainer *trainer, size_t step)
{
    const double done = fmin(1.0, (double)step / (double)trainer->settings.steps);
    const double rise = fmin(1.0, (double)(step + 1) / WARM_UP);
    return trainer->settings.rate * rise * (1.0 - done * (1.0 - LEAST_RATE));
}

static double bits_of(const PredictorLoss *loss, int planned)
{
    return loss->samples[planned] > 0.0 ? BITS * loss->nats[planned] / loss->samples[planned] : NAN;
}

/* The gradients of the step to come, and its loss. */
static PredictorLoss take_gradients(PredictorTrainer *trainer)
{
    const PredictorDraw draw = {.seed = trainer->settings.seed,
                                .step = trainer->progress.step,
                                .planned = trainer->settings.planned,
                                .errors = trainer->settings.errors};
    memset(trainer->gradients, 0, trainer->state.size * sizeof(real));
    predictor_batch_draw(trainer->batch, trainer->clips, trainer->count, &draw);
    return predictor_batch_loss(trainer->batch, trainer->state.values, trainer->gradients);
}

void predictor_trainer_rehearse(PredictorTrainer *trainer)
{
    take_gradients(trainer);
}

int predictor_trainer_step(PredictorTrainer *trainer, Error *err)
{
    PredictorProgress *progress = &trainer->progress;
    TrainingState *state = &trainer->state;
    const size_t step = progress->step;
    const PredictorLoss loss = take_gradients(trainer);
    const double norm = gradients_clip(state->size, trainer->gradients, CLIP);
    if (!isfinite(loss.nats[0]) || !isfinite(loss.nats[1]) || !isfinite(norm))
        return error_set(err,
                         "the loss is no longer finite at step %zu: start again with a lower "
                         "learning rate, or from the last checkpoint",
                         step);
    adam_step(&trainer->adam, predictor_net_parameters(trainer->net), step + 1,
              rate_at(trainer, step), trainer->gradients, state->values, state->first,
              state->second);
    /* Early on the average must not remember the random start. */
    const double decay = fmin(AVERAGE_DECAY, (1.0 + (double)step) / (10.0 + (double)step));
    average_step(state->size, decay, state->values, state->average);
    for (int i = 0; i < 2; i++) {
        const double bits = bits_of(&loss, i);
        if (isfinite(bits))
            progress->bits[i] = isfinite(progress->bits[i])
                                    ? LOSS_MEMORY * progress->bits[i] + (1.0 - LOSS_MEMORY) * bits
                                    : bits;
    }
    progress->step++;
    return 0;
}

int predictor_trainer_evaluate(PredictorTrainer *trainer, Error *err)
{
    PredictorProgress *progress = &trainer->progress;
    PredictorLoss sum = {{0.0, 0.0}, {0.0, 0.0}};
    for (size_t b = 0; b < HELD_OUT_BATCHES && trainer->held_out_count; b++) {
        const PredictorDraw draw = {.seed = 0x4e1d, .step = b, .planned = 0.5, .errors = 0.0};
        predictor_batch_draw(trainer->batch, trainer->held_out, trainer->held_out_count, &draw);
        const PredictorLoss loss =
            predictor_batch_loss(trainer->batch, trainer->state.average, NULL);
        for (int i = 0; i < 2; i++) {
            sum.nats[i] += loss.nats[i];
            sum.samples[i] += loss.samples[i];
        }
    }
    double total = 0.0;
    for (int i = 0; i < 2; i++) {
        progress->held_out[i] = bits_of(&sum, i);
        total += sum.samples[i] > 0.0 ? progress->held_out[i] : 0.0;
    }
    if (!isfinite(total))
        return error_set(err, "the held-out loss is no longer finite at step %zu", progress->step);
    if (!trainer->held_out_count || !(total >= progress->best + trainer->settings.tolerance))
        memcpy(trainer->state.best, trainer->state.average, trainer->state.size * sizeof(real));
    if (!trainer->held_out_count || !(total >= progress->best)) {
        progress->best = total;
        progress->best_step = progress->step;
    }
    return 0;
}

PredictorProgress predictor_trainer_progress(const PredictorTrainer *trainer)
{
    return trainer->progress;
}

void predictor_trainer_add_seconds(PredictorTrainer *trainer, double seconds)
{
    trainer->progress.seconds += seconds;
}

const real *predictor_trainer_weights(const PredictorTrainer *trainer)
{
    return trainer->state.best;
}

/* A checkpoint's numbers. */
typedef struct Numbers {
    PredictorConfig config;
    PredictorTrainerSettings settings;
    PredictorProgress progress;
} Numbers;

int predictor_trainer_save(const PredictorTrainer *trainer, const char *path, Error *err)
{
    char text[TRAINING_NUMBERS_ROOM];
    const PredictorConfig *c = predictor_net_config(trainer->net);
    const PredictorTrainerSettings *s = &trainer->settings;
    const PredictorProgress *p = &trainer->progress;
    const int n = snprintf(text, sizeof text,
                           "structure=%d hidden=%zu wide=%zu narrow=%zu seed=%" PRIu64
                           " lanes=%zu samples=%zu step=%zu best_step=%zu bits=%a,%a "
                           "held_out=%a,%a best=%a seconds=%a rate=%a",
                           (int)c->structure, c->hidden, c->wide, c->narrow, s->seed, s->lanes,
                           s->samples, p->step, p->best_step, p->bits[0], p->bits[1],
                           p->held_out[0], p->held_out[1], p->best, p->seconds, s->rate);
    if (n < 0 || (size_t)n >= sizeof text)
        return error_set(err, "%s: a checkpoint's numbers have no room", path);
    return training_state_save(&trainer->state, KIND, text, path, err);
}

static int parse(const char *text, Numbers *n)
{
    int structure = 0;
    PredictorProgress *p = &n->progress;
    const int found = sscanf(
        text,
        "structure=%d hidden=%zu wide=%zu narrow=%zu seed=%" SCNu64
        " lanes=%zu samples=%zu step=%zu best_step=%zu bits=%la,%la held_out=%la,%la best=%la "
        "seconds=%la rate=%la",
        &structure, &n->config.hidden, &n->config.wide, &n->config.narrow, &n->settings.seed,
        &n->settings.lanes, &n->settings.samples, &p->step, &p->best_step, &p->bits[0], &p->bits[1],
        &p->held_out[0], &p->held_out[1], &p->best, &p->seconds, &n->settings.rate);
    /* Checkpoints from before there was a choice have no rate. */
    if (found == 15)
        n->settings.rate = predictor_trainer_defaults().rate;
    n->config.structure = structure ? PREDICTOR_CONVOLUTION : PREDICTOR_RECURRENT;
    return found >= 15 ? 0 : -1;
}

/* The numbers of a file, without its arrays. */
static int read_numbers(const char *path, Numbers *numbers, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    if (!file)
        return -1;
    const char *kind = safetensors_metadata(file, "kind");
    const char *text = safetensors_metadata(file, "state");
    const int failed = !kind || strcmp(kind, KIND) || !text || parse(text, numbers);
    safetensors_destroy(file);
    return failed ? error_set(err, "%s: it is not a checkpoint of a predictor", path) : 0;
}

int predictor_trainer_resume(PredictorTrainer *trainer, const char *path, Error *err)
{
    Numbers numbers;
    char text[TRAINING_NUMBERS_ROOM];
    TrainingState state;
    const PredictorConfig *mine = predictor_net_config(trainer->net);
    const PredictorTrainerSettings *settings = &trainer->settings;
    if (read_numbers(path, &numbers, err))
        return -1;
    const PredictorConfig *its = &numbers.config;
    if (its->structure != mine->structure || its->hidden != mine->hidden ||
        its->wide != mine->wide || its->narrow != mine->narrow)
        return error_set(err, "%s: it was made for another network", path);
    if (numbers.settings.seed != settings->seed)
        return error_set(err, "%s: it was made with seed %" PRIu64 ": give that", path,
                         numbers.settings.seed);
    if (numbers.settings.lanes != settings->lanes || numbers.settings.samples != settings->samples)
        return error_set(err, "%s: it was made with %zu windows of %zu samples: give those", path,
                         numbers.settings.lanes, numbers.settings.samples);
    if (numbers.settings.rate != settings->rate)
        return error_set(err, "%s: it was made with another --from: give that", path);
    if (training_state_load(&state, trainer->state.size, KIND, text, path, err))
        return -1;
    training_state_destroy(&trainer->state);
    trainer->state = state;
    trainer->progress = numbers.progress;
    return 0;
}

PredictorNet *predictor_trainer_open(const char *path, real **weights, Error *err)
{
    Numbers numbers;
    char text[TRAINING_NUMBERS_ROOM];
    TrainingState state;
    if (read_numbers(path, &numbers, err))
        return NULL;
    PredictorNet *net = predictor_net_create(&numbers.config, err);
    if (!net)
        return NULL;
    if (training_state_load(&state, parameters_size(predictor_net_parameters(net)), KIND, text,
                            path, err)) {
        predictor_net_destroy(net);
        return NULL;
    }
    *weights = state.best;
    state.best = NULL;
    training_state_destroy(&state);
    return net;
}
