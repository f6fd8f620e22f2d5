/* A texture training from its folder to its model, for the files that share it. */
#ifndef BRUME_CLI_TRAIN_TEXTURE_PARTS_H
#define BRUME_CLI_TRAIN_TEXTURE_PARTS_H

#include "cli/progress.h"
#include "cli/sound_folder.h"
#include "cli/train.h"
#include "cli/train_guard.h"
#include "cli/train_preview.h"
#include "cli/train_report.h"
#include "models/texture_trainer.h"

/* What is at hand while training. */
typedef struct TextureTraining {
    const TrainRequest *request;
    char checkpoint[TRAIN_PATH_ROOM];
    char from_path[TRAIN_PATH_ROOM];
    Corpus *corpus;
    TextureModel *from; /* NULL: from nothing */
    TextureModel *model;
    TextureTrainer *trainer;
    FolderReport found;
    TrainSounds sounds;
    TrainPreview *preview; /* NULL: none is wanted */
    bool previewed;        /* the user has been told where */
    TrainReport report;    /* of the model as it is written */
    Progress progress;
    double saved_at;
    const Team *team; /* NULL: alone */
    TrainGuard *guard;
    bool stopped; /* somebody has asked for it */
} TextureTraining;

/* Reads the folder, and makes the model that it will train. */
int train_texture_prepare(TextureTraining *training, Error *err);

/* Makes the trainer, which starts from a model, goes on from a checkpoint, or begins anew. */
int train_texture_create_trainer(TextureTraining *training, Error *err);

#endif
