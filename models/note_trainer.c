#include "models/note_trainer.h"

#include "models/adam.h"
#include "models/categories.h"
#include "models/training_state.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_KIND "brume.notes.checkpoint"

enum { WARM_UP = 100 };
static const double CLIP = 1.0, AVERAGE_DECAY = 0.995, LOSS_MEMORY = 0.98;
static const uint64_t DROPOUT_STREAM = (uint64_t)0xd509 << 40;

/* What must be the same for training to go on. */
typedef struct Identity {
    uint64_t seed, fingerprint; /* of the corpus */
    size_t batch, frames;
    NoteConfig config;
    double dropout, rate;
} Identity;

struct NoteTrainer {
    const NoteModel *model;
    const NoteCorpus *corpus;
    NoteTrainerSettings settings;
    AdamSettings adam;
    Identity identity;
    NoteProgress progress;
    TrainingState state;
    NotePass *pass;
    real *gradients;
    NoteToken *tokens; /* (batch, frames + 1) */
};

NoteTrainerSettings note_trainer_defaults(void)
{
    return (NoteTrainerSettings){
        .seed = 1, .steps = 3000, .batch = 16, .frames = 128, .rate = 2e-3, .dropout = 0.1};
}

/* Of 1e-4, 4e-4 and 2e-3, on tunes of one kind (tests/bench/MELODY.md). */
NoteTrainerSettings note_trainer_tuning(void)
{
    NoteTrainerSettings settings = note_trainer_defaults();
    settings.rate = 1e-4;
    return settings;
}

static int check_settings(const NoteTrainerSettings *settings, Error *err)
{
    if (settings->steps < 1)
        return error_set(err, "0 steps: give at least 1");
    if (settings->batch < 1 || settings->batch > 256)
        return error_set(err, "a batch of %zu windows: 1 to 256 are possible", settings->batch);
    if (settings->frames < 16 || settings->frames > 1024)
        return error_set(err, "windows of %zu notes: 16 to 1024 are possible", settings->frames);
    if (!(settings->dropout >= 0.0 && settings->dropout <= 0.9))
        return error_set(err, "dropout %g: 0 to 0.9 are possible", settings->dropout);
    return 0;
}

NoteTrainer *note_trainer_create(const NoteModel *model, const NoteCorpus *corpus,
                                 const NoteTrainerSettings *settings, Error *err)
{
    if (check_settings(settings, err))
        return NULL;
    if (!note_corpus_tunes(corpus, NOTE_TRAIN)) {
        error_set(err, "there is no tune to train on: give more, or a smaller --holdout");
        return NULL;
    }
    NoteTrainer *trainer = calloc(1, sizeof *trainer);
    const Parameters *parameters = note_model_parameters(model);
    const size_t size = parameters_size(parameters);
    if (!trainer || training_state_create(&trainer->state, size, err)) {
        free(trainer);
        error_set(err, "out of memory for training");
        return NULL;
    }
    trainer->model = model;
    trainer->corpus = corpus;
    trainer->settings = *settings;
    trainer->adam = adam_defaults();
    trainer->adam.decay = 0.02;
    trainer->identity =
        (Identity){settings->seed,   note_corpus_fingerprint(corpus), settings->batch,
                   settings->frames, *note_model_config(model),       settings->dropout,
                   settings->rate};
    trainer->progress.loss = trainer->progress.held_out = trainer->progress.best = NAN;
    trainer->pass = note_pass_create(model, settings->batch, settings->frames, true, err);
    trainer->gradients = calloc(size, sizeof *trainer->gradients);
    trainer->tokens = calloc(settings->batch * (settings->frames + 1), sizeof *trainer->tokens);
    if (!trainer->pass || !trainer->gradients || !trainer->tokens) {
        error_set(err, "out of memory for training");
        note_trainer_destroy(trainer);
        return NULL;
    }
    parameters_start(parameters, settings->seed, trainer->state.values);
    note_trainer_start_from(trainer, trainer->state.values);
    return trainer;
}

void note_trainer_start_from(NoteTrainer *trainer, const real *weights)
{
    training_state_start(&trainer->state, weights);
}

void note_trainer_destroy(NoteTrainer *trainer)
{
    if (!trainer)
        return;
    training_state_destroy(&trainer->state);
    note_pass_destroy(trainer->pass);
    free(trainer->gradients);
    free(trainer->tokens);
    free(trainer);
}

void note_trainer_set_steps(NoteTrainer *trainer, size_t steps)
{
    trainer->settings.steps = steps;
}

/* Linear warm-up, then half a cosine down to nothing at the last step. */
static double rate_at(const NoteTrainer *trainer, size_t step)
{
    const double steps = (double)trainer->settings.steps;
    const double done = fmin(1.0, (double)step / steps);
    const double warm = fmin(1.0, (double)(step + 1) / fmin(WARM_UP, 1.0 + 0.1 * steps));
    return trainer->settings.rate * warm * 0.5 * (1.0 + cos(acos(-1.0) * done));
}

static double sum_of(const NoteLoss *loss)
{
    return loss->pitch + loss->step + loss->length;
}

/* The gradients of the step to come; its loss in nats a note. */
static double take_gradients(NoteTrainer *trainer)
{
    const NoteTrainerSettings *settings = &trainer->settings;
    const size_t step = trainer->progress.step, batch = settings->batch, frames = settings->frames;
    for (size_t i = 0; i < batch; i++)
        note_corpus_draw(trainer->corpus, settings->seed, step * batch + i, frames,
                         trainer->tokens + i * (frames + 1));
    const NoteDropout dropout = {settings->dropout, settings->seed, DROPOUT_STREAM + step};
    memset(trainer->gradients, 0, trainer->state.size * sizeof *trainer->gradients);
    const NoteLoss sum = note_model_loss(trainer->pass, trainer->state.values, trainer->tokens,
                                         &dropout, trainer->gradients);
    return sum_of(&sum) / fmax(1.0, (double)sum.notes);
}

void note_trainer_rehearse(NoteTrainer *trainer)
{
    take_gradients(trainer);
}

int note_trainer_step(NoteTrainer *trainer, Error *err)
{
    NoteProgress *progress = &trainer->progress;
    TrainingState *state = &trainer->state;
    const size_t step = progress->step;
    const double loss = take_gradients(trainer);
    const double norm = gradients_clip(state->size, trainer->gradients, CLIP);
    if (!isfinite(loss) || !isfinite(norm))
        return error_set(err,
                         "the loss is no longer finite at step %zu: start again with a lower "
                         "learning rate, or from the last checkpoint",
                         step);
    adam_step(&trainer->adam, note_model_parameters(trainer->model), step + 1,
              rate_at(trainer, step), trainer->gradients, state->values, state->first,
              state->second);
    /* Early on the average must not remember the random start. */
    const double decay = fmin(AVERAGE_DECAY, (1.0 + (double)step) / (10.0 + (double)step));
    average_step(state->size, decay, state->values, state->average);
    progress->loss = step ? LOSS_MEMORY * progress->loss + (1.0 - LOSS_MEMORY) * loss : loss;
    progress->step++;
    return 0;
}

/* Nats a note over the windows of the validation tunes; NaN without any. */
static double validate(NoteTrainer *trainer)
{
    const size_t batch = trainer->settings.batch, frames = trainer->settings.frames;
    const size_t windows = note_corpus_windows(trainer->corpus, NOTE_VALIDATE, frames);
    double sum = 0.0;
    size_t notes = 0;
    for (size_t first = 0; first < windows; first += batch) {
        for (size_t i = 0; i < batch; i++) {
            NoteToken *tokens = trainer->tokens + i * (frames + 1);
            if (first + i < windows)
                note_corpus_window(trainer->corpus, NOTE_VALIDATE, frames, first + i, tokens);
            else
                tokens[1].pitch = NOTE_NONE; /* a window that counts nothing */
        }
        const NoteLoss loss =
            note_model_loss(trainer->pass, trainer->state.average, trainer->tokens, NULL, NULL);
        sum += sum_of(&loss);
        notes += loss.notes;
    }
    return notes ? sum / (double)notes : NAN;
}

int note_trainer_evaluate(NoteTrainer *trainer, Error *err)
{
    NoteProgress *progress = &trainer->progress;
    progress->held_out = validate(trainer);
    if (note_corpus_tunes(trainer->corpus, NOTE_VALIDATE) && !isfinite(progress->held_out))
        return error_set(err, "the validation loss is no longer finite at step %zu",
                         progress->step);
    if (!(progress->held_out >= progress->best)) {
        progress->best = progress->held_out;
        progress->best_step = progress->step;
        memcpy(trainer->state.best, trainer->state.average, trainer->state.size * sizeof(real));
    }
    return 0;
}

NoteProgress note_trainer_progress(const NoteTrainer *trainer)
{
    return trainer->progress;
}

size_t note_trainer_steps(const NoteTrainer *trainer)
{
    return trainer->settings.steps;
}

void note_trainer_add_seconds(NoteTrainer *trainer, double seconds)
{
    trainer->progress.seconds += seconds;
}

const real *note_trainer_best(const NoteTrainer *trainer)
{
    return trainer->state.best;
}

/* Floating-point values go as hexadecimal, to the bit. */
int note_trainer_save(const NoteTrainer *trainer, const char *path, Error *err)
{
    const Identity *id = &trainer->identity;
    const NoteConfig *c = &id->config;
    const NoteProgress *p = &trainer->progress;
    char numbers[TRAINING_NUMBERS_ROOM];
    snprintf(numbers, sizeof numbers,
             "seed=%" PRIu64 " fingerprint=%" PRIu64 " batch=%zu frames=%zu width=%zu heads=%zu "
             "layers=%zu hidden=%zu reach=%zu dropout=%a steps=%zu step=%zu best_step=%zu loss=%a "
             "held_out=%a best=%a seconds=%a rate=%a",
             id->seed, id->fingerprint, id->batch, id->frames, c->width, c->heads, c->layers,
             c->hidden, c->reach, id->dropout, trainer->settings.steps, p->step, p->best_step,
             p->loss, p->held_out, p->best, p->seconds, id->rate);
    return training_state_save(&trainer->state, CHECKPOINT_KIND, numbers, path, err);
}

static int parse_numbers(const char *text, Identity *id, size_t *steps, NoteProgress *p)
{
    NoteConfig *c = &id->config;
    const int n = sscanf(text,
                         "seed=%" SCNu64 " fingerprint=%" SCNu64
                         " batch=%zu frames=%zu width=%zu heads=%zu layers=%zu hidden=%zu "
                         "reach=%zu dropout=%la steps=%zu step=%zu best_step=%zu loss=%la "
                         "held_out=%la best=%la seconds=%la rate=%la",
                         &id->seed, &id->fingerprint, &id->batch, &id->frames, &c->width, &c->heads,
                         &c->layers, &c->hidden, &c->reach, &id->dropout, steps, &p->step,
                         &p->best_step, &p->loss, &p->held_out, &p->best, &p->seconds, &id->rate);
    /* Checkpoints from before there was a choice have no rate. */
    if (n == 17)
        id->rate = note_trainer_defaults().rate;
    return n >= 17 ? 0 : -1;
}

static int check_identity(const Identity *mine, const Identity *its, Error *err)
{
    if (its->seed != mine->seed)
        return error_set(err, "it was made with --seed %" PRIu64 ": give that", its->seed);
    if (its->fingerprint != mine->fingerprint)
        return error_set(err, "it was made from other tunes (or another --holdout): give the same "
                              "folder, or start without --resume");
    if (its->config.width != mine->config.width || its->config.heads != mine->config.heads ||
        its->config.layers != mine->config.layers || its->config.hidden != mine->config.hidden ||
        its->config.reach != mine->config.reach)
        return error_set(err, "it was made for another note model: start without --resume");
    if (its->batch != mine->batch || its->frames != mine->frames || its->dropout != mine->dropout)
        return error_set(err, "it was made with other batches: start without --resume");
    if (its->rate != mine->rate)
        return error_set(err, "it was made with another --from: give that");
    return 0;
}

int note_trainer_resume(NoteTrainer *trainer, const char *path, Error *err)
{
    char numbers[TRAINING_NUMBERS_ROOM];
    TrainingState state;
    Identity identity = {0};
    NoteProgress progress = {0};
    size_t steps = 0;
    if (training_state_load(&state, trainer->state.size, CHECKPOINT_KIND, numbers, path, err))
        return -1;
    int failed = parse_numbers(numbers, &identity, &steps, &progress);
    if (failed)
        error_set(err, "its numbers cannot be read: start without --resume");
    if (failed || check_identity(&trainer->identity, &identity, err)) {
        training_state_destroy(&state);
        return error_prefix(err, "%s", path);
    }
    training_state_destroy(&trainer->state);
    trainer->state = state;
    trainer->progress = progress;
    trainer->settings.steps = steps;
    return 0;
}

/* Adds the losses of one tune, note by note. */
static void add_tune(NoteDecoder *decoder, const NoteToken *tokens, size_t count, NoteLoss *loss)
{
    real logits[NOTE_PITCHES + 1];
    const int end = NOTE_END;
    note_decoder_reset(decoder);
    note_decoder_push(decoder, (NoteToken){NOTE_START, 0, 0});
    for (size_t i = 0; i < count; i++) {
        const NoteToken note = tokens[i];
        const int pitch = note.pitch, step = note.step, length = note.length;
        note_decoder_pitches(decoder, logits);
        loss->pitch += softmax_loss(1, NOTE_PITCHES + 1, logits, &pitch, 0, NULL);
        note_decoder_steps(decoder, note.pitch, logits);
        loss->step += softmax_loss(1, NOTE_STEPS, logits, &step, 0, NULL);
        note_decoder_lengths(decoder, note.pitch, note.step, logits);
        loss->length += softmax_loss(1, NOTE_LENGTHS, logits, &length, 0, NULL);
        note_decoder_push(decoder, note);
    }
    note_decoder_pitches(decoder, logits);
    loss->end += softmax_loss(1, NOTE_PITCHES + 1, logits, &end, 0, NULL);
    loss->notes += count;
    loss->ends++;
}

int note_bits(const NoteModel *model, const real *weights, const NoteCorpus *corpus,
              NoteShare share, NoteBits *bits, Error *err)
{
    NoteLoss loss = {0};
    NoteDecoder *decoder = note_decoder_create(model, weights, err);
    if (!decoder)
        return -1;
    for (size_t i = 0; i < note_corpus_tunes(corpus, share); i++) {
        size_t count;
        const NoteToken *tokens = note_corpus_tune(corpus, share, i, &count);
        add_tune(decoder, tokens, count, &loss);
    }
    note_decoder_destroy(decoder);
    const double nats = log(2.0) * (double)loss.notes;
    *bits = (NoteBits){loss.pitch / nats, loss.step / nats, loss.length / nats,
                       loss.end / (log(2.0) * (double)loss.ends)};
    return 0;
}
