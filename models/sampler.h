/* Samplers: from Gaussian noise to a sample with a network that predicts the noise. */
#ifndef BRUME_MODELS_SAMPLER_H
#define BRUME_MODELS_SAMPLER_H

#include "dsp/error.h"
#include "models/diffusion.h"
#include "models/schedule.h"

#include <stddef.h>

/* How the reverse process is walked. DDPM and DDIM with K steps on a schedule of T visit
 * t = round(i T / K) for i = K..1. */
typedef enum {
    /* Ancestral sampling (Ho et al. 2020, algorithm 2): the mean (x_t - (1 - alpha_t) /
     * sqrt(1 - alpha_bar_t) epsilon) / sqrt(alpha_t) and the variance beta-tilde_t =
     * (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t) beta_t, no noise at the last step. With K < T, the
     * same with the betas of the respaced schedule (Nichol & Dhariwal 2021, section 4). */
    SAMPLER_DDPM,
    /* Song et al. 2021, eq. 12 with eta = 0, down to alpha_bar = 1. */
    SAMPLER_DDIM,
    /* DPM-Solver++(2M) (Lu et al. 2022, algorithm 2) at nodes uniform in lambda; the result is x_0
     * as predicted at the last node. Needs no schedule. */
    SAMPLER_DPM
} SamplerKind;

/* The network: the raw output (n) for the noisy x (n) at half-log-SNR lambda. `output` and x do not
 * overlap. Non-zero stops the sampler. Called on the thread of sampler_step. */
typedef int (*SamplerDenoise)(void *user, const float *x, double half_log_snr, float *output);

/* n standard Gaussian values for the ancestral step; `step` counts from 0 and asks for different
 * values each. Called on the thread of sampler_step. */
typedef void (*SamplerNoise)(void *user, int step, float *out, size_t n);

/* How to sample. Start from sampler_defaults(). */
typedef struct SamplerSettings {
    SamplerKind kind;
    int steps; /* evaluations of the network: 1..T of the schedule, for DPM 1..1000 */
    Prediction prediction;
    const Schedule *schedule; /* borrowed; DDPM and DDIM need one, DPM does not look at it */
    float clip;               /* x_0 is clipped to +-clip in DDIM and DPM; 0 = not. DDPM: unused */
    double lambda_first;      /* DPM's range of half-log-SNR: -20 <= first < last <= 20 */
    double lambda_last;
} SamplerSettings;

/* DPM, 20 steps, PREDICTION_EPSILON, no schedule, no clipping, lambda -5.5 to 4.5. Any thread. */
SamplerSettings sampler_defaults(void);

/* "ddpm", "ddim" or "dpm"; a constant string. Any thread. */
const char *sampler_kind_name(SamplerKind kind);

/* The kind of that name into `*kind`. Returns 0, or -1 with an error that lists the names and
 * `*kind` as it was. Any thread. */
int sampler_kind_parse(const char *name, SamplerKind *kind, Error *err);

/* A sampling under way. Not to be looked into. */
typedef struct Sampler {
    SamplerSettings settings;
    float *x;
    size_t n;
    float *workspace;
    SamplerDenoise denoise;
    SamplerNoise noise;
    void *user;
    int done;
} Sampler;

/* How many floats of workspace sampler_start needs for n values: at most 2 n. Any thread. */
size_t sampler_workspace(const SamplerSettings *settings, size_t n);

/* Begins to turn x (n), standard Gaussian noise x_T, into a sample in place. `workspace` has
 * sampler_workspace() floats and does not overlap x; what it holds does not matter. `noise` is
 * called by DDPM alone, for all steps but the last, and may be NULL for the others. All that is
 * pointed at must stay until the last step. Returns 0, or -1 with `err` filled for steps or lambdas
 * out of range, a negative clip, an unknown kind, or no schedule or noise where they are needed.
 * Allocates nothing: any thread, many at once on arrays of their own. */
int sampler_start(Sampler *sampler, const SamplerSettings *settings, float *x, size_t n,
                  float *workspace, SamplerDenoise denoise, SamplerNoise noise, void *user,
                  Error *err);

/* How many steps there are in all, the number of the next one (from 0), and the half-log-SNR at
 * which step i calls the network. Any thread. */
int sampler_steps(const Sampler *sampler);
int sampler_number(const Sampler *sampler);
double sampler_level(const Sampler *sampler, int i);

/* One step, one call of the network. Returns 1 when x is the sample (also if it was already), 0
 * when steps are left, -1 when `denoise` returns non-zero: nothing has changed then, and the step
 * may be tried again; `err` keeps what `denoise` wrote into it, or says that it was stopped if that
 * is nothing. */
int sampler_step(Sampler *sampler, Error *err);

#endif
