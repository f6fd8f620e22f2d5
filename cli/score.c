#include "cli/score.h"

#include "cli/interrupt.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "models/catalogue.h"
#include "models/melody_model.h"
#include "models/safetensors.h"
#include "models/texture_model.h"

#include <string.h>

typedef enum { KIND_TEXTURE, KIND_MELODY } Kind;

static int find_kind(const char *path, Kind *kind, Error *err)
{
    Safetensors *file = safetensors_open(path, err);
    if (!file)
        return -1;
    const char *text = safetensors_metadata(file, "kind");
    int failed = 0;
    if (text && !strcmp(text, MELODY_KIND))
        *kind = KIND_MELODY;
    else if (text && !strcmp(text, TEXTURE_KIND))
        *kind = KIND_TEXTURE;
    else
        failed = error_set(err, "%s: its kind is \"%.60s\": give a melody or a texture model", path,
                           text ? text : "missing");
    safetensors_destroy(file);
    return failed;
}

int verb_score(int argc, char **argv)
{
    ScoreRequest request = {0};
    const Option options[] = {
        OPTION_STRING("class", &request.class_name, "NAME",
                      "(texture) what the files are; the name of their folder if not given"),
    };
    const Usage usage = {
        .verb = "score",
        .synopsis = "MODEL FILE...",
        .summary = "Measures a model on held-out files. Melody: bits a sample of sound, heard "
                   "sample by sample\nwithout a plan, or bits a note of MIDI. Texture: the squared "
                   "error of denoising, level by level.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .operands_least = 2,
        .operands_most = SIZE_MAX};
    char **operands, path[4096];
    size_t count;
    Progress progress;
    Error err = {""};
    Kind kind = KIND_MELODY;
    const int code = options_parse(&usage, argc, argv, &request.common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    if (catalogue_locate(operands[0], NULL, path, sizeof path, &err) ||
        find_kind(path, &kind, &err))
        return report_failure("score", &err);
    if (kind == KIND_MELODY && request.class_name)
        return report_usage("score", "--class is for textures: leave it out");
    request.model = path;
    request.files = operands + 1;
    request.count = count - 1;
    request.progress = &progress;
    progress_begin(&progress, request.common.quiet);
    const int failed =
        kind == KIND_MELODY ? score_melody(&request, &err) : score_texture(&request, &err);
    progress_end(&progress);
    return failed ? report_failure("score", &err) : EXIT_DONE;
}
