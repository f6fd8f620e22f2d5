/* Denormal numbers count as zero inside run(): they never leave the plugin, and never slow it down.
 * The host's own setting is put back. */
#ifndef BRUME_PLUGIN_DENORMALS_H
#define BRUME_PLUGIN_DENORMALS_H

#include <stdint.h>

#if defined(__SSE2__)
#include <xmmintrin.h>

static inline uint64_t denormals_off(void)
{
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040U); /* flush to zero, denormals are zero */
    return before;
}

static inline void denormals_restore(uint64_t before)
{
    _mm_setcsr((unsigned)before);
}

#elif defined(__aarch64__)

static inline uint64_t denormals_off(void)
{
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (UINT64_C(1) << 24))); /* flush to zero */
    return before;
}

static inline void denormals_restore(uint64_t before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
}

#else

static inline uint64_t denormals_off(void)
{
    return 0;
}

static inline void denormals_restore(uint64_t before)
{
    (void)before;
}

#endif
#endif
