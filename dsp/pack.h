/* Packing: what a stream stands at as bytes, to be kept in a file and read again anywhere.
 *
 * All numbers are little-endian, whatever the machine. A packer grows as it is filled; an unpacker
 * trusts nothing: it never reads past the end, and refuses numbers that are not finite or out of
 * the range that is asked for. Both remember that something failed, so that a caller may look once,
 * at the end. Any thread, one at a time. */
#ifndef BRUME_DSP_PACK_H
#define BRUME_DSP_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised it is empty. */
typedef struct Packer {
    unsigned char *bytes; /* the owner's to free */
    size_t size, room;
    bool failed; /* out of memory */
} Packer;

void pack_whole(Packer *packer, uint64_t number);
void pack_real(Packer *packer, double number);
void pack_floats(Packer *packer, const float *numbers, size_t n);

/* n bytes as they are. */
void pack_bytes(Packer *packer, const void *bytes, size_t n);

typedef struct Unpacker {
    const unsigned char *at;
    size_t left; /* bytes */
    bool failed;
} Unpacker;

/* A number from 0 to `most`; 0 if that fails. */
uint64_t unpack_whole(Unpacker *unpacker, uint64_t most);

/* A finite number; 0 if that fails. */
double unpack_real(Unpacker *unpacker);

/* n finite numbers within +-most into numbers (n,), which are zeros if that fails. */
void unpack_floats(Unpacker *unpacker, float *numbers, size_t n, float most);

/* n bytes, or zeros if that fails. */
void unpack_bytes(Unpacker *unpacker, void *bytes, size_t n);

#endif
