/* Linear layers laid out for one vector at a time, in single precision or in whole numbers
 * of 8 bits (models/integer_product.h). All weights of a network lie in one allocation. */
#ifndef BRUME_MODELS_STEP_LAYERS_H
#define BRUME_MODELS_STEP_LAYERS_H

#include "models/integer_product.h"

#include <stddef.h>
#include <stdint.h>

enum {
    STEP_WIDTH = INTEGER_WIDTH, /* vectors are filled up with zeros to a multiple of this */
    STEP_OUTPUTS = 1536         /* of a layer of whole numbers, at most */
};

/* n, rounded up to whole STEP_WIDTH. */
size_t step_padded(size_t n);

/* rows (in, width), width = out padded: a product is a sum of scaled rows; bias (width,). */
typedef struct StepLayer {
    size_t in, out, width;
    const float *rows, *bias;
} StepLayer;

/* Weights in whole numbers, and what one of each output's is worth: scale (width,). The largest
 * weight of an output is INTEGER_WEIGHT of it. No bias: that stays in single precision. in and
 * width are padded. */
typedef struct StepWhole {
    size_t in, width;
    const uint8_t *rows;
    const float *scale;
} StepWhole;

/* Where weights are laid: first with values NULL, to count, then into `used` zeroed floats, 64-byte
 * aligned. */
typedef struct StepBuilder {
    float *values;
    size_t used;
    const float *weights; /* of the network, as models/parameters.h has them */
} StepBuilder;

/* Place for n floats, padded; NULL while counting. */
float *step_take(StepBuilder *builder, size_t n);

/* A copy of `count` vectors of n weights from `at` on, each padded. */
const float *step_lay_values(StepBuilder *builder, size_t at, size_t count, size_t n);

/* A layer's weights (out, in), and its bias at `b` (SIZE_MAX: none). */
StepLayer step_lay(StepBuilder *builder, size_t w, size_t b, size_t in, size_t out);

/* Some of a layer's weights (out, stride): those from `w` on of `in` inputs, INTEGER_INPUTS at
 * most, and of STEP_OUTPUTS outputs at most. */
StepWhole step_lay_whole(StepBuilder *builder, size_t w, size_t stride, size_t in, size_t out);

/* y (width,) += rows^T x (in,). */
void step_product(const StepLayer *layer, const float *x, float *y);

/* y (width,) = bias + product. */
void step_apply(const StepLayer *layer, const float *x, float *y);

/* Activations in whole numbers, each worth `unit`. */
typedef struct StepVector {
    float unit;
    IntegerVector whole;
} StepVector;

/* x (n,), padded, of which `most` is the largest size there may be: what is beyond is cut off. */
void step_round(size_t n, const float *x, float most, StepVector *out);

/* SiLU of x (n,), padded, rounded by its largest. */
void step_round_silu(size_t n, const float *x, StepVector *out);

/* y (width,) = base (width,) + the layer's product with x. */
void step_apply_whole(const StepWhole *layer, IntegerProduct *product, const StepVector *x,
                      const float *base, float *y);

#endif
