#include "cli/melody_tier.h"

#include <math.h>
#include <stdio.h>

/* Training stops when this share of all steps has passed without a better validation loss. */
static const double PATIENCE = 0.25;

/* The notes get this share of the hours, and no more than is of use to them. */
static const double NOTES_SHARE = 0.2, NOTES_HOURS = 0.25;

/* Steps that are of use, and between evaluations: from nothing, and from a model, which has less to
 * learn and more to forget. */
typedef struct Pace {
    size_t most, evaluate_every;
} Pace;
static const Pace NOTES_NEW = {3000, 100}, NOTES_FROM = {1000, 25};
static const Pace SAMPLES_NEW = {100000000, 250}, SAMPLES_FROM = {4000, 100};

static int notes_rehearse(void *trainer, Error *err)
{
    (void)err;
    note_trainer_rehearse(trainer);
    return 0;
}

static int notes_step(void *trainer, Error *err)
{
    return note_trainer_step(trainer, err);
}

static int notes_evaluate(void *trainer, Error *err)
{
    return note_trainer_evaluate(trainer, err);
}

static void notes_set_steps(void *trainer, size_t steps)
{
    note_trainer_set_steps(trainer, steps);
}

static void notes_add_seconds(void *trainer, double seconds)
{
    note_trainer_add_seconds(trainer, seconds);
}

static int notes_save(const void *trainer, const char *path, Error *err)
{
    return note_trainer_save(trainer, path, err);
}

static int notes_resume(void *trainer, const char *path, Error *err)
{
    return note_trainer_resume(trainer, path, err);
}

static MelodyStanding notes_stand(const void *trainer)
{
    const NoteProgress p = note_trainer_progress(trainer);
    const double bits = 1.0 / log(2.0);
    MelodyStanding standing = {p.step,        p.best_step,       p.best, p.seconds,
                               bits * p.loss, bits * p.held_out, ""};
    int used = snprintf(standing.line, MELODY_LINE_ROOM, "%.3f bits a note", bits * p.loss);
    if (!isnan(p.held_out))
        snprintf(standing.line + used, MELODY_LINE_ROOM - (size_t)used,
                 "  validation %.3f (best %.3f at %zu)", bits * p.held_out, bits * p.best,
                 p.best_step);
    return standing;
}

static int samples_rehearse(void *trainer, Error *err)
{
    (void)err;
    predictor_trainer_rehearse(trainer);
    return 0;
}

static int samples_step(void *trainer, Error *err)
{
    return predictor_trainer_step(trainer, err);
}

static int samples_evaluate(void *trainer, Error *err)
{
    return predictor_trainer_evaluate(trainer, err);
}

static void samples_set_steps(void *trainer, size_t steps)
{
    predictor_trainer_set_steps(trainer, steps);
}

static void samples_add_seconds(void *trainer, double seconds)
{
    predictor_trainer_add_seconds(trainer, seconds);
}

static int samples_save(const void *trainer, const char *path, Error *err)
{
    return predictor_trainer_save(trainer, path, err);
}

static int samples_resume(void *trainer, const char *path, Error *err)
{
    return predictor_trainer_resume(trainer, path, err);
}

/* Of both kinds of window; of those without a plan alone, where there are no others. */
static double mean_bits(const double bits[2])
{
    return isnan(bits[1]) ? bits[0] : 0.5 * (bits[0] + bits[1]);
}

static MelodyStanding samples_stand(const void *trainer)
{
    const PredictorProgress p = predictor_trainer_progress(trainer);
    MelodyStanding standing = {
        p.step, p.best_step, p.best, p.seconds, mean_bits(p.bits), mean_bits(p.held_out), ""};
    int used = snprintf(standing.line, MELODY_LINE_ROOM, "%.3f bits a sample, %.3f planned",
                        p.bits[0], p.bits[1]);
    if (!isnan(p.held_out[0]))
        snprintf(standing.line + used, MELODY_LINE_ROOM - (size_t)used,
                 "  validation %.3f, %.3f (best at %zu)", p.held_out[0], p.held_out[1],
                 p.best_step);
    return standing;
}

MelodyTier melody_tier_notes(const TrainRequest *request, bool from, NoteTrainer *trainer)
{
    const Pace pace = from ? NOTES_FROM : NOTES_NEW;
    const size_t asked = (size_t)request->steps;
    MelodyTier tier = {.name = "notes",
                       .trainer = trainer,
                       .steps = asked < NOTES_NEW.most ? asked : NOTES_NEW.most,
                       .evaluate_every = pace.evaluate_every,
                       .most = pace.most,
                       .hours = fmin(NOTES_SHARE * request->hours, NOTES_HOURS),
                       .rehearse = notes_rehearse,
                       .step = notes_step,
                       .evaluate = notes_evaluate,
                       .set_steps = notes_set_steps,
                       .add_seconds = notes_add_seconds,
                       .save = notes_save,
                       .resume = notes_resume,
                       .stand = notes_stand};
    snprintf(tier.checkpoint, sizeof tier.checkpoint, "%s.notes.checkpoint", request->output);
    return tier;
}

MelodyTier melody_tier_samples(const TrainRequest *request, bool from, PredictorTrainer *trainer,
                               double hours)
{
    const Pace pace = from ? SAMPLES_FROM : SAMPLES_NEW;
    MelodyTier tier = {.name = "samples",
                       .trainer = trainer,
                       .steps = (size_t)request->steps,
                       .evaluate_every = pace.evaluate_every,
                       .most = pace.most,
                       .hours = hours,
                       .rehearse = samples_rehearse,
                       .step = samples_step,
                       .evaluate = samples_evaluate,
                       .set_steps = samples_set_steps,
                       .add_seconds = samples_add_seconds,
                       .save = samples_save,
                       .resume = samples_resume,
                       .stand = samples_stand};
    snprintf(tier.checkpoint, sizeof tier.checkpoint, "%s.checkpoint", request->output);
    return tier;
}

MelodyStanding melody_tier_stand(const MelodyTier *tier)
{
    return tier->trainer ? tier->stand(tier->trainer) : (MelodyStanding){.best = NAN};
}

bool melody_tier_done(const MelodyTier *tier)
{
    const MelodyStanding standing = melody_tier_stand(tier);
    if (!tier->trainer || tier->steps)
        return !tier->trainer || standing.step >= tier->steps;
    return standing.step >= tier->most || standing.seconds >= tier->hours * 3600.0;
}

bool melody_tier_overfits(const MelodyTier *tier)
{
    const MelodyStanding standing = melody_tier_stand(tier);
    const double waited = (double)(standing.step - standing.best_step);
    return !isnan(standing.best) &&
           waited > fmax(4.0 * (double)tier->evaluate_every, PATIENCE * (double)tier->steps);
}
