/* What the denoiser sees in training: a few windows of the corpus, noised, with what they are told
 * and what it should answer; and one thread's share of a step. */
#ifndef BRUME_MODELS_TEXTURE_BATCH_H
#define BRUME_MODELS_TEXTURE_BATCH_H

#include "models/corpus.h"
#include "models/texture_model.h"

typedef struct TextureBatch TextureBatch;

/* Room for `windows` windows of the model's window length; `training` for gradients too. */
TextureBatch *texture_batch_create(const TextureModel *model, size_t windows, bool training,
                                   Error *err);
void texture_batch_destroy(TextureBatch *batch);

/* Which windows: numbers first..first+windows-1 of a batch of `of` windows of step `step`. Noise
 * levels are spread evenly over a step's windows. */
typedef struct TextureDraw {
    uint64_t seed;
    int held_out;
    uint64_t step;
    size_t first, windows, of;
    size_t only; /* 0, or 1 + the class whose sound to train on is drawn, and no other */
} TextureDraw;

/* Draws windows, places in them, noise levels, prefixes, memories and noise: a pure function of the
 * corpus and `draw`. -1 if there is nothing on that side of the corpus. */
int texture_batch_draw(TextureBatch *batch, const Corpus *corpus, const TextureDraw *draw);

/* Sets every window's noise level to lambda = half_log_snr, with the noise already drawn. */
void texture_batch_set_level(TextureBatch *batch, double half_log_snr);

/* What the last draw gave: into the batch, until the next one. */
typedef struct TextureBatchView {
    DenoiserInput input;
    const real *clean, *noise; /* (rows, bands): Gaussian values, and what was added to them */
    const real *counts;        /* (windows, bands): what an error in a band counts */
} TextureBatchView;
TextureBatchView texture_batch_view(const TextureBatch *batch);

/* Squared error summed over the frames to be predicted, each band's weighed as
 * models/texture_weight.h says, and how many values those are. */
typedef struct TextureLoss {
    double sum, values;
} TextureLoss;

/* The loss with `weights`; with gradients (parameters_size,) not NULL adds those of
 * loss.sum * scale. */
TextureLoss texture_batch_loss(TextureBatch *batch, const real *weights, double scale,
                               real *gradients);

#endif
