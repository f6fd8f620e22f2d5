/* Loops for the processor at hand. */
#ifndef BRUME_DSP_KERNEL_H
#define BRUME_DSP_KERNEL_H

/* Compiles a loop for several instruction sets and picks one when the program starts. Sanitizers
 * run before the choice can be made, and the double build has no need of it. For static functions
 * only: clang 14 gives others a name that no other file can find. */
#if defined(__x86_64__) && !defined(BRUME_DOUBLE) && !defined(__SANITIZE_ADDRESS__) &&             \
    !defined(__SANITIZE_THREAD__) && !defined(BRUME_BASELINE)
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KERNEL
#endif
#endif
#ifndef KERNEL
#define KERNEL __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#else
#define KERNEL
#endif

#endif
