/* SHA-256 of files: FIPS 180-4, sections 4.1.2, 5 and 6.2. */
#ifndef BRUME_DSP_SHA256_H
#define BRUME_DSP_SHA256_H

#include "dsp/error.h"

#include <stddef.h>

#define SHA256_BYTES 32
#define SHA256_ROOM  65 /* bytes of a digest in text, its end included */

/* Writes the SHA-256 of the regular file at `path` into hex: 64 lower-case hexadecimal digits and
 * the end. Returns 0; -1 with a message, and hex untouched, if it cannot be read or is no regular
 * file. Never waits for a pipe's other end. Any thread but the audio thread. */
int sha256_file(const char *path, char hex[SHA256_ROOM], Error *err);

/* The digest of n bytes, as 32 bytes. Any thread. */
void sha256_bytes(const void *bytes, size_t n, unsigned char digest[SHA256_BYTES]);

#endif
