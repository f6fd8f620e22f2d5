#include "models/sampler.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const int MAX_DPM_STEPS = 1000;
/* Beyond it single precision has nothing left of the signal or of the noise. */
static const double MAX_LAMBDA = 20.0;
static const char *const NAMES[] = {
    [SAMPLER_DDPM] = "ddpm", [SAMPLER_DDIM] = "ddim", [SAMPLER_DPM] = "dpm"};
enum { KINDS = sizeof NAMES / sizeof NAMES[0] };

SamplerSettings sampler_defaults(void)
{
    return (SamplerSettings){.kind = SAMPLER_DPM,
                             .steps = 20,
                             .prediction = PREDICTION_EPSILON,
                             .schedule = NULL,
                             .clip = 0.0f,
                             .lambda_first = -5.5,
                             .lambda_last = 4.5};
}

const char *sampler_kind_name(SamplerKind kind)
{
    return NAMES[kind];
}

int sampler_kind_parse(const char *name, SamplerKind *kind, Error *err)
{
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *kind = (SamplerKind)i;
            return 0;
        }
    }
    return error_set(err, "sampler: there is no '%s'; take ddpm, ddim or dpm", name);
}

size_t sampler_workspace(const SamplerSettings *settings, size_t n)
{
    return settings->kind == SAMPLER_DDIM ? n : 2 * n;
}

/* The t of the i-th of the kept steps, i = 0..steps: round(i T / steps), 0 for i = 0. */
static int kept_step(const SamplerSettings *settings, int i)
{
    const int64_t last = schedule_steps(settings->schedule);
    const int64_t steps = settings->steps;
    return (int)((2 * i * last + steps) / (2 * steps));
}

int sampler_steps(const Sampler *sampler)
{
    return sampler->settings.steps;
}

int sampler_number(const Sampler *sampler)
{
    return sampler->done;
}

/* Half-log-SNR from one of DPM's nodes to the next. */
static double dpm_stride(const SamplerSettings *settings)
{
    const int last = settings->steps - 1;
    return last > 0 ? (settings->lambda_last - settings->lambda_first) / last : 0.0;
}

double sampler_level(const Sampler *sampler, int i)
{
    const SamplerSettings *settings = &sampler->settings;
    if (settings->kind == SAMPLER_DPM)
        return settings->lambda_first + dpm_stride(settings) * i;
    return schedule_half_log_snr(settings->schedule, kept_step(settings, settings->steps - i));
}

static int call_network(const Sampler *sampler, double lambda, float *output, Error *err)
{
    if (err)
        err->message[0] = '\0';
    if (sampler->denoise(sampler->user, sampler->x, lambda, output) == 0)
        return 0;
    if (err && err->message[0])
        return -1;
    return error_set(err, "sampler: the network stopped at step %d of %d of %s; run it again",
                     sampler->done + 1, sampler->settings.steps, NAMES[sampler->settings.kind]);
}

/* The network's x_0 for the present x, clipped. */
static int predict_x0(const Sampler *sampler, double lambda, float *x0, Error *err)
{
    if (call_network(sampler, lambda, x0, err) != 0)
        return -1;
    diffusion_x0(sampler->settings.prediction, lambda, sampler->x, x0, x0, sampler->n);
    const float clip = sampler->settings.clip;
    if (clip > 0.0f) {
        for (size_t i = 0; i < sampler->n; i++) {
            const float value = x0[i] < -clip ? -clip : x0[i];
            x0[i] = value > clip ? clip : value;
        }
    }
    return 0;
}

static int step_ddpm(const Sampler *sampler, Error *err)
{
    const SamplerSettings *settings = &sampler->settings;
    const Schedule *schedule = settings->schedule;
    float *epsilon = sampler->workspace;
    float *noise = sampler->workspace + sampler->n;
    float *x = sampler->x;
    const int i = settings->steps - sampler->done;
    const int t = kept_step(settings, i);
    const double lambda = sampler_level(sampler, sampler->done);
    if (call_network(sampler, lambda, epsilon, err) != 0)
        return -1;
    diffusion_epsilon(settings->prediction, lambda, x, epsilon, epsilon, sampler->n);

    const double alpha_bar = schedule_alpha_bar(schedule, t);
    const double alpha_bar_next = schedule_alpha_bar(schedule, kept_step(settings, i - 1));
    const double alpha = alpha_bar / alpha_bar_next;
    const double beta = 1.0 - alpha;
    const float scale_x = (float)(1.0 / sqrt(alpha));
    const float scale_epsilon = (float)(-beta / sqrt((1.0 - alpha_bar) * alpha));
    for (size_t k = 0; k < sampler->n; k++)
        x[k] = scale_x * x[k] + scale_epsilon * epsilon[k];
    if (i == 1)
        return 0;
    const float scale_noise = (float)sqrt((1.0 - alpha_bar_next) / (1.0 - alpha_bar) * beta);
    sampler->noise(sampler->user, sampler->done, noise, sampler->n);
    for (size_t k = 0; k < sampler->n; k++)
        x[k] += scale_noise * noise[k];
    return 0;
}

/* The epsilon of eq. 12 is taken from x and the clipped x_0, (x - alpha x_0) / sigma, so that the
 * two stay a pair: x' = alpha' x_0 + sigma' epsilon. */
static int step_ddim(const Sampler *sampler, Error *err)
{
    const SamplerSettings *settings = &sampler->settings;
    float *x0 = sampler->workspace;
    float *x = sampler->x;
    const int i = settings->steps - sampler->done;
    const double lambda = sampler_level(sampler, sampler->done);
    if (predict_x0(sampler, lambda, x0, err) != 0)
        return -1;
    double alpha, sigma;
    diffusion_scales(lambda, &alpha, &sigma);
    const double signal = schedule_alpha_bar(settings->schedule, kept_step(settings, i - 1));
    const double ratio = sqrt(1.0 - signal) / sigma;
    const float scale_x = (float)ratio;
    const float scale_x0 = (float)(sqrt(signal) - alpha * ratio);
    for (size_t k = 0; k < sampler->n; k++)
        x[k] = scale_x * x[k] + scale_x0 * x0[k];
    return 0;
}

static int step_dpm(const Sampler *sampler, Error *err)
{
    const SamplerSettings *settings = &sampler->settings;
    const int i = sampler->done, last = settings->steps - 1;
    const double stride = dpm_stride(settings);
    float *now = sampler->workspace + (i % 2 ? sampler->n : 0);
    const float *before = sampler->workspace + (i % 2 ? 0 : sampler->n);
    float *x = sampler->x;
    const double lambda = sampler_level(sampler, i);
    if (predict_x0(sampler, lambda, now, err) != 0)
        return -1;
    if (i == last) {
        if (sampler->n > 0)
            memcpy(x, now, sampler->n * sizeof *x);
        return 0;
    }
    double alpha, sigma, alpha_next, sigma_next;
    diffusion_scales(lambda, &alpha, &sigma);
    diffusion_scales(lambda + stride, &alpha_next, &sigma_next);
    /* D = (1 + 1/(2r)) x_0 - 1/(2r) x_0-before, and the steps being equal, r = 1. */
    const double scale_x0 = -alpha_next * expm1(-stride);
    const float scale_x = (float)(sigma_next / sigma);
    const float scale_now = (float)(i == 0 ? scale_x0 : 1.5 * scale_x0);
    const float scale_before = (float)(-0.5 * scale_x0);
    if (i == 0) {
        for (size_t k = 0; k < sampler->n; k++)
            x[k] = scale_x * x[k] + scale_now * now[k];
    } else {
        for (size_t k = 0; k < sampler->n; k++)
            x[k] = scale_x * x[k] + (scale_now * now[k] + scale_before * before[k]);
    }
    return 0;
}

static int check_settings(const SamplerSettings *settings, SamplerNoise noise, Error *err)
{
    if ((size_t)settings->kind >= KINDS)
        return error_set(err, "sampler: there is no kind %d; take ddpm, ddim or dpm",
                         (int)settings->kind);
    const char *name = NAMES[settings->kind];
    const int is_dpm = settings->kind == SAMPLER_DPM;
    if (!is_dpm && !settings->schedule)
        return error_set(err, "sampler: %s has no schedule; give it one", name);
    const int most = is_dpm ? MAX_DPM_STEPS : schedule_steps(settings->schedule);
    if (settings->steps < 1 || settings->steps > most)
        return error_set(err, "sampler: %d steps of %s; give 1 to %d", settings->steps, name, most);
    if (settings->kind == SAMPLER_DDPM && !noise)
        return error_set(err, "sampler: ddpm has no noise; give it a source");
    if (!(settings->clip >= 0.0f))
        return error_set(err, "sampler: clip %g; give 0 (no clipping) or more",
                         (double)settings->clip);
    const double first = settings->lambda_first;
    const double final = settings->lambda_last;
    if (is_dpm && !(first >= -MAX_LAMBDA && first < final && final <= MAX_LAMBDA))
        return error_set(err, "sampler: dpm from lambda %g to %g; give a rise within %g to %g",
                         first, final, -MAX_LAMBDA, MAX_LAMBDA);
    return 0;
}

int sampler_start(Sampler *sampler, const SamplerSettings *settings, float *x, size_t n,
                  float *workspace, SamplerDenoise denoise, SamplerNoise noise, void *user,
                  Error *err)
{
    *sampler = (Sampler){*settings, x, n, workspace, denoise, noise, user, 0};
    return check_settings(settings, noise, err);
}

int sampler_step(Sampler *sampler, Error *err)
{
    int failed;
    if (sampler->done == sampler->settings.steps)
        return 1;
    switch (sampler->settings.kind) {
    case SAMPLER_DDPM:
        failed = step_ddpm(sampler, err);
        break;
    case SAMPLER_DDIM:
        failed = step_ddim(sampler, err);
        break;
    default:
        failed = step_dpm(sampler, err);
        break;
    }
    if (failed)
        return -1;
    return ++sampler->done == sampler->settings.steps;
}
