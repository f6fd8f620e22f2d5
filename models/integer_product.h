/* Products of a matrix with one vector in whole numbers, for a network that is asked for one answer
 * at a time: its weights come from memory for each, so a quarter of the bytes is a multiple of the
 * speed, and sums are exact, so every instruction set gives the same bits.
 *
 * Weights are whole numbers of 7 bits, -INTEGER_WEIGHT..INTEGER_WEIGHT, kept with INTEGER_OFFSET
 * added, and activations of 8 bits, -INTEGER_MOST..INTEGER_MOST: so that two products together fit
 * in 16 bits, in which AVX2 adds them. What they are worth is the caller's. Four inputs lie side by
 * side for each output, as x86's multiply-add of bytes wants them. Any thread, no allocation, no
 * failure. */
#ifndef BRUME_MODELS_INTEGER_PRODUCT_H
#define BRUME_MODELS_INTEGER_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

enum {
    INTEGER_WEIGHT = 63,
    INTEGER_OFFSET = 64,
    INTEGER_MOST = 127,
    INTEGER_INPUTS = 512, /* at most */
    INTEGER_PANEL = 64,
    INTEGER_WIDTH = 16 /* inputs and outputs come in multiples of this */
};

/* Activations and their sum, for as many inputs as a matrix has. */
typedef struct IntegerVector {
    int32_t sum;
    int8_t x[INTEGER_INPUTS];
} IntegerVector;

/* y (width,) = the sums over `in` inputs of weight times activation. rows: panel after panel of
 * INTEGER_PANEL outputs (the last may have fewer), each (in / 4, outputs, 4), so that it is read
 * from end to end; 64-byte aligned. Stretches of 16 zeros in x cost little. */
typedef void IntegerProduct(size_t in, size_t width, const uint8_t *rows, const IntegerVector *x,
                            int32_t *y);

/* Where in rows the weight of an input and an output lies. */
size_t integer_place(size_t in, size_t width, size_t input, size_t output);

/* In order of preference, the last first. */
typedef enum IntegerKernel {
    INTEGER_PLAIN, /* C */
    INTEGER_SSSE3,
    INTEGER_AVX2,
    INTEGER_VNNI, /* AVX-512 with VNNI */
    INTEGER_KERNELS
} IntegerKernel;

/* NULL where this processor has not got it. */
IntegerProduct *integer_product_for(IntegerKernel kernel);

/* The fastest that this processor has. */
IntegerProduct *integer_product_best(void);

/* x (n,) times `factor`, rounded to whole numbers and kept within -INTEGER_MOST..INTEGER_MOST (a
 * NaN becomes one of the two). n is a multiple of INTEGER_WIDTH, INTEGER_INPUTS at most. */
void integer_round(size_t n, float factor, const float *x, IntegerVector *out);

#endif
