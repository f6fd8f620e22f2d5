/* The denoiser: a residual network of dilated convolutions over time, bands as channels, that looks
 * at a noisy piece of spectrogram and says what is noise in it.
 *
 * A trunk after WaveNet's and DiffWave's (Kong et al. 2021): kernel 3, dilations that reach both
 * ways, layer norm and FiLM for what a window is told: the noise level (as half-log-SNR), its mix
 * of classes, a memory (the mean of other frames of the same sound, so that a stream stays the rain
 * that it is), and what went before it in outline. Frames that are already known, the prefix, come
 * in clean and marked. A refiner (models/refiner.h) adds what the trunk can't: detail that is alike
 * at every pitch. */
#ifndef BRUME_MODELS_DENOISER_H
#define BRUME_MODELS_DENOISER_H

#include "dsp/error.h"
#include "models/parameters.h"
#include "models/real.h"
#include "models/refiner.h"

#include <stdbool.h>
#include <stddef.h>

#define DENOISER_MAX_BLOCKS 32

/* The shape of a network. */
typedef struct DenoiserConfig {
    size_t bands;                          /* channels in and out, 1..4096 */
    size_t channels;                       /* of the trunk, 8..2048 */
    size_t condition;                      /* width of the conditioning vector, 8..2048 */
    size_t classes;                        /* 1..256 */
    size_t past;                           /* values about what went before, 1..4096 */
    size_t blocks;                         /* 1..DENOISER_MAX_BLOCKS */
    size_t dilations[DENOISER_MAX_BLOCKS]; /* frames, 1..1024, one a block */
    RefinerConfig refiner;
} DenoiserConfig;

/* What one call treats: `windows` windows of `frames` frames. rows = windows * frames. */
typedef struct DenoiserInput {
    size_t windows, frames;
    const real *x;            /* (rows, bands): noisy frames; clean ones where known */
    const real *known;        /* (rows,): 1 for frames of the prefix, else 0 */
    const real *half_log_snr; /* (windows,) noise levels, lambda = ln(alpha / sigma) */
    const real *mix;          /* (windows, classes): weights of classes, summing to 1 */
    const real *memory;       /* (windows, bands): mean frame of other parts of the sound */
    const real *past;         /* (windows, past): the sound before the window, in outline */
} DenoiserInput;

typedef struct Denoiser Denoiser;         /* shape and parameter layout; immutable */
typedef struct DenoiserPass DenoiserPass; /* working space of one thread */

/* NULL with a message when the shape is out of range or memory runs out. */
Denoiser *denoiser_create(const DenoiserConfig *config, Error *err);
void denoiser_destroy(Denoiser *denoiser);
const DenoiserConfig *denoiser_config(const Denoiser *denoiser);
const Parameters *denoiser_parameters(const Denoiser *denoiser);

/* Multiply-adds of one frame in one step. */
double denoiser_cost(const Denoiser *denoiser);

/* Space for up to `rows` rows in `windows` windows; `training` keeps what the way back needs.
 * The denoiser must outlive it. One thread at a time. */
DenoiserPass *denoiser_pass_create(const Denoiser *denoiser, size_t windows, size_t rows,
                                   bool training, Error *err);
void denoiser_pass_destroy(DenoiserPass *pass);

/* input -> out (rows, bands), the raw prediction (epsilon or v). weights (parameters_size,). */
void denoiser_forward(DenoiserPass *pass, const real *weights, const DenoiserInput *input,
                      real *out);

/* After denoiser_forward in a training pass on the same input: dout (rows, bands), the gradient of
 * the loss by the prediction -> gradients (parameters_size,), added to. */
void denoiser_backward(DenoiserPass *pass, const real *weights, const DenoiserInput *input,
                       const real *dout, real *gradients);

#endif
