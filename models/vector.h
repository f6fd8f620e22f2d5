/* Sixteen numbers at a time, for loops in functions marked KERNEL. Macros, since a function that
 * took or returned a vector would depend on what the processor has. */
#ifndef BRUME_MODELS_VECTOR_H
#define BRUME_MODELS_VECTOR_H

enum { VECTOR_LANES = 16 };

typedef float Vector __attribute__((vector_size(64), aligned(4), may_alias));

/* The sixteen numbers from `x` on, to be read or written; x need not be aligned. */
#define VECTOR_READ(x) (*(const Vector *)(x))
#define VECTOR_AT(x)   (*(Vector *)(x))

/* Makes every lane of v the sum of all of them: halves upon halves. */
#define VECTOR_FOLD(v, ...) ((v) += __builtin_shufflevector((v), (v), __VA_ARGS__))
#define VECTOR_SUM(v)                                                                              \
    (VECTOR_FOLD(v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7),                         \
     VECTOR_FOLD(v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11),                         \
     VECTOR_FOLD(v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13),                         \
     VECTOR_FOLD(v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14))

#endif
