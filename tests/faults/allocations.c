#include "tests/faults/allocations.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

enum { MOST = 65536 /* live blocks */, PAGE = 4096 };

static struct {
    pthread_mutex_t lock;
    void *live[MOST];
    size_t mapped;       /* bytes */
    size_t count, until; /* `until`: allocations before the one that fails, plus 1; 0: never */
    bool for_good, failed;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

void allocations_fail(size_t nth, bool for_good)
{
    pthread_mutex_lock(&state.lock);
    state.until = nth;
    state.for_good = for_good;
    state.failed = false;
    pthread_mutex_unlock(&state.lock);
}

bool allocations_failed(void)
{
    pthread_mutex_lock(&state.lock);
    const bool failed = state.failed;
    pthread_mutex_unlock(&state.lock);
    return failed;
}

size_t allocations_live(void)
{
    pthread_mutex_lock(&state.lock);
    const size_t count = state.count + state.mapped / PAGE;
    pthread_mutex_unlock(&state.lock);
    return count;
}

static bool fails(void)
{
    pthread_mutex_lock(&state.lock);
    const bool now = state.until == 1;
    if (state.until > 1)
        state.until--;
    else if (!state.for_good)
        state.until = 0;
    state.failed |= now;
    pthread_mutex_unlock(&state.lock);
    return now;
}

static void *keep(void *block)
{
    pthread_mutex_lock(&state.lock);
    if (block && state.count == MOST)
        abort();
    if (block)
        state.live[state.count++] = block;
    pthread_mutex_unlock(&state.lock);
    return block;
}

/* What the C library gave, as realpath does, is not in the list. */
static void forget(const void *block)
{
    pthread_mutex_lock(&state.lock);
    for (size_t i = state.count; i-- > 0;)
        if (state.live[i] == block) {
            state.live[i] = state.live[--state.count];
            break;
        }
    pthread_mutex_unlock(&state.lock);
}

static void *refuse(void)
{
    errno = ENOMEM;
    return NULL;
}

void *fault_malloc(size_t size)
{
    return fails() ? refuse() : keep(malloc(size));
}

void *fault_calloc(size_t count, size_t size)
{
    return fails() ? refuse() : keep(calloc(count, size));
}

void *fault_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? refuse() : keep(aligned_alloc(alignment, size));
}

int fault_posix_memalign(void **block, size_t alignment, size_t size)
{
    if (fails())
        return ENOMEM;
    const int failed = posix_memalign(block, alignment, size);
    if (!failed)
        keep(*block);
    return failed;
}

void *fault_realloc(void *block, size_t size)
{
    if (fails())
        return refuse();
    if (block)
        forget(block);
    return keep(realloc(block, size));
}

char *fault_strdup(const char *text)
{
    return fails() ? refuse() : keep(strdup(text));
}

char *fault_strndup(const char *text, size_t length)
{
    return fails() ? refuse() : keep(strndup(text, length));
}

void fault_free(void *block)
{
    if (block)
        forget(block);
    free(block);
}

static void add_mapped(size_t bytes)
{
    pthread_mutex_lock(&state.lock);
    state.mapped += bytes;
    pthread_mutex_unlock(&state.lock);
}

void *fault_mmap(void *where, size_t bytes, int protection, int flags, int file, off_t offset)
{
    if (fails()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *memory = mmap(where, bytes, protection, flags, file, offset);
    if (memory != MAP_FAILED)
        add_mapped(bytes);
    return memory;
}

int fault_munmap(void *memory, size_t bytes)
{
    const int failed = munmap(memory, bytes);
    if (!failed)
        add_mapped(-bytes);
    return failed;
}

int fault_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*function)(void *), void *user)
{
    return fails() ? EAGAIN : pthread_create(thread, attributes, function, user);
}
