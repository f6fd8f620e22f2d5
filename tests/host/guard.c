#define _GNU_SOURCE /* RTLD_NEXT, REG_RIP */
#include "tests/host/guard.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)

bool guard_watches(void)
{
    return false;
}

bool guard_watches_system(void)
{
    return false;
}

HostGuarded guard_set(HostGuarded state)
{
    (void)state;
    return HOST_UNGUARDED;
}

long guard_violations(void)
{
    return 0;
}

GuardMemory guard_memory(void)
{
    return (GuardMemory){0, 0};
}

#else

#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { SHOWN = 8, DEPTH = 24 };

static _Thread_local HostGuarded guarded;
static _Thread_local char dispatch; /* what the kernel looks at: 1 = hand system calls over */
static _Thread_local bool asked, dispatched;
static atomic_long violations, bytes, blocks;

bool guard_watches(void)
{
    return true;
}

long guard_violations(void)
{
    return atomic_load(&violations);
}

GuardMemory guard_memory(void)
{
    return (GuardMemory){atomic_load(&bytes), atomic_load(&blocks)};
}

/* Counts a violation and shows where it was, with the guard down. */
static void blame(const char *what)
{
    void *callers[DEPTH];
    if (atomic_fetch_add(&violations, 1) >= SHOWN)
        return;
    fprintf(stderr, "guard: %s on the audio thread, called from\n", what);
    backtrace_symbols_fd(callers, backtrace(callers, DEPTH), STDERR_FILENO);
}

/* Lets the thread do what it may not do, once it is blamed for it. Returns the state to go back to.
 */
static HostGuarded caught(const char *what, bool waits)
{
    const HostGuarded was = guarded;
    if (was == HOST_UNGUARDED)
        return was;
    guard_set(HOST_UNGUARDED);
    if (was != HOST_MAY_WAIT || !waits)
        blame(what);
    return was;
}

static void count(void *block, long sign)
{
    if (!block)
        return;
    atomic_fetch_add_explicit(&bytes, sign * (long)malloc_usable_size(block), memory_order_relaxed);
    atomic_fetch_add_explicit(&blocks, sign, memory_order_relaxed);
}

#define CALLED_BY_ALL __attribute__((visibility("default")))

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t n);
void *__libc_memalign(size_t alignment, size_t n);
void __libc_free(void *block);

CALLED_BY_ALL void *malloc(size_t n)
{
    const HostGuarded was = caught("malloc", false);
    void *block = __libc_malloc(n);
    count(block, 1);
    guard_set(was);
    return block;
}

CALLED_BY_ALL void *calloc(size_t n, size_t size)
{
    const HostGuarded was = caught("calloc", false);
    void *block = __libc_calloc(n, size);
    count(block, 1);
    guard_set(was);
    return block;
}

CALLED_BY_ALL void *realloc(void *block, size_t n)
{
    const HostGuarded was = caught("realloc", false);
    count(block, -1);
    void *moved = __libc_realloc(block, n);
    count(moved ? moved : n > 0 ? block : NULL, 1);
    guard_set(was);
    return moved;
}

CALLED_BY_ALL void *memalign(size_t alignment, size_t n)
{
    const HostGuarded was = caught("an aligned allocation", false);
    void *block = __libc_memalign(alignment, n);
    count(block, 1);
    guard_set(was);
    return block;
}

CALLED_BY_ALL void *aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

CALLED_BY_ALL int posix_memalign(void **block, size_t alignment, size_t n)
{
    void *there = memalign(alignment, n);
    if (!there)
        return ENOMEM;
    *block = there;
    return 0;
}

CALLED_BY_ALL void free(void *block)
{
    if (!block)
        return;
    const HostGuarded was = caught("free", false);
    count(block, -1);
    __libc_free(block);
    guard_set(was);
}

/* A call of libc's that would wait, or might: caught by name, for it need not enter the system. */
#define WATCHED(name, parameters, arguments, waits)                                                \
    CALLED_BY_ALL int name parameters                                                              \
    {                                                                                              \
        static int(*_Atomic real) parameters;                                                      \
        const HostGuarded was = caught(#name, waits);                                              \
        if (!real) {                                                                               \
            int(*found) parameters;                                                                \
            void *symbol = dlsym(RTLD_NEXT, #name);                                                \
            memcpy(&found, &symbol, sizeof found);                                                 \
            real = found;                                                                          \
        }                                                                                          \
        const int result = real arguments;                                                         \
        const int error = errno;                                                                   \
        guard_set(was);                                                                            \
        errno = error;                                                                             \
        return result;                                                                             \
    }

WATCHED(pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex), false)
WATCHED(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock), false)
WATCHED(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock), false)
WATCHED(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex), (condition, mutex),
        false)
WATCHED(sem_wait, (sem_t * semaphore), (semaphore), false)
WATCHED(nanosleep, (const struct timespec *time, struct timespec *rest), (time, rest), true)

#if defined(__x86_64__) && defined(PR_SET_SYSCALL_USER_DISPATCH)

/* The system call is made after all, and no other is caught before the guard is set anew. */
static void on_system_call(int signal, siginfo_t *info, void *context)
{
    ucontext_t *at = context;
    (void)signal;
    dispatch = SYSCALL_DISPATCH_FILTER_ALLOW;
    const HostGuarded was = guarded;
    guarded = HOST_UNGUARDED;
    char what[48];
    snprintf(what, sizeof what, "system call %d", info->si_syscall);
    blame(what);
    guarded = was;
    at->uc_mcontext.gregs[REG_RIP] -= 2;
    at->uc_mcontext.gregs[REG_RAX] = info->si_syscall;
}

static void ask_for_dispatch(void)
{
    struct sigaction action = {.sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
    void *callers[1];
    asked = true;
    backtrace(callers, 1); /* the first call loads a library */
    dispatched =
        !sigaction(SIGSYS, &action, NULL) &&
        !prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0UL, 0UL, (char *)&dispatch);
}

#else

enum { SYSCALL_DISPATCH_FILTER_ALLOW, SYSCALL_DISPATCH_FILTER_BLOCK };

static void ask_for_dispatch(void)
{
    asked = true;
}

#endif

HostGuarded guard_set(HostGuarded state)
{
    const HostGuarded was = guarded;
    if (state == was)
        return was;
    dispatch = SYSCALL_DISPATCH_FILTER_ALLOW;
    guarded = HOST_UNGUARDED;
    if (state == HOST_UNGUARDED)
        return was;
    if (!asked)
        ask_for_dispatch();
    guarded = state;
    if (dispatched)
        dispatch = SYSCALL_DISPATCH_FILTER_BLOCK;
    return was;
}

bool guard_watches_system(void)
{
    guard_set(guard_set(HOST_GUARDED));
    return dispatched;
}

#endif
