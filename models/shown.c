#include "models/shown.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *shown_text(const char *text, char *out, size_t room)
{
    size_t n = strlen(text);
    const bool cut = n >= room;
    if (cut) {
        n = room - 4;
        while (n && ((unsigned char)text[n] & 0xc0u) == 0x80u)
            n--;
    }
    for (size_t i = 0; i < n; i++) {
        const unsigned char byte = (unsigned char)text[i];
        out[i] = byte < 0x20 || byte == 0x7f ? '?' : text[i];
    }
    memcpy(out + n, cut ? "..." : "", cut ? 4 : 1);
    return out;
}

const char *shown_shape(size_t rank, const size_t *shape, char out[SHOWN_SHAPE_ROOM])
{
    size_t used = (size_t)snprintf(out, SHOWN_SHAPE_ROOM, "[");
    for (size_t i = 0; i < rank && used < SHOWN_SHAPE_ROOM; i++)
        used +=
            (size_t)snprintf(out + used, SHOWN_SHAPE_ROOM - used, i ? ", %zu" : "%zu", shape[i]);
    if (used < SHOWN_SHAPE_ROOM)
        snprintf(out + used, SHOWN_SHAPE_ROOM - used, "]");
    return out;
}
