/* The forward process of diffusion in closed form, and what a network can be trained to predict.
 *
 * Throughout, x_t = alpha x_0 + sigma epsilon with alpha and sigma of diffusion_scales() at
 * half-log-SNR lambda. Arrays hold n values, of any shape and unit that the caller keeps (features
 * scaled to about unit variance). Nothing is allocated; any thread; nothing can fail. An output may
 * be the very array of an input, but not overlap one otherwise. */
#ifndef BRUME_MODELS_DIFFUSION_H
#define BRUME_MODELS_DIFFUSION_H

#include "dsp/error.h"
#include "models/schedule.h"

#include <stddef.h>

/* What the network's raw output estimates: the noise (Ho et al. 2020), or the velocity
 * v = alpha epsilon - sigma x_0 (Salimans & Ho 2022). */
typedef enum { PREDICTION_EPSILON, PREDICTION_V } Prediction;

/* "epsilon" or "v"; a constant string. Any thread. */
const char *prediction_name(Prediction prediction);

/* The prediction of that name into `*prediction`. Returns 0, or -1 with an error that lists the
 * names and `*prediction` as it was. Any thread. */
int prediction_parse(const char *name, Prediction *prediction, Error *err);

/* xt = alpha x0 + sigma epsilon: a draw from q(x_t | x_0) when `epsilon` is standard Gaussian
 * (Ho et al. 2020, eq. 4). x0, epsilon, xt: (n). half_log_snr: any finite number. */
void diffusion_forward(double half_log_snr, const float *x0, const float *epsilon, float *xt,
                       size_t n);

/* What the network shall put out for that xt: epsilon, or alpha epsilon - sigma x0 (Salimans & Ho
 * 2022, appendix D). x0, epsilon, out: (n). half_log_snr: any finite number. */
void diffusion_target(Prediction prediction, double half_log_snr, const float *x0,
                      const float *epsilon, float *out, size_t n);

/* The clean signal that the network's raw output means: (xt - sigma output) / alpha (Ho et al.
 * 2020, eq. 15), or alpha xt - sigma output (Salimans & Ho 2022, appendix D). xt, output, x0: (n).
 * half_log_snr: -40..40; the first form magnifies the output's error by sigma / alpha. */
void diffusion_x0(Prediction prediction, double half_log_snr, const float *xt, const float *output,
                  float *x0, size_t n);

/* The noise that the network's raw output means: the output itself, or sigma xt + alpha output
 * (Salimans & Ho 2022, appendix D). xt, output, epsilon: (n). half_log_snr: any finite number. */
void diffusion_epsilon(Prediction prediction, double half_log_snr, const float *xt,
                       const float *output, float *epsilon, size_t n);

#endif
