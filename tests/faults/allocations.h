/* An allocator that runs out when it is told to. The archives that a test links with are copies in
 * which malloc and its like, mmap, and pthread_create are these (see the Makefile); the libraries
 * that Brume uses keep the real ones: FFTW ends the program when it has no memory, and jansson 2.14
 * writes past a token that it found no room for. One thread at a time asks for faults. */
#ifndef BRUME_TESTS_ALLOCATIONS_H
#define BRUME_TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the nth allocation or thread fails, n = 1 the next one, and of the later ones all if
 * `for_good`, else none. 0: none fails. */
void allocations_fail(size_t nth, bool for_good);

/* Whether one has failed since then. */
bool allocations_failed(void);

/* Blocks that were allocated and not freed, of those that this allocator gave, and pages mapped. */
size_t allocations_live(void);

#endif
