/* What every target defines: libFuzzer calls it (make fuzz), and so does replay.c with the files of
 * the corpus (make check). It always returns 0; what goes wrong is the sanitizers' to find, or
 * ends the program. */
#ifndef BRUME_TESTS_FUZZ_H
#define BRUME_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
