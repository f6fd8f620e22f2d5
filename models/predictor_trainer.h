/* Training of the sample tier: windows of clips with and without their plan, maximum likelihood,
 * AdamW, averaged weights, bits on clips held out. What a step does is a pure function of clips,
 * seed and step number, so training goes on from a checkpoint as if it had never stopped. */
#ifndef BRUME_MODELS_PREDICTOR_TRAINER_H
#define BRUME_MODELS_PREDICTOR_TRAINER_H

#include "models/predictor_batch.h"

typedef struct PredictorTrainerSettings {
    uint64_t seed;
    size_t steps;     /* the learning rate has fallen to a twentieth by this step */
    size_t lanes;     /* windows a step, 1..256 */
    size_t samples;   /* of a window, a multiple of PREDICTOR_FRAME, 64..65536 */
    double rate;      /* learning rate after warm-up */
    double planned;   /* share of windows that are shown with their plan */
    double errors;    /* share of those with errors in their history */
    double tolerance; /* bits over the fewest up to which later weights count as the best */
} PredictorTrainerSettings;

/* Where training stands. Bits a sample, [0] without and [1] with a plan; NaN where not known. */
typedef struct PredictorProgress {
    size_t step;
    double bits[2];     /* in training, averaged over about 100 steps */
    double held_out[2]; /* with averaged weights */
    double best;        /* least sum of the two */
    size_t best_step;
    double seconds; /* time spent in steps over all runs, as the caller adds it */
} PredictorProgress;

typedef struct PredictorTrainer PredictorTrainer;

/* 10,000 steps of 16 windows of 2048 samples at rate 2e-3, half of them planned, six tenths of
 * those with errors. */
PredictorTrainerSettings predictor_trainer_defaults(void);

/* The same to train a model on that has learnt other sound: gently, and the fewest bits count. */
PredictorTrainerSettings predictor_trainer_tuning(void);

/* clips (count,) and held_out (held_out_count,; may be none) and the net must outlive the trainer.
 */
PredictorTrainer *predictor_trainer_create(const PredictorNet *net, const PredictorClip *clips,
                                           size_t count, const PredictorClip *held_out,
                                           size_t held_out_count,
                                           const PredictorTrainerSettings *settings, Error *err);
void predictor_trainer_destroy(PredictorTrainer *trainer);

/* Starts from weights (parameters_size,), copied, instead of random ones. Before the first step. */
void predictor_trainer_start_from(PredictorTrainer *trainer, const real *weights);

/* Changes the number of steps that the learning rate falls over, also after a resume. */
void predictor_trainer_set_steps(PredictorTrainer *trainer, size_t steps);

/* One step. -1 when the loss is no longer finite. */
int predictor_trainer_step(PredictorTrainer *trainer, Error *err);

/* What the next step will cost, without taking it: to measure a machine. */
void predictor_trainer_rehearse(PredictorTrainer *trainer);

/* Bits of the averaged weights on the clips held out, always the same windows without errors;
 * remembers the weights unless they are worse than the best so far by more than the settings'
 * tolerance: more training makes a free run steadier where it no longer makes bits fewer
 * (models/weights/melody.md). With nothing held out they count as best. */
int predictor_trainer_evaluate(PredictorTrainer *trainer, Error *err);

PredictorProgress predictor_trainer_progress(const PredictorTrainer *trainer);
void predictor_trainer_add_seconds(PredictorTrainer *trainer, double seconds);

/* The best weights so far (parameters_size,), the trainer's. */
const real *predictor_trainer_weights(const PredictorTrainer *trainer);

/* Everything that training needs to go on, whole or not at all. */
int predictor_trainer_save(const PredictorTrainer *trainer, const char *path, Error *err);

/* Takes up a checkpoint: refused when it is of another network, seed or batch. The clips may be
 * others: then training goes on with those. On failure nothing has changed. */
int predictor_trainer_resume(PredictorTrainer *trainer, const char *path, Error *err);

/* The network and best weights of a checkpoint, to play with; free *weights with free(). */
PredictorNet *predictor_trainer_open(const char *path, real **weights, Error *err);

#endif
