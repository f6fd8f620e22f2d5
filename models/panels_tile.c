/* The tiles' inner loops, for each instruction set. */
#include "models/panels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define UNROLLED _Pragma("GCC unroll 12")

/* Inputs whose weights are asked for ahead of need: where rows are few they come from afar. */
enum { AHEAD = 32, LINE = 16 };

/* Defines NAME: the product of `rows` rows with VECTORS vectors of each input's weights. All sums
 * stay in registers, since every caller gives `rows` as a constant. */
#define DEFINE_BLOCK(NAME, ATTRIBUTES, VECTOR, LANES, MOST_ROWS, VECTORS, LOAD, EVERY, ADD, STORE) \
    ATTRIBUTES static inline __attribute__((always_inline)) void NAME(                             \
        size_t rows, size_t in, const float *x, size_t stride, const float *panel, float *tile)    \
    {                                                                                              \
        VECTOR sums[MOST_ROWS][VECTORS];                                                           \
        UNROLLED for (size_t r = 0; r < rows; r++) UNROLLED for (size_t v = 0; v < (VECTORS); v++) \
            sums[r][v] = EVERY(0.0f);                                                              \
        for (size_t i = 0; i < in; i++, panel += PANELS_WIDTH) {                                   \
            VECTOR w[VECTORS];                                                                     \
            UNROLLED for (size_t o = 0; o < (VECTORS) * (LANES); o += LINE)                        \
                __builtin_prefetch(panel + AHEAD * PANELS_WIDTH + o);                              \
            UNROLLED for (size_t v = 0; v < (VECTORS); v++) w[v] = LOAD(panel + v * (LANES));      \
            UNROLLED for (size_t r = 0; r < rows; r++)                                             \
            {                                                                                      \
                const VECTOR value = EVERY(x[r * stride + i]);                                     \
                UNROLLED for (size_t v = 0; v < (VECTORS); v++) sums[r][v] =                       \
                    ADD(value, w[v], sums[r][v]);                                                  \
            }                                                                                      \
        }                                                                                          \
        UNROLLED for (size_t r = 0; r < rows; r++) UNROLLED for (size_t v = 0; v < (VECTORS); v++) \
            STORE(tile + r * PANELS_WIDTH + v * (LANES), sums[r][v]);                              \
    }

#define CASE(BLOCK, ROWS)                                                                          \
    case ROWS:                                                                                     \
        BLOCK(ROWS, in, x, stride, panel, tile);                                                   \
        break

/* Goes through a tile in blocks of at most MOST_ROWS rows by WIDTH outputs. */
#define DEFINE_TILE(NAME, ATTRIBUTES, ROWS_OF_BLOCK, MOST_ROWS, WIDTH)                             \
    ATTRIBUTES static void NAME(size_t rows, size_t in, const float *x, size_t stride,             \
                                const float *panel, float *tile)                                   \
    {                                                                                              \
        const size_t blocks = (rows + (MOST_ROWS)-1) / (MOST_ROWS);                                \
        for (size_t b = 0, done = 0; b < blocks; b++) {                                            \
            const size_t n = (rows - done + blocks - b - 1) / (blocks - b);                        \
            for (size_t o = 0; o < PANELS_WIDTH; o += (WIDTH))                                     \
                ROWS_OF_BLOCK(n, in, x + done * stride, stride, panel + o,                         \
                              tile + done * PANELS_WIDTH + o);                                     \
            done += n;                                                                             \
        }                                                                                          \
    }

/* Four lanes, which every compiler can do on every processor. A macro for each operation, since a
 * function that returned a vector would depend on what the processor has. */
typedef float Vector4 __attribute__((vector_size(16), aligned(4), may_alias));
#define LOAD4(at)           (*(const Vector4 *)(at))
#define EVERY4(value)       ((Vector4){(value), (value), (value), (value)})
#define ADD4(x, w, sum)     ((x) * (w) + (sum))
#define STORE4(at, vector4) (*(Vector4 *)(at) = (vector4))
DEFINE_BLOCK(block_baseline, , Vector4, 4, 4, 2, LOAD4, EVERY4, ADD4, STORE4)

static void rows_baseline(size_t rows, size_t in, const float *x, size_t stride, const float *panel,
                          float *tile)
{
    switch (rows) {
        CASE(block_baseline, 1);
        CASE(block_baseline, 2);
        CASE(block_baseline, 3);
        CASE(block_baseline, 4);
    }
}

DEFINE_TILE(tile_baseline, , rows_baseline, 4, 8)

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2,fma")))
DEFINE_BLOCK(block_avx2, AVX2, __m256, 8, 6, 2, _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps,
             _mm256_storeu_ps)

AVX2 static void rows_avx2(size_t rows, size_t in, const float *x, size_t stride,
                           const float *panel, float *tile)
{
    switch (rows) {
        CASE(block_avx2, 1);
        CASE(block_avx2, 2);
        CASE(block_avx2, 3);
        CASE(block_avx2, 4);
        CASE(block_avx2, 5);
        CASE(block_avx2, 6);
    }
}

DEFINE_TILE(tile_avx2, AVX2, rows_avx2, 6, 16)

#define AVX512 __attribute__((target("avx512f")))
DEFINE_BLOCK(block_avx512, AVX512, __m512, 16, PANELS_ROWS, 2, _mm512_loadu_ps, _mm512_set1_ps,
             _mm512_fmadd_ps, _mm512_storeu_ps)

AVX512 static void tile_avx512(size_t rows, size_t in, const float *x, size_t stride,
                               const float *panel, float *tile)
{
    switch (rows) {
        CASE(block_avx512, 1);
        CASE(block_avx512, 2);
        CASE(block_avx512, 3);
        CASE(block_avx512, 4);
        CASE(block_avx512, 5);
        CASE(block_avx512, 6);
        CASE(block_avx512, 7);
        CASE(block_avx512, 8);
        CASE(block_avx512, 9);
        CASE(block_avx512, 10);
        CASE(block_avx512, 11);
        CASE(block_avx512, 12);
    }
}

bool panels_has(PanelsPath path)
{
    switch (path) {
    case PANELS_BASELINE:
        return true;
    case PANELS_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case PANELS_AVX512:
        return __builtin_cpu_supports("avx512f");
    default:
        return false;
    }
}

PanelsTile panels_tile(PanelsPath path)
{
    static const PanelsTile tiles[PANELS_PATHS] = {tile_baseline, tile_avx2, tile_avx512};
    return tiles[path];
}

#else

bool panels_has(PanelsPath path)
{
    return path == PANELS_BASELINE;
}

PanelsTile panels_tile(PanelsPath path)
{
    (void)path;
    return tile_baseline;
}

#endif

PanelsPath panels_best(void)
{
    for (int path = PANELS_PATHS - 1; path > PANELS_BASELINE; path--)
        if (panels_has((PanelsPath)path))
            return (PanelsPath)path;
    return PANELS_BASELINE;
}

const char *panels_name(PanelsPath path)
{
    static const char *const names[PANELS_PATHS] = {"baseline", "AVX2", "AVX-512"};
    return names[path];
}
