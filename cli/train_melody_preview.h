/* The course of a melody training to look at and to listen to, in the folder beside its model:
 * loss.png of both tiers, loss-notes.csv and loss-samples.csv, and preview.wav, in which the model
 * carries a recording on. */
#ifndef BRUME_CLI_TRAIN_MELODY_PREVIEW_H
#define BRUME_CLI_TRAIN_MELODY_PREVIEW_H

#include "cli/melody_folder.h"
#include "cli/train.h"
#include "cli/train_curve.h"
#include "models/melody_model.h"

#include <stdatomic.h>
#include <stdio.h>

typedef enum MelodyCurve { MELODY_CURVE_NOTES, MELODY_CURVE_SAMPLES, MELODY_CURVES } MelodyCurve;

typedef struct MelodyPreview MelodyPreview;

/* Nothing is written yet. Tiers that go on at steps[tier] take up the curves that they find there;
 * one that is none is told of on standard error, and a new one begins. With --no-preview *preview
 * becomes NULL, which the others allow: then they do nothing. Request and recordings must outlive
 * it. */
int melody_preview_create(const TrainRequest *request, const MelodyFolder *found,
                          const size_t steps[MELODY_CURVES], MelodyPreview **preview, Error *err);
void melody_preview_destroy(MelodyPreview *preview);

/* Adds what an evaluation found, in bits. Before a tier has a loss there is nothing to add. */
int melody_preview_add(MelodyPreview *preview, MelodyCurve tier, CurvePoint point, Error *err);

/* Writes all of it anew: the sound with `model`, or without it where that is NULL. Each file
 * appears whole or not at all. Says where it lies, the first time; and on standard error when a
 * place cannot be written, no recording could be carried on or memory runs out, but not when
 * `cancel` (which may be NULL) has become true. Main thread. */
void melody_preview_write(MelodyPreview *preview, const MelodyModel *model,
                          const atomic_bool *cancel);

/* "preview" and the folder, as one more member of a JSON object. */
void melody_preview_print_json(FILE *out, const MelodyPreview *preview);

#endif
