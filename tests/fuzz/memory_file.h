/* A file in memory that has a path, for readers that take a path. */
#ifndef BRUME_TESTS_MEMORY_FILE_H
#define BRUME_TESTS_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The path of the file, which holds these bytes until the next call. Ends the program if there can
 * be none. One thread. */
const char *memory_file(const uint8_t *bytes, size_t size);

/* The same for a safetensors file whose last tensors may be cut off: zeros take their place, so
 * that what a corpus keeps, and a fuzzer changes, is what matters of a model. */
const char *memory_file_model(const uint8_t *bytes, size_t size);

#endif
