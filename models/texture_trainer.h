/* Training of a texture model: windows of the corpus noised to random levels, the denoiser's
 * squared error, AdamW, averaged weights, held-out loss. What a step does is a pure function of
 * corpus, seed and step number, so training goes on from a checkpoint as if it had never stopped.
 */
#ifndef BRUME_MODELS_TEXTURE_TRAINER_H
#define BRUME_MODELS_TEXTURE_TRAINER_H

#include "models/corpus.h"
#include "models/team.h"
#include "models/texture_model.h"

#include <stdbool.h>

typedef struct TextureTrainerSettings {
    uint64_t seed;
    size_t steps;     /* the learning rate has fallen to nothing by this step */
    size_t batch;     /* windows a step, 1..256 */
    unsigned threads; /* 1..64; the result depends on it in rounding only */
    double rate;      /* learning rate after warm-up */
    const Team *team; /* processes that share the batch; NULL: alone; the result as with threads */
} TextureTrainerSettings;

/* Where training stands. */
typedef struct TextureProgress {
    size_t step;
    double loss;           /* averaged over about 100 steps; NaN before the first */
    double held_out, best; /* held-out loss with averaged weights; NaN where not known */
    size_t best_step;
    double seconds; /* time spent in steps over all runs, as the caller adds it */
} TextureProgress;

typedef struct TextureTrainer TextureTrainer;

/* 10,000 steps of 8 windows at rate 1e-3, one thread. */
TextureTrainerSettings texture_trainer_defaults(void);

/* Fits the model's normaliser on the corpus (which is normalised by it) and gives the weights their
 * starting values. Corpus and model must outlive the trainer. The corpus must
 * have the model's classes and bands. */
TextureTrainer *texture_trainer_create(TextureModel *model, Corpus *corpus,
                                       const TextureTrainerSettings *settings, Error *err);
void texture_trainer_destroy(TextureTrainer *trainer);

/* Changes the number of steps that the learning rate falls over: before the first step, once the
 * machine's speed is known. */
void texture_trainer_set_steps(TextureTrainer *trainer, size_t steps);

/* Starts from what a trained model knows instead of from nothing (models/texture_start.h): before
 * the first step. Its network must be the trainer's but for the classes: -1 if it is not. */
int texture_trainer_start_from(TextureTrainer *trainer, const TextureModel *source, Error *err);

/* Before the first step, where there is a team: all take over what the first process knows (it
 * alone need have started from a model or resumed). -1 on all if they do not train the same network
 * on the same sound with the same settings. */
int texture_trainer_meet(TextureTrainer *trainer, Error *err);

/* The work of a step on all threads but for its last hundredth, the update: nothing changes. To
 * measure what a step takes. All processes of a team. */
int texture_trainer_rehearse(TextureTrainer *trainer, Error *err);

/* One step on all threads of all processes. -1 when the loss is no longer finite, a thread can't
 * start or a process is lost: then the weights are as they were. */
int texture_trainer_step(TextureTrainer *trainer, Error *err);

/* Held-out loss of the averaged weights; remembers them if they are the best so far. Without
 * anything held out the averaged weights count as best. All processes of a team, which also see
 * whether their weights are still the same: -1 if not. */
int texture_trainer_evaluate(TextureTrainer *trainer, Error *err);

/* Steps from one evaluation to the next: a fortieth of all, 25 to 250, so that the best moment of a
 * short training is not missed, and no more often than that a tenth of the time goes into it. */
size_t texture_trainer_interval(const TextureTrainer *trainer);

/* Whether the held-out loss has not fallen for a quarter of all steps and four evaluations: what
 * follows is learnt by heart. */
bool texture_trainer_stalled(const TextureTrainer *trainer);

TextureProgress texture_trainer_progress(const TextureTrainer *trainer);
size_t texture_trainer_steps(const TextureTrainer *trainer);
void texture_trainer_add_seconds(TextureTrainer *trainer, double seconds);

/* Puts the best weights so far into the model. */
void texture_trainer_finish(TextureTrainer *trainer);

/* Everything that training needs to go on, whole or not at all, as it stands after the last whole
 * step: any thread may call this while another one is in a step. */
int texture_trainer_save(TextureTrainer *trainer, const char *path, Error *err);

/* Takes up a checkpoint: refused when it is of another corpus, network, seed or batch. */
int texture_trainer_resume(TextureTrainer *trainer, const char *path, Error *err);

#endif
