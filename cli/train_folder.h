/* The folder beside a model in which its training can be seen and heard: MODEL.progress. */
#ifndef BRUME_CLI_TRAIN_FOLDER_H
#define BRUME_CLI_TRAIN_FOLDER_H

#include "cli/train.h"

/* "mine.safetensors" -> "mine.progress". -1 when that is too long for a path. */
int train_folder_name(const char *output, char folder[TRAIN_PATH_ROOM], Error *err);

/* Makes it, unless it is there. */
int train_folder_make(const char *folder, Error *err);

/* The path of a file in it. -1 when that is too long. */
int train_folder_file(const char *folder, const char *name, char path[TRAIN_PATH_ROOM], Error *err);

/* Says where a training can be seen and heard, and what that takes, unless silence was asked for.
 */
void train_folder_tell(const TrainRequest *request, const char *folder, double seconds);

#endif
