/* Preloaded, so that a command's instructions can be counted and are the same each time: what it
 * draws by chance on purpose is fixed. jansson orders its tables anew in each run, against files
 * that are made to collide; an output is first written under a name that nobody can guess. */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

__attribute__((constructor)) static void seed_tables(void)
{
    json_object_seed(1);
}

int mkstemps(char *path, int suffix)
{
    memcpy(path + strlen(path) - (size_t)suffix - 6, "steady", 6);
    return open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    *now = (struct timeval){.tv_sec = 1};
    return 0;
}
