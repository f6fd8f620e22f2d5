#include "cli/train_folder.h"

#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int train_folder_name(const char *output, char folder[TRAIN_PATH_ROOM], Error *err)
{
    static const char suffix[] = ".safetensors";
    const size_t cut = output_has_suffix(output, suffix) ? sizeof suffix - 1 : 0;
    const int length =
        snprintf(folder, TRAIN_PATH_ROOM, "%.*s.progress", (int)(strlen(output) - cut), output);
    return length > 0 && length < TRAIN_PATH_ROOM
               ? 0
               : error_set(err, "%.60s...: the path is too long", output);
}

int train_folder_make(const char *folder, Error *err)
{
    struct stat status;
    if (mkdir(folder, 0777) == 0)
        return 0;
    const int failure = errno;
    if (failure == EEXIST && stat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    return error_set(err, "%s: this folder for previews cannot be made: %s", folder,
                     strerror(failure));
}

int train_folder_file(const char *folder, const char *name, char path[TRAIN_PATH_ROOM], Error *err)
{
    const int length = snprintf(path, TRAIN_PATH_ROOM, "%s/%s", folder, name);
    return length > 0 && length < TRAIN_PATH_ROOM
               ? 0
               : error_set(err, "%.60s...: the path is too long", folder);
}

void train_folder_tell(const TrainRequest *request, const char *folder, double seconds)
{
    FILE *out = request->common.json ? stderr : stdout;
    if (request->common.quiet)
        return;
    fprintf(out, "see and hear it in %s: a preview takes %.1f s\n", folder, seconds);
    fflush(out);
}
