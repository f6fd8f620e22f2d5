#include "dsp/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef error_set
#undef error_prefix

int error_set(Error *err, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return -1;
}

int error_prefix(Error *err, const char *format, ...)
{
    if (err) {
        char prefix[512], rest[sizeof err->message];
        va_list args;
        va_start(args, format);
        vsnprintf(prefix, sizeof prefix, format, args);
        va_end(args);
        memcpy(rest, err->message, sizeof rest);
        /* A message that is too long loses its end. */
        int length = snprintf(err->message, sizeof err->message, "%s: ", prefix);
        for (const char *from = rest; *from && length + 1 < (int)sizeof err->message; from++)
            err->message[length++] = *from;
        err->message[length] = '\0';
    }
    return -1;
}
