/* A folder for a test program's files, and the shell to fill it with. Once per program, after
 * cmocka.h. */
#ifndef BRUME_TESTS_FOLDER_H
#define BRUME_TESTS_FOLDER_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char root[] = "/tmp/brume-test-XXXXXX";

/* root + "/" + name, in one of a few buffers. */
static inline const char *at(const char *name)
{
    static char paths[8][4096];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static inline void shell(const char *format, ...)
{
    char command[9000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    assert_int_equal(system(command), 0);
}

/* The last thing to do. */
static inline int folder_remove(void **state)
{
    (void)state;
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

#endif
