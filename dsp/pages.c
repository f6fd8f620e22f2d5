#include "dsp/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* A huge page of x86-64 and of most others. */
static const size_t HUGE_PAGE = (size_t)2 << 20;

/* Whole huge pages for so many bytes; 0 where they fill none. */
static size_t huge_bytes(size_t bytes)
{
    return bytes < HUGE_PAGE ? 0 : (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

void *pages_alloc(size_t count, size_t size)
{
    size_t wanted;
    if (__builtin_mul_overflow(count, size, &wanted) || wanted > SIZE_MAX - 2 * HUGE_PAGE)
        return NULL;
    const size_t bytes = huge_bytes(wanted);
    if (!bytes)
        return calloc(count, size);
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

void pages_free(void *memory, size_t count, size_t size)
{
    const size_t bytes = huge_bytes(count * size);
    if (bytes && memory)
        munmap(memory, bytes);
    else
        free(memory);
}
