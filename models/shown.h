/* What an untrusted file says, made fit for a message of one line. Any thread; nothing is
 * allocated. */
#ifndef BRUME_MODELS_SHOWN_H
#define BRUME_MODELS_SHOWN_H

#include <stddef.h>

enum { SHOWN_SHAPE_ROOM = 192 };

/* Writes `text` into out (room,), cut at a whole UTF-8 character with "..." if it is longer, and
 * '?' for each control character, none of which may move a terminal's cursor. room >= 4. Returns
 * out. */
const char *shown_text(const char *text, char *out, size_t room);

/* Writes shape (rank,) as "[2, 3]", cut if it is longer than there is room. Returns out. */
const char *shown_shape(size_t rank, const size_t *shape, char out[SHOWN_SHAPE_ROOM]);

#endif
