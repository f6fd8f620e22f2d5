#include "dsp/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A huge page of x86-64 and of most others. */
static const size_t HUGE_PAGE = (size_t)2 << 20;

static size_t whole(size_t bytes, size_t page)
{
    return (bytes + page - 1) / page * page;
}

/* Whole huge pages for so many bytes; 0 where they would fill less than a quarter of one. */
static size_t huge_bytes(size_t bytes)
{
    return bytes < HUGE_PAGE / 4 ? 0 : whole(bytes, HUGE_PAGE);
}

static void *small_alloc(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = aligned_alloc(page, whole(bytes ? bytes : 1, page));
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void *pages_alloc(size_t count, size_t size)
{
    size_t wanted;
    if (__builtin_mul_overflow(count, size, &wanted) || wanted > SIZE_MAX - 2 * HUGE_PAGE)
        return NULL;
    const size_t bytes = huge_bytes(wanted);
    if (!bytes)
        return small_alloc(wanted);
    /* One more, to begin where a huge page does; what is left over goes back. */
    char *all =
        mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    const size_t before = (HUGE_PAGE - (uintptr_t)all % HUGE_PAGE) % HUGE_PAGE;
    if (before)
        munmap(all, before);
    munmap(all + before + bytes, HUGE_PAGE - before);
    /* A request: without it all works as well, with small pages. */
    (void)madvise(all + before, bytes, MADV_HUGEPAGE);
    return all + before;
}

/* Asks for all of them at once; an older kernel is asked by writing to each. */
void pages_touch(void *memory, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t begin = (uintptr_t)memory, first = (begin + page - 1) / page * page;
    const uintptr_t last = (begin + bytes) / page * page;
    if (last > first &&
        madvise((char *)memory + (first - begin), last - first, MADV_POPULATE_WRITE))
        for (uintptr_t at = first; at < last; at += page) {
            volatile char *byte = (char *)memory + (at - begin);
            const char kept = *byte;
            *byte = kept;
        }
}

void pages_free(void *memory, size_t count, size_t size)
{
    const size_t bytes = huge_bytes(count * size);
    if (bytes && memory)
        munmap(memory, bytes);
    else
        free(memory);
}
