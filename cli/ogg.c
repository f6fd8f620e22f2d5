#include "cli/ogg.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Offsets into a page's header, RFC 3533 section 6. */
enum {
    AT_FLAGS = 5,
    AT_SERIAL = 14,
    AT_CHECKSUM = 22,
    AT_SEGMENTS = 26,
    HEADER = 27,
    LAST_PAGE = 4,
    PAGE_MAX = HEADER + 255 + 255 * 255
};

static void make_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i << 24;
        for (int bit = 0; bit < 8; bit++)
            value = value << 1 ^ (value >> 31 ? 0x04c11db7u : 0);
        table[i] = value;
    }
}

static void put_number(unsigned char *to, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(number >> 8 * i);
}

static bool read_all(int fd, unsigned char *data, size_t size, off_t at)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread(fd, data + done, size - done, at + (off_t)done);
        if (count == 0 || (count < 0 && errno != EINTR))
            return false;
        done += count > 0 ? (size_t)count : 0;
    }
    return true;
}

static bool write_all(int fd, const unsigned char *data, size_t size, off_t at)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = pwrite(fd, data + done, size - done, at + (off_t)done);
        if (count == 0 || (count < 0 && errno != EINTR))
            return false;
        done += count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* The whole page at `at` into `page` (PAGE_MAX). Its size, or 0. */
static size_t read_page(int fd, unsigned char *page, off_t at)
{
    if (!read_all(fd, page, HEADER, at) || memcmp(page, "OggS", 5) != 0)
        return 0;
    size_t segments = page[AT_SEGMENTS], size = HEADER + segments;
    if (!read_all(fd, page + HEADER, segments, at + HEADER))
        return 0;
    for (size_t i = 0; i < segments; i++)
        size += page[HEADER + i];
    size_t start = HEADER + segments;
    return read_all(fd, page + start, size - start, at + (off_t)start) ? size : 0;
}

int ogg_set_serial(int fd, uint32_t serial, Error *err)
{
    uint32_t table[256];
    make_table(table);
    off_t end = lseek(fd, 0, SEEK_END), at = 0;
    unsigned char *page = malloc(PAGE_MAX);
    if (page == NULL)
        return error_set(err, "out of memory");
    bool last = false, good = true;
    while (good && at < end) {
        size_t size = read_page(fd, page, at);
        last = size > 0 && (page[AT_FLAGS] & LAST_PAGE) != 0;
        put_number(page + AT_SERIAL, serial);
        put_number(page + AT_CHECKSUM, 0);
        uint32_t checksum = 0;
        for (size_t i = 0; i < size; i++)
            checksum = checksum << 8 ^ table[checksum >> 24 ^ page[i]];
        put_number(page + AT_CHECKSUM, checksum);
        good = size > 0 && write_all(fd, page, HEADER, at);
        at += (off_t)size;
    }
    free(page);
    if (!good || !last)
        return error_set(err, "the Ogg stream was not written whole: make room on the disk");
    return 0;
}
