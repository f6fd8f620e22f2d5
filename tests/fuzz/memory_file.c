#define _GNU_SOURCE /* memfd_create, memmem */
#include "tests/fuzz/memory_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LENGTH_BYTES = 8, MOST = 1 << 20 };

static int open_once(char path[64])
{
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

const char *memory_file(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0)
        file = open_once(path);
    if (file < 0 || ftruncate(file, 0) || pwrite(file, bytes, size, 0) != (ssize_t)size) {
        perror("memory_file");
        abort();
    }
    return path;
}

/* The size of a file with this header, by the largest number in it that ends a tensor; 0 if that
 * cannot be seen. */
static size_t size_wanted(const char *text, size_t length)
{
    static const char key[] = "\"data_offsets\":[";
    size_t most = 0;
    for (const char *at = text;
         (at = memmem(at, length - (size_t)(at - text), key, sizeof key - 1));) {
        at += sizeof key - 1;
        unsigned long long begin, end;
        if (sscanf(at, "%llu,%llu]", &begin, &end) == 2 && end <= MOST && end > most)
            most = (size_t)end;
    }
    return most ? LENGTH_BYTES + length + most : 0;
}

const char *memory_file_model(const uint8_t *bytes, size_t size)
{
    uint64_t length = 0;
    if (size > LENGTH_BYTES)
        memcpy(&length, bytes, sizeof length);
    if (length == 0 || length > size - LENGTH_BYTES)
        return memory_file(bytes, size);
    char *text = strndup((const char *)bytes + LENGTH_BYTES, (size_t)length);
    const size_t wanted = text && strlen(text) == length ? size_wanted(text, (size_t)length) : 0;
    free(text);
    uint8_t *whole = wanted > size ? calloc(1, wanted) : NULL;
    if (whole)
        memcpy(whole, bytes, size);
    const char *path = memory_file(whole ? whole : bytes, whole ? wanted : size);
    free(whole);
    return path;
}
