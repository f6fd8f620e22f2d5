/* What `brume score` is asked for, and its two kinds. */
#ifndef BRUME_CLI_SCORE_H
#define BRUME_CLI_SCORE_H

#include "cli/options.h"
#include "cli/progress.h"
#include "dsp/error.h"

typedef struct ScoreRequest {
    const char *model; /* its file */
    char **files;
    size_t count;
    const char *class_name; /* of textures; NULL: the name of each file's folder */
    CommonOptions common;
    Progress *progress;
} ScoreRequest;

/* Each opens the model, measures it on all files and prints the result; -1 with the reason, and
 * nothing printed. Main thread. */
int score_melody(const ScoreRequest *request, Error *err);
int score_texture(const ScoreRequest *request, Error *err);

#endif
