#include "models/texture_trainer.h"

#include "models/adam.h"
#include "models/texture_batch.h"
#include "models/texture_checkpoint.h"
#include "models/texture_config.h"
#include "models/texture_start.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    WARM_UP = 200,
    HELD_OUT_WINDOWS = 48,
    HELD_OUT_AT_ONCE = 8,
    LEAST_INTERVAL = 25,
    MOST_INTERVAL = 250,
    STREAM_MEMORIES = 0x2000
};
static const double CLIP = 1.0, AVERAGE_DECAY = 0.999, LOSS_MEMORY = 0.99, PATIENCE = 0.25;

/* One thread's share of a step. */
typedef struct Worker {
    TextureTrainer *trainer;
    TextureBatch *batch;
    real *gradients;
    TextureDraw draw;
    TextureLoss loss;
    int failed;
} Worker;

struct TextureTrainer {
    TextureModel *model;
    Corpus *corpus;
    TextureTrainerSettings settings;
    AdamSettings adam;
    size_t size;
    TextureCheckpoint state;
    pthread_mutex_t whole; /* held while the state changes, and while it is saved */
    Worker *workers;
    TextureBatch *held_out;
};

TextureTrainerSettings texture_trainer_defaults(void)
{
    return (TextureTrainerSettings){
        .seed = 1, .steps = 10000, .batch = 8, .threads = 1, .rate = 1e-3};
}

static int create_workers(TextureTrainer *trainer, Error *err)
{
    const unsigned threads = trainer->settings.threads;
    const size_t batch = trainer->settings.batch;
    trainer->workers = calloc(threads, sizeof *trainer->workers);
    if (!trainer->workers)
        return error_set(err, "out of memory for training");
    for (unsigned i = 0; i < threads; i++) {
        Worker *worker = &trainer->workers[i];
        worker->trainer = trainer;
        const TeamShare share = team_share_of(trainer->settings.team, batch, i, threads);
        worker->draw.first = share.first;
        worker->draw.windows = share.count;
        worker->draw.of = batch;
        worker->batch = texture_batch_create(trainer->model, worker->draw.windows, true, err);
        worker->gradients = calloc(trainer->size, sizeof(real));
        if (!worker->batch || !worker->gradients)
            return error_set(err, "out of memory for training");
    }
    trainer->held_out = texture_batch_create(trainer->model, HELD_OUT_AT_ONCE, false, err);
    return trainer->held_out ? 0 : -1;
}

static int check_settings(const TextureTrainerSettings *settings, Error *err)
{
    if (settings->batch < 1 || settings->batch > 256)
        return error_set(err, "a batch of %zu windows: 1 to 256 are possible", settings->batch);
    if (settings->threads < 1 || settings->threads > 64 || settings->threads > settings->batch)
        return error_set(err, "%u threads: 1 to %zu are possible with a batch of %zu windows",
                         settings->threads, settings->batch < 64 ? settings->batch : 64,
                         settings->batch);
    const size_t shares = settings->threads * team_size(settings->team);
    if (shares > settings->batch)
        return error_set(
            err,
            "%zu processes with --threads %u cannot share a batch of %zu windows: start "
            "fewer, or give --batch %zu or more",
            team_size(settings->team), settings->threads, settings->batch, shares);
    if (settings->steps < 1)
        return error_set(err, "0 steps: give at least 1");
    return 0;
}

/* FNV-1a. */
static uint64_t fingerprint(const void *bytes, size_t n)
{
    uint64_t print = 14695981039346656037u;
    for (const unsigned char *at = bytes; n--; at++)
        print = (print ^ *at) * 1099511628211u;
    return print;
}

/* Of the configuration's text. */
static int identify_network(const TextureConfig *config, uint64_t *network, Error *err)
{
    char *text = texture_config_print(config, err);
    if (!text)
        return -1;
    *network = fingerprint(text, strlen(text));
    free(text);
    return 0;
}

/* Mean frames of stretches of each class, drawn as training draws them. */
static int fill_memories(TextureModel *model, const Corpus *corpus, Error *err)
{
    const TextureConfig *config = texture_model_config(model);
    const size_t bands = config->denoiser.bands;
    float *scratch = malloc(bands * sizeof *scratch);
    if (!scratch)
        return error_set(err, "out of memory for training");
    int failed = 0;
    for (size_t i = 0; i < config->denoiser.classes * TEXTURE_MEMORIES && !failed; i++) {
        CorpusPlace place;
        failed = corpus_draw_class(corpus, i / TEXTURE_MEMORIES, config->window, 1, STREAM_MEMORIES,
                                   i % TEXTURE_MEMORIES, &place);
        if (!failed)
            corpus_mean(corpus, place, config->window, scratch,
                        texture_model_memories(model) + i * bands);
    }
    free(scratch);
    return failed ? error_set(err, "a class has nothing long enough to train on") : 0;
}

TextureTrainer *texture_trainer_create(TextureModel *model, Corpus *corpus,
                                       const TextureTrainerSettings *settings, Error *err)
{
    uint64_t network;
    if (corpus_classes(corpus) != texture_model_config(model)->denoiser.classes ||
        corpus_bands(corpus) != texture_model_config(model)->denoiser.bands) {
        error_set(err, "the corpus has %zu classes of %zu bands, the model others",
                  corpus_classes(corpus), corpus_bands(corpus));
        return NULL;
    }
    if (check_settings(settings, err) ||
        identify_network(texture_model_config(model), &network, err))
        return NULL;
    if (corpus_image(corpus, texture_model_image(model), err) ||
        corpus_normalise(corpus, texture_model_normaliser(model), err) ||
        fill_memories(model, corpus, err))
        return NULL;
    TextureTrainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer) {
        error_set(err, "out of memory for training");
        return NULL;
    }
    const Parameters *parameters = denoiser_parameters(texture_model_denoiser(model));
    pthread_mutex_init(&trainer->whole, NULL);
    trainer->model = model;
    trainer->corpus = corpus;
    trainer->settings = *settings;
    trainer->adam = adam_defaults();
    trainer->size = parameters_size(parameters);
    if (texture_checkpoint_create(&trainer->state, trainer->size, err) ||
        create_workers(trainer, err)) {
        texture_trainer_destroy(trainer);
        return NULL;
    }
    TextureCheckpoint *state = &trainer->state;
    state->identity = (TextureIdentity){.seed = settings->seed,
                                        .draws = settings->seed,
                                        .fingerprint = corpus_fingerprint(corpus),
                                        .network = network,
                                        .batch = settings->batch,
                                        .steps = settings->steps};
    parameters_start(parameters, settings->seed, state->values);
    memcpy(state->average, state->values, trainer->size * sizeof(real));
    memcpy(state->best, state->values, trainer->size * sizeof(real));
    return trainer;
}

void texture_trainer_destroy(TextureTrainer *trainer)
{
    if (!trainer)
        return;
    for (unsigned i = 0; trainer->workers && i < trainer->settings.threads; i++) {
        texture_batch_destroy(trainer->workers[i].batch);
        free(trainer->workers[i].gradients);
    }
    free(trainer->workers);
    texture_batch_destroy(trainer->held_out);
    texture_checkpoint_destroy(&trainer->state);
    pthread_mutex_destroy(&trainer->whole);
    free(trainer);
}

void texture_trainer_set_steps(TextureTrainer *trainer, size_t steps)
{
    trainer->state.identity.steps = steps;
}

int texture_trainer_start_from(TextureTrainer *trainer, const TextureModel *source, Error *err)
{
    TextureCheckpoint *state = &trainer->state;
    const size_t bytes = trainer->size * sizeof(real);
    if (texture_start(source, trainer->model, trainer->corpus, trainer->held_out, state->values,
                      err))
        return -1;
    memcpy(state->average, state->values, bytes);
    memcpy(state->best, state->values, bytes);
    /* Not the windows and the noise that these may have been trained with already. */
    state->identity.draws = fingerprint(state->values, bytes) ^ trainer->settings.seed;
    return 0;
}

/* Linear warm-up, then half a cosine down to nothing at the last step. */
static double rate_at(const TextureTrainer *trainer, size_t step)
{
    const double steps = (double)trainer->state.identity.steps;
    const double done = fmin(1.0, (double)step / steps);
    const double warm = fmin(1.0, (double)(step + 1) / fmin(WARM_UP, 1.0 + 0.1 * steps));
    return trainer->settings.rate * warm * 0.5 * (1.0 + cos(acos(-1.0) * done));
}

static void *work(void *user)
{
    Worker *worker = user;
    TextureTrainer *trainer = worker->trainer;
    const TextureConfig *config = texture_model_config(trainer->model);
    const double values =
        (double)(trainer->settings.batch * config->window * config->denoiser.bands);
    memset(worker->gradients, 0, trainer->size * sizeof(real));
    worker->draw.seed = trainer->state.identity.draws;
    worker->draw.step = trainer->state.progress.step;
    worker->failed = texture_batch_draw(worker->batch, trainer->corpus, &worker->draw);
    if (!worker->failed)
        worker->loss = texture_batch_loss(worker->batch, trainer->state.values, 1.0 / values,
                                          worker->gradients);
    return NULL;
}

/* Runs all workers; the calling thread is the first of them. */
static int work_together(TextureTrainer *trainer, Error *err)
{
    const unsigned threads = trainer->settings.threads;
    pthread_t handles[64];
    unsigned started = 1;
    while (started < threads &&
           !pthread_create(&handles[started], NULL, work, &trainer->workers[started]))
        started++;
    work(&trainer->workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(handles[i], NULL);
    return started == threads ? 0 : error_set(err, "cannot start %u threads", threads);
}

/* The workers' gradients and losses, summed in order into the first one's. */
static int sum_workers(TextureTrainer *trainer, TextureLoss *loss)
{
    *loss = (TextureLoss){0.0, 0.0};
    for (unsigned i = 0; i < trainer->settings.threads; i++) {
        const Worker *worker = &trainer->workers[i];
        if (worker->failed)
            return -1;
        loss->sum += worker->loss.sum;
        loss->values += worker->loss.values;
        for (size_t j = 0; i && j < trainer->size; j++)
            trainer->workers[0].gradients[j] += worker->gradients[j];
    }
    return 0;
}

/* The whole batch's gradients, in the first worker's, and loss: of all threads of all processes. */
static int gather(TextureTrainer *trainer, TextureLoss *loss, Error *err)
{
    const Team *team = trainer->settings.team;
    int failed = work_together(trainer, err);
    if (!failed && sum_workers(trainer, loss))
        failed = error_set(err, "nothing to train on");
    if (team_agree(team, failed, err))
        return -1;
    double numbers[2] = {loss->sum, loss->values};
    if (team_total(team, numbers, 2, err) ||
        team_sum(team, trainer->workers[0].gradients, trainer->size, err))
        return -1;
    *loss = (TextureLoss){numbers[0], numbers[1]};
    return 0;
}

int texture_trainer_rehearse(TextureTrainer *trainer, Error *err)
{
    TextureLoss loss;
    return gather(trainer, &loss, err);
}

/* What a step changes, by the whole batch's gradients. */
static void update(TextureTrainer *trainer, double loss)
{
    TextureCheckpoint *state = &trainer->state;
    TextureProgress *progress = &state->progress;
    const Parameters *parameters = denoiser_parameters(texture_model_denoiser(trainer->model));
    const size_t step = progress->step;
    adam_step(&trainer->adam, parameters, step + 1, rate_at(trainer, step),
              trainer->workers[0].gradients, state->values, state->first, state->second);
    /* Early on the average must not remember the random start. */
    const double decay = fmin(AVERAGE_DECAY, (1.0 + (double)step) / (10.0 + (double)step));
    average_step(trainer->size, decay, state->values, state->average);
    progress->loss = step ? LOSS_MEMORY * progress->loss + (1.0 - LOSS_MEMORY) * loss : loss;
    progress->step++;
}

int texture_trainer_step(TextureTrainer *trainer, Error *err)
{
    TextureLoss sum;
    if (gather(trainer, &sum, err))
        return -1;
    const double loss = sum.sum / fmax(1.0, sum.values);
    const double norm = gradients_clip(trainer->size, trainer->workers[0].gradients, CLIP);
    if (!isfinite(loss) || !isfinite(norm))
        return error_set(err,
                         "the loss is no longer finite at step %zu: start again with a lower "
                         "learning rate, or from the last checkpoint",
                         trainer->state.progress.step);
    pthread_mutex_lock(&trainer->whole);
    update(trainer, loss);
    pthread_mutex_unlock(&trainer->whole);
    return 0;
}

/* This process's part of the windows held out. */
static TextureLoss test(TextureTrainer *trainer)
{
    const size_t room = HELD_OUT_AT_ONCE;
    TeamShare part = team_share_of(trainer->settings.team, HELD_OUT_WINDOWS, 0, 1);
    TextureLoss sum = {0.0, 0.0};
    while (part.count) {
        const size_t windows = part.count < room ? part.count : room;
        const TextureDraw draw = {.seed = 1,
                                  .held_out = 1,
                                  .first = part.first,
                                  .windows = windows,
                                  .of = HELD_OUT_WINDOWS};
        if (texture_batch_draw(trainer->held_out, trainer->corpus, &draw))
            break;
        const TextureLoss loss =
            texture_batch_loss(trainer->held_out, trainer->state.average, 0.0, NULL);
        sum.sum += loss.sum;
        sum.values += loss.values;
        part.first += windows;
        part.count -= windows;
    }
    return sum;
}

/* Whether `mine` is what the first process has: -1 on all, with a message, if not on one. */
static int check_alike(const TextureTrainer *trainer, uint64_t mine, const char *message,
                       Error *err)
{
    const Team *team = trainer->settings.team;
    uint64_t first = mine;
    if (team_share(team, 0, &first, sizeof first, err))
        return -1;
    return team_agree(team, first == mine ? 0 : error_set(err, "%s", message), err);
}

static int check_weights(const TextureTrainer *trainer, Error *err)
{
    const TextureCheckpoint *state = &trainer->state;
    const size_t bytes = trainer->size * sizeof(real);
    if (team_size(trainer->settings.team) == 1)
        return 0;
    return check_alike(trainer,
                       fingerprint(state->values, bytes) ^ fingerprint(state->average, bytes),
                       "its weights are no longer those of the first process: go on from the last "
                       "checkpoint with --resume, without this machine",
                       err);
}

int texture_trainer_meet(TextureTrainer *trainer, Error *err)
{
    const Team *team = trainer->settings.team;
    TextureCheckpoint *state = &trainer->state;
    TextureIdentity *id = &state->identity;
    uint64_t settings[] = {id->seed, id->batch, trainer->settings.threads, 0};
    memcpy(&settings[3], &trainer->settings.rate, sizeof trainer->settings.rate);
    if (check_alike(trainer, fingerprint(settings, sizeof settings),
                    "it was started with another --seed, --batch, --threads or --rate than the "
                    "first process: give all the same",
                    err) ||
        check_alike(trainer, id->network,
                    "it trains another network than the first process: give all the same options, "
                    "and the same model to start from",
                    err) ||
        check_alike(trainer, id->fingerprint,
                    "it has read other sound than the first process: give all the same folder, "
                    "on a file system that they share, or copies of it",
                    err))
        return -1;
    real *const arrays[] = {state->values, state->first, state->second, state->average,
                            state->best};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (team_share(team, 0, arrays[i], trainer->size * sizeof(real), err))
            return -1;
    return team_share(team, 0, id, sizeof *id, err) ||
                   team_share(team, 0, &state->progress, sizeof state->progress, err)
               ? -1
               : 0;
}

int texture_trainer_evaluate(TextureTrainer *trainer, Error *err)
{
    TextureCheckpoint *state = &trainer->state;
    TextureProgress *progress = &state->progress;
    const TextureLoss part = test(trainer);
    double sum[2] = {part.sum, part.values};
    if (check_weights(trainer, err) || team_total(trainer->settings.team, sum, 2, err))
        return -1;
    const double held_out = sum[1] > 0.0 ? sum[0] / sum[1] : NAN;
    if (sum[1] > 0.0 && !isfinite(held_out))
        return error_set(err, "the held-out loss is no longer finite at step %zu", progress->step);
    pthread_mutex_lock(&trainer->whole);
    progress->held_out = held_out;
    if (!(held_out >= progress->best)) {
        progress->best = held_out;
        progress->best_step = progress->step;
        memcpy(state->best, state->average, trainer->size * sizeof(real));
    }
    pthread_mutex_unlock(&trainer->whole);
    return 0;
}

size_t texture_trainer_interval(const TextureTrainer *trainer)
{
    const size_t fortieth = trainer->state.identity.steps / 40;
    /* An evaluation costs a third of training on as many windows: this is a tenth of the time. */
    const size_t cheap = 10 * HELD_OUT_WINDOWS / (3 * trainer->settings.batch);
    size_t interval = fortieth > LEAST_INTERVAL ? fortieth : LEAST_INTERVAL;
    interval = cheap > interval ? cheap : interval;
    return interval > MOST_INTERVAL ? MOST_INTERVAL : interval;
}

bool texture_trainer_stalled(const TextureTrainer *trainer)
{
    const TextureProgress *p = &trainer->state.progress;
    const double waited = (double)(p->step - p->best_step);
    return !isnan(p->best) && waited > fmax(4.0 * (double)texture_trainer_interval(trainer),
                                            PATIENCE * (double)trainer->state.identity.steps);
}

TextureProgress texture_trainer_progress(const TextureTrainer *trainer)
{
    return trainer->state.progress;
}

size_t texture_trainer_steps(const TextureTrainer *trainer)
{
    return trainer->state.identity.steps;
}

void texture_trainer_add_seconds(TextureTrainer *trainer, double seconds)
{
    pthread_mutex_lock(&trainer->whole);
    trainer->state.progress.seconds += seconds;
    pthread_mutex_unlock(&trainer->whole);
}

void texture_trainer_finish(TextureTrainer *trainer)
{
    memcpy(texture_model_weights(trainer->model), trainer->state.best,
           trainer->size * sizeof(real));
}

int texture_trainer_save(TextureTrainer *trainer, const char *path, Error *err)
{
    pthread_mutex_lock(&trainer->whole);
    const int failed = texture_checkpoint_save(&trainer->state, path, err);
    pthread_mutex_unlock(&trainer->whole);
    return failed;
}

int texture_trainer_resume(TextureTrainer *trainer, const char *path, Error *err)
{
    return texture_checkpoint_load(&trainer->state, path, err);
}
