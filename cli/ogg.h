/* Ogg pages, as far as a file that is the same to the bit each time needs them. */
#ifndef BRUME_CLI_OGG_H
#define BRUME_CLI_OGG_H

#include <stdint.h>

#include "dsp/error.h"

/* Gives every page of the Ogg file open for reading and writing at `fd` the stream number `serial`,
 * and the checksum that goes with it (RFC 3533, section 6), in place. libsndfile draws that number
 * from the clock and offers no way to choose it. -1 if the file is no whole sequence of pages with
 * a last one marked so, or cannot be read or written; it is then spoilt. */
int ogg_set_serial(int fd, uint32_t serial, Error *err);

#endif
