/* usage: fuzz_TARGET FOLDER: gives every file of the folder to the target. In libFuzzer's place
 * where there is no clang. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 4096 };

/* A copy of exactly its size, so that a sanitizer sees what reads past its end. */
static void give(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        perror(path);
        exit(1);
    }
    const size_t size = (size_t)ftell(file);
    uint8_t *bytes = malloc(size ? size : 1);
    rewind(file);
    if (!bytes || fread(bytes, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    const int n = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    int given = 0;
    for (int i = 0; i < n; i++) {
        char path[ROOM];
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            fprintf(stderr, "%s\n", path); /* the last one is the culprit */
            give(path);
            given++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%d files\n", given);
    return given > 0 ? 0 : 1;
}
