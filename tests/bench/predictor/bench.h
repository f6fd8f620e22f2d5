/* Figures of the sample tier: what each verb of the program prints. */
#ifndef BRUME_TESTS_BENCH_PREDICTOR_BENCH_H
#define BRUME_TESTS_BENCH_PREDICTOR_BENCH_H

#include "dsp/error.h"

#include <stddef.h>

/* A whole file, mono, 16 kHz: samples and their number. Exits with a message when it cannot. */
float *bench_read(const char *path, size_t *n);

/* Exits with the message unless `ok`. */
void bench_need(int ok, const Error *err);

/* The file's name without its folder. */
const char *bench_name(const char *path);

/* Bits of 16-bit samples under the classical adaptive coders, file by file. */
int bench_classical(int files, char **paths);

/* Trains: structure, minutes, cache, folders to train on and held out, checkpoint, [--resume]. Of
 * the folders' recordings those that are ready in the cache are taken. */
int bench_train(int argc, char **argv);

/* Bits a sample of whole files without a plan: checkpoint, files. */
int bench_bits(int files, char **arguments);

/* Copy synthesis: checkpoint, temperature[:seed], cache, folder for the results, files. */
int bench_copy(int count, char **arguments);

/* A free run of 10 minutes: checkpoint, temperature[:seed], cache, file, seconds. */
int bench_soak(int count, char **arguments);

/* Writes what the network is shown of a recording: model, file, frames, result. */
int bench_inputs(int count, char **arguments);

/* Answers commands, see worker.c: steps|graph|play, model, file. */
int bench_worker(int count, char **arguments);

#endif
