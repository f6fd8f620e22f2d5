/* Parameters: the trained tensors of a network, by name, in one array, so that the optimiser, the
 * checkpoint and the average over them treat a network as a vector. */
#ifndef BRUME_MODELS_PARAMETERS_H
#define BRUME_MODELS_PARAMETERS_H

#include "dsp/error.h"
#include "models/real.h"

#include <stddef.h>
#include <stdint.h>

/* No network has more values: 256 MiB of them, twelve times the largest that is trained by default.
 * A model's file can ask for a network of any size within its limits, of which this is one. */
#define PARAMETERS_MOST ((size_t)1 << 26)

typedef struct Parameters Parameters;

/* One tensor: values offset..offset+size-1 of the array, row-major in `shape`. */
typedef struct ParameterInfo {
    const char *name;
    size_t rank, shape[3];
    size_t offset, size;
} ParameterInfo;

/* How a tensor begins. */
typedef enum { PARAMETER_ZERO, PARAMETER_FAN_IN } ParameterStart;

Parameters *parameters_create(Error *err);
void parameters_destroy(Parameters *parameters);

/* Appends a tensor; shape (rank,), rank 1..3. FAN_IN: Gaussian with variance 1 / (product of all
 * sizes but the first). Returns its offset; parameters_ok() tells afterwards whether all is well.
 */
size_t parameters_add(Parameters *parameters, const char *name, ParameterStart start, size_t rank,
                      const size_t *shape);
int parameters_ok(const Parameters *parameters, Error *err);

/* Number of tensors, of values in all, and a tensor's description. */
size_t parameters_count(const Parameters *parameters);
size_t parameters_size(const Parameters *parameters);
const ParameterInfo *parameters_info(const Parameters *parameters, size_t index);

/* Writes the starting values into values (size,): a pure function of the seed. */
void parameters_start(const Parameters *parameters, uint64_t seed, real *values);

#endif
