/* A processor that lacks something, for programs that choose their kernels by what it has: linked
 * with copies of Brume's archives in which the names of what libgcc knows of the processor lead
 * here (Makefile). LEVEL says what there is: 4 AVX-512 without VNNI, 3 AVX2 and FMA, 2 SSSE3, 1
 * SSE2.
 *
 * FFTW chooses for itself: below AVX it is told that there is none. */
#include <stdbool.h>

/* As in gcc's cpuinfo.h, which is not installed. Clang's copy is the same. */
enum { SSSE3 = 6, AVX = 9, AVX2 = 10, SSE4A = 11, FMA4 = 12, XOP = 13, FMA = 14, AVX512F = 15 };
enum { AVX512_FIRST = 20, AVX512_LAST = 31, WORD = 32 };

typedef struct Model {
    unsigned vendor, type, subtype, features[1];
} Model;

extern Model __cpu_model;
int __cpu_indicator_init(void);

Model exact_cpu_model;
unsigned exact_cpu_features2[1]; /* GFNI, VNNI and the like: none */

int exact_cpu_indicator_init(void);

static unsigned from(int first, int last)
{
    unsigned bits = 0;
    for (int bit = first; bit <= last; bit++)
        bits |= 1U << bit;
    return bits;
}

/* Runs before anything of the program does, also before it is relocated: nothing may be called that
 * another library holds. */
int exact_cpu_indicator_init(void)
{
    __cpu_indicator_init();
    exact_cpu_model = __cpu_model;
    unsigned *features = exact_cpu_model.features;
    if (LEVEL < 4)
        *features &= ~(1U << AVX512F | from(AVX512_FIRST, AVX512_LAST));
    if (LEVEL < 3)
        *features &= ~from(AVX, FMA);
    if (LEVEL < 2)
        *features &= ~from(SSSE3, WORD - 1);
    return 0;
}

#if LEVEL < 3
int fftwf_have_simd_avx(void);

int fftwf_have_simd_avx(void)
{
    return 0;
}
#endif
