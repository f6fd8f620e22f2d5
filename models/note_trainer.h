/* Training of a note model: maximum likelihood on windows drawn from a corpus, AdamW, averaged
 * weights, validation loss. What a step does is a pure function of corpus, seed and step number, so
 * training goes on from a checkpoint as if it had never stopped. */
#ifndef BRUME_MODELS_NOTE_TRAINER_H
#define BRUME_MODELS_NOTE_TRAINER_H

#include "models/note_corpus.h"
#include "models/note_model.h"

typedef struct NoteTrainerSettings {
    uint64_t seed;
    size_t steps;   /* the learning rate has fallen to nothing by this step */
    size_t batch;   /* windows a step, 1..256 */
    size_t frames;  /* notes a window, 16..1024 */
    double rate;    /* learning rate after warm-up */
    double dropout; /* 0..0.9 */
} NoteTrainerSettings;

/* Bits a note; NaN where not known. */
typedef struct NoteBits {
    double pitch, step, length, end; /* `end`: bits an end token */
} NoteBits;

/* Where training stands. */
typedef struct NoteProgress {
    size_t step;
    double loss;           /* nats a note, averaged over about 50 steps; NaN before the first */
    double held_out, best; /* validation loss of the averaged weights; NaN where not known */
    size_t best_step;
    double seconds; /* time spent in steps over all runs, as the caller adds it */
} NoteProgress;

typedef struct NoteTrainer NoteTrainer;

/* To train from nothing, and to train a model on that has learnt other tunes. */
NoteTrainerSettings note_trainer_defaults(void);
NoteTrainerSettings note_trainer_tuning(void);

/* Corpus and model must outlive the trainer; the corpus needs a tune to train on. */
NoteTrainer *note_trainer_create(const NoteModel *model, const NoteCorpus *corpus,
                                 const NoteTrainerSettings *settings, Error *err);
void note_trainer_destroy(NoteTrainer *trainer);

/* Starts from weights (parameters_size,), copied, instead of random ones. Before the first step. */
void note_trainer_start_from(NoteTrainer *trainer, const real *weights);

/* Changes the number of steps that the learning rate falls over. */
void note_trainer_set_steps(NoteTrainer *trainer, size_t steps);

/* One step. -1 when the loss is no longer finite. */
int note_trainer_step(NoteTrainer *trainer, Error *err);

/* What the next step will cost, without taking it: to measure a machine. */
void note_trainer_rehearse(NoteTrainer *trainer);

/* Validation loss of the averaged weights; remembers them if they are the best so far. Without
 * tunes for it, the averaged weights count as best. */
int note_trainer_evaluate(NoteTrainer *trainer, Error *err);

NoteProgress note_trainer_progress(const NoteTrainer *trainer);
size_t note_trainer_steps(const NoteTrainer *trainer);
void note_trainer_add_seconds(NoteTrainer *trainer, double seconds);

/* The best weights so far (parameters_size,); they live with the trainer. */
const real *note_trainer_best(const NoteTrainer *trainer);

/* A checkpoint: written whole or not at all; read into a trainer of the same model, corpus and
 * settings (steps aside), which on failure has not changed. */
int note_trainer_save(const NoteTrainer *trainer, const char *path, Error *err);
int note_trainer_resume(NoteTrainer *trainer, const char *path, Error *err);

/* Bits a note of `weights` on all tunes of a share, each read from its beginning to its end with no
 * more context than the model reaches. NaN where the share has none. */
int note_bits(const NoteModel *model, const real *weights, const NoteCorpus *corpus,
              NoteShare share, NoteBits *bits, Error *err);

#endif
