/* The course of a texture training to look at and to listen to, in the folder beside its model:
 * loss.csv and loss.png, preview-CLASS.wav, and preview.png with a recording above each preview. */
#ifndef BRUME_CLI_TRAIN_PREVIEW_H
#define BRUME_CLI_TRAIN_PREVIEW_H

#include "cli/progress.h"
#include "cli/train.h"
#include "cli/train_sounds.h"
#include "models/texture_trainer.h"

typedef struct TrainPreview TrainPreview;

/* Nothing is written yet. A training that goes on at `step` takes up the curve that it finds there,
 * up to that step; one that is none is told of on standard error, and a new one begins. Request and
 * sounds must outlive it. */
TrainPreview *train_preview_create(const TrainRequest *request, const TrainSounds *sounds,
                                   size_t step, Error *err);
void train_preview_destroy(TrainPreview *preview);

/* The folder, MODEL.progress. */
const char *train_preview_folder(const TrainPreview *preview);

/* Adds where training stands, just evaluated, to the curve. */
int train_preview_add(TrainPreview *preview, const TextureProgress *progress, Error *err);

/* Writes all of it anew, from the model as it lies on the disk, for a training of `steps` steps.
 * Each file appears whole or not at all. -1 when a place cannot be written, memory runs out, or
 * `cancel` (which may be NULL) becomes true. Main thread. */
int train_preview_write(TrainPreview *preview, size_t steps, const atomic_bool *cancel,
                        Progress *progress, Error *err);

#endif
