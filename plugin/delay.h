/* What comes in, some time later: beside sound that is late by a constant, the input that passes
 * must be as late. Audio thread, but for creation and destruction. */
#ifndef BRUME_PLUGIN_DELAY_H
#define BRUME_PLUGIN_DELAY_H

#include "dsp/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Delay Delay;

/* The longest delay: far more than a model whose frames are as short as sound asks for has. Others
 * transform nothing. */
#define DELAY_SECONDS 4.0

/* Stereo, at `rate` Hz. NULL with a message out of memory. Not on the audio thread. */
Delay *delay_create(double rate, Error *err);
void delay_destroy(Delay *delay);

/* As if there had been silence for ever. */
void delay_reset(Delay *delay);

/* Takes n frames and replaces them by those that came `by` frames (DELAY_SECONDS at most) before.
 * When `by` changes, the old delay fades into the new one; after a reset it is at once there. */
void delay_run(Delay *delay, uint64_t by, float *left, float *right, uint32_t n);

#endif
