/* A guard for the audio thread, linked into a program that plays the plugin: while it is up, every
 * allocation, lock and system call of the calling thread is a violation, counted and shown with its
 * callers on standard error. Symbols of the program come before libc's, so allocations and locks
 * are caught by name; Linux (from 5.11 on, x86-64) hands over every system call. It also counts
 * what the whole process has allocated, to the byte. With a sanitizer, whose place it would take,
 * it watches nothing. */
#ifndef BRUME_TESTS_GUARD_H
#define BRUME_TESTS_GUARD_H

#include "tests/host/host.h"

#include <stdbool.h>

/* Whether anything is watched, and whether that includes system calls. */
bool guard_watches(void);
bool guard_watches_system(void);

/* Of the calling thread, for HostKind.guard: takes on the state, and returns the one before. */
HostGuarded guard_set(HostGuarded state);

/* Violations of all threads so far. */
long guard_violations(void);

/* What is allocated in the process now: bytes as malloc_usable_size counts them, and blocks. */
typedef struct GuardMemory {
    long bytes, blocks;
} GuardMemory;
GuardMemory guard_memory(void);

#endif
