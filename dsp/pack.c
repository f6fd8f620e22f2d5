#include "dsp/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLE = 8, FLOAT = 4 };

/* Room for n more bytes, or NULL. */
static unsigned char *extend(Packer *packer, size_t n)
{
    if (packer->failed)
        return NULL;
    if (n > packer->room - packer->size) {
        const size_t room = 2 * packer->room + n;
        unsigned char *bytes = realloc(packer->bytes, room);
        packer->failed = !bytes;
        if (!bytes)
            return NULL;
        packer->bytes = bytes;
        packer->room = room;
    }
    packer->size += n;
    return packer->bytes + packer->size - n;
}

static void put(unsigned char *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(number >> (8 * i) & 0xff);
}

static uint64_t get(const unsigned char *at, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

void pack_whole(Packer *packer, uint64_t number)
{
    unsigned char *at = extend(packer, WHOLE);
    if (at)
        put(at, number, WHOLE);
}

void pack_real(Packer *packer, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    pack_whole(packer, bits);
}

void pack_floats(Packer *packer, const float *numbers, size_t n)
{
    unsigned char *at = extend(packer, n * FLOAT);
    for (size_t i = 0; at && i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &numbers[i], sizeof bits);
        put(at + i * FLOAT, bits, FLOAT);
    }
}

void pack_bytes(Packer *packer, const void *bytes, size_t n)
{
    unsigned char *at = extend(packer, n);
    if (at && n > 0)
        memcpy(at, bytes, n);
}

/* The next n bytes, or NULL. */
static const unsigned char *take(Unpacker *unpacker, size_t n)
{
    if (unpacker->failed || n > unpacker->left) {
        unpacker->failed = true;
        return NULL;
    }
    unpacker->at += n;
    unpacker->left -= n;
    return unpacker->at - n;
}

uint64_t unpack_whole(Unpacker *unpacker, uint64_t most)
{
    const unsigned char *at = take(unpacker, WHOLE);
    const uint64_t number = at ? get(at, WHOLE) : 0;
    if (number <= most)
        return number;
    unpacker->failed = true;
    return 0;
}

double unpack_real(Unpacker *unpacker)
{
    const uint64_t bits = unpack_whole(unpacker, UINT64_MAX);
    double number;
    memcpy(&number, &bits, sizeof number);
    if (isfinite(number))
        return number;
    unpacker->failed = true;
    return 0.0;
}

void unpack_floats(Unpacker *unpacker, float *numbers, size_t n, float most)
{
    const unsigned char *at = n <= SIZE_MAX / FLOAT ? take(unpacker, n * FLOAT) : NULL;
    bool good = at != NULL;
    for (size_t i = 0; good && i < n; i++) {
        const uint32_t bits = (uint32_t)get(at + i * FLOAT, FLOAT);
        memcpy(&numbers[i], &bits, sizeof bits);
        good = fabsf(numbers[i]) <= most; /* NaN is not */
    }
    if (good)
        return;
    unpacker->failed = true;
    memset(numbers, 0, n * sizeof *numbers);
}

void unpack_bytes(Unpacker *unpacker, void *bytes, size_t n)
{
    const unsigned char *at = take(unpacker, n);
    if (at && n > 0)
        memcpy(bytes, at, n);
    else
        memset(bytes, 0, n);
}
