#include "dsp/ring.h"

#include "dsp/pages.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "an index must be stored without a lock");

#define MAX_FRAMES   ((size_t)1 << 24)
#define MAX_CHANNELS 64
#define CACHE_LINE   64

/* One block of whole pages, so that locking and unlocking it touches nobody else's memory. */
struct Ring {
    alignas(CACHE_LINE) _Atomic uint64_t written; /* frames since the start; the producer's */
    alignas(CACHE_LINE) _Atomic uint64_t read;    /* frames since the start; the consumer's */
    alignas(CACHE_LINE) size_t room;              /* frames, a power of two */
    size_t channels;
    size_t bytes; /* of the block */
    bool locked;
    alignas(CACHE_LINE) float values[]; /* (room, channels) */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Bytes of a ring, whole pages; 0 if they cannot be addressed. */
static size_t block_bytes(size_t room, size_t channels)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t around = sizeof(Ring) + page - 1;
    if (room > (SIZE_MAX - around) / (channels * sizeof(float)))
        return 0;
    return (around + room * channels * sizeof(float)) / page * page;
}

Ring *ring_create(size_t frames, unsigned channels, Error *err)
{
    if (frames < 1 || frames > MAX_FRAMES) {
        error_set(err, "a ring of %zu frames: give 1 to %zu", frames, MAX_FRAMES);
        return NULL;
    }
    if (channels < 1 || channels > MAX_CHANNELS) {
        error_set(err, "a ring of %u channels: give 1 to %d", channels, MAX_CHANNELS);
        return NULL;
    }
    size_t room = 1;
    while (room < frames)
        room *= 2;
    const size_t bytes = block_bytes(room, channels);
    Ring *ring = bytes ? pages_alloc(1, bytes) : NULL;
    if (!ring) {
        error_set(err, "out of memory for a ring of %zu frames; close other programs", room);
        return NULL;
    }
    /* No page fault at the first lap, though locking should fail. */
    const bool locked = mlock(ring, bytes) == 0;
    pages_touch(ring, bytes);
    atomic_init(&ring->written, 0);
    atomic_init(&ring->read, 0);
    ring->room = room;
    ring->channels = channels;
    ring->bytes = bytes;
    ring->locked = locked;
    return ring;
}

void ring_destroy(Ring *ring)
{
    if (!ring)
        return;
    munlock(ring, ring->bytes); /* a failed mlock may have locked a part of it */
    pages_free(ring, 1, ring->bytes);
}

size_t ring_room(const Ring *ring)
{
    return ring->room;
}

bool ring_locked(const Ring *ring)
{
    return ring->locked;
}

size_t ring_writable(const Ring *ring)
{
    const uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    const uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    return ring->room - (size_t)(written - read);
}

size_t ring_write(Ring *ring, const float *frames, size_t n)
{
    const uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    const uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    const size_t count = smaller(n, ring->room - (size_t)(written - read));
    if (!count)
        return 0;
    const size_t at = (size_t)(written & (ring->room - 1));
    const size_t first = smaller(count, ring->room - at);
    const size_t frame = ring->channels * sizeof(float);
    memcpy(ring->values + at * ring->channels, frames, first * frame);
    memcpy(ring->values, frames + first * ring->channels, (count - first) * frame);
    atomic_store_explicit(&ring->written, written + count, memory_order_release);
    return count;
}

/* If `read` is the same after as before `written` was loaded, the difference was true at that
 * moment. The consumer, who alone moves `read`, always leaves at the first pass. */
size_t ring_readable(const Ring *ring)
{
    uint64_t again = atomic_load_explicit(&ring->read, memory_order_acquire);
    for (;;) {
        const uint64_t read = again;
        const uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
        again = atomic_load_explicit(&ring->read, memory_order_acquire);
        if (again == read)
            return (size_t)(written - read);
    }
}

size_t ring_read(Ring *ring, float *frames, size_t n)
{
    const uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    const uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    const size_t count = smaller(n, (size_t)(written - read));
    if (!count)
        return 0;
    const size_t at = (size_t)(read & (ring->room - 1));
    const size_t first = smaller(count, ring->room - at);
    const size_t frame = ring->channels * sizeof(float);
    memcpy(frames, ring->values + at * ring->channels, first * frame);
    memcpy(frames + first * ring->channels, ring->values, (count - first) * frame);
    atomic_store_explicit(&ring->read, read + count, memory_order_release);
    return count;
}

size_t ring_skip(Ring *ring, size_t n)
{
    const uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    const uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    const size_t count = smaller(n, (size_t)(written - read));
    atomic_store_explicit(&ring->read, read + count, memory_order_release);
    return count;
}

/* Like passing over all of it, so that whoever watches ring_readable sees nothing untrue. */
void ring_reset(Ring *ring)
{
    const uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    atomic_store_explicit(&ring->read, written, memory_order_release);
}
