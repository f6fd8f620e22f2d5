/* Noise schedules of diffusion: how much signal and how much noise there is at each step t. */
#ifndef BRUME_MODELS_SCHEDULE_H
#define BRUME_MODELS_SCHEDULE_H

#include "dsp/error.h"

/* The family of a schedule. */
typedef enum { SCHEDULE_LINEAR, SCHEDULE_COSINE } ScheduleKind;

/* beta_t, alpha_t = 1 - beta_t and alpha_bar_t = alpha_1 ... alpha_t for t = 0..T, in double.
 * Read-only once made: any number of threads may share one. */
typedef struct Schedule Schedule;

/* Makes a schedule of `steps` = T steps, T in 1..100000.
 * SCHEDULE_LINEAR (Ho et al. 2020, section 4): beta_t goes in a line from 1e-4 to 0.02 at T = 1000,
 * both multiplied by 1000 / T for another T, no beta above 0.999; T = 1 takes the line's end.
 * SCHEDULE_COSINE (Nichol & Dhariwal 2021, eq. 17, s = 0.008): beta_t = 1 - f(t) / f(t - 1) with
 * f(t) = cos((t/T + s) / (1 + s) * pi/2)^2, no beta above 0.999.
 * alpha_bar is the product of the alphas after that limit.
 * Returns NULL with `err` filled for an unknown kind, T out of range or no memory. Allocates: not
 * for the audio thread. */
Schedule *schedule_create(ScheduleKind kind, int steps, Error *err);

/* Frees it. NULL is allowed. */
void schedule_destroy(Schedule *schedule);

/* T, the number of steps: 1..100000. Any thread. */
int schedule_steps(const Schedule *schedule);

/* beta_t, alpha_t and alpha_bar_t for t in 0..T, which the caller sees to. At t = 0: 0, 1 and 1; at
 * t >= 1 in (0, 1), beta_t no more than 0.999, and alpha_bar falls with every t. Any thread. */
double schedule_beta(const Schedule *schedule, int t);
double schedule_alpha(const Schedule *schedule, int t);
double schedule_alpha_bar(const Schedule *schedule, int t);

/* lambda_t = 0.5 ln(alpha_bar_t / (1 - alpha_bar_t)), half the log of the signal-to-noise ratio
 * (Lu et al. 2022, section 2; Kingma et al. 2021 use its double), for t in 1..T, which the caller
 * sees to (it is infinite at t = 0). Falls as t grows. Any thread. */
double schedule_half_log_snr(const Schedule *schedule, int t);

/* "linear" or "cosine"; a constant string. Any thread. */
const char *schedule_kind_name(ScheduleKind kind);

/* The kind of that name into `*kind`. Returns 0, or -1 with an error that lists the names and
 * `*kind` as it was. Any thread. */
int schedule_kind_parse(const char *name, ScheduleKind *kind, Error *err);

/* The scales of signal and noise at half-log-SNR lambda (any finite number):
 * alpha = sqrt(alpha_bar) = sqrt(sigmoid(2 lambda)), sigma = sqrt(sigmoid(-2 lambda)), so that
 * alpha^2 + sigma^2 = 1 (variance preserving; Kingma et al. 2021, section 3.2). Any thread. */
void diffusion_scales(double half_log_snr, double *alpha, double *sigma);

#endif
