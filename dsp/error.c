#include "dsp/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
        char prefix[512];
        va_list args;
        va_start(args, format);
        vsnprintf(prefix, sizeof prefix, format, args);
        va_end(args);
        const size_t room = sizeof err->message;
        char rest[sizeof err->message];
        memcpy(rest, err->message, room);
        const int n = snprintf(err->message, room, "%s: ", prefix);
        const size_t used = n > 0 ? (size_t)n : 0;
        strncat(err->message, rest, room - used - 1);
    }
    return -1;
}
