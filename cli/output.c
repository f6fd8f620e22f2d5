#include "cli/output.h"

#include "models/temporary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct Output {
    char *path;
    char *beside; /* NULL once it is moved */
    int fd;
    int failure; /* errno of the first write that failed */
};

bool output_has_suffix(const char *path, const char *suffix)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t length = strlen(name), wanted = strlen(suffix);
    return length > wanted && strcasecmp(name + length - wanted, suffix) == 0;
}

/* Refuses what a rename would harm (devices, pipes) or could not replace, before any work is done.
 */
static int check_place(const char *path, Error *err)
{
    struct stat status;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return error_set(err, "%s: is a folder: give the name of a file in it", path);
        if (!S_ISREG(status.st_mode))
            return error_set(err, "%s: is not an ordinary file: give the name of one", path);
        return 0;
    }
    if (path[0] == '\0')
        return error_set(err, "the output's name is empty: give the name of a file");
    if (errno != ENOENT)
        return error_set(err, "%s: %s: give another name", path, strerror(errno));
    if (path[strlen(path) - 1] == '/')
        return error_set(err, "%s: names a folder: give the name of a file", path);
    return 0;
}

static int open_beside(Output *output, Error *err)
{
    output->fd = temporary_create(output->path, &output->beside);
    if (output->fd >= 0)
        return 0;
    const char *mend = errno == ENOENT ? "make the folder first" : "give a folder you can write to";
    error_set(err, "%s: cannot be written: %s: %s", output->path, strerror(errno), mend);
    return -1;
}

Output *output_create(const char *path, Error *err)
{
    if (check_place(path, err) != 0)
        return NULL;
    Output *output = calloc(1, sizeof *output);
    if (output != NULL) {
        output->fd = -1;
        output->path = realpath(path, NULL);
        if (output->path == NULL)
            output->path = strdup(path);
    }
    if (output == NULL || output->path == NULL) {
        error_set(err, "%s: out of memory", path);
        free(output);
        return NULL;
    }
    if (open_beside(output, err) != 0) {
        output_discard(output);
        return NULL;
    }
    return output;
}

int output_fd(const Output *output)
{
    return output->fd;
}

size_t output_write(Output *output, const void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = write(output->fd, (const char *)data + done, size - done);
        if (count > 0) {
            done += (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            if (output->failure == 0)
                output->failure = count == 0 ? EIO : errno;
            break;
        }
    }
    return done;
}

int output_failure(const Output *output)
{
    return output->failure;
}

int output_commit(Output *output, Error *err)
{
    int failure = output->failure;
    if (failure == 0) {
        failure = temporary_commit(output->fd, output->beside, output->path);
        output->beside = NULL;
    }
    if (failure != 0)
        error_set(err, "%s: cannot be written: %s: make room or give another place", output->path,
                  strerror(failure));
    output_discard(output);
    return failure == 0 ? 0 : -1;
}

void output_discard(Output *output)
{
    if (output == NULL)
        return;
    if (output->beside != NULL)
        temporary_discard(output->fd, output->beside);
    free(output->path);
    free(output);
}
