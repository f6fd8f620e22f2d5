/* The model card that training writes into a model's header. */
#ifndef BRUME_CLI_TRAIN_CARD_H
#define BRUME_CLI_TRAIN_CARD_H

#include "cli/sound_folder.h"
#include "cli/train.h"
#include "models/texture_trainer.h"

/* What training itself knows. */
typedef struct TrainedOn {
    const char *folder;
    const char *from; /* the file of the model that it started from; NULL: from nothing */
    FolderReport found;
    double holdout;
    int64_t seed;
    const Corpus *corpus;
    TextureProgress progress;
    size_t steps;
    const char *measured; /* what the report says; NULL: nothing yet */
} TrainedOn;

/* What the card of the model that was started from says of its own training, and of what that
 * started from; to be freed. NULL when memory runs out. */
char *train_card_past(const char *from);

/* Writes model and card to `path` as f16, whole or not at all. */
int train_card_save(const TextureModel *model, const CardOptions *options, const TrainedOn *trained,
                    const char *path, Error *err);

#endif
