#include "models/logistic_mixture.h"

#include "models/exponential.h"

#include <math.h>

static const double LEAST_LOG_SCALE = -7.0, MOST_LOG_SCALE = 15.0;

#ifdef BRUME_DOUBLE
#define EXP   exp
#define LOG1P log1p
#define EXPM1 expm1
#define LOG   log
#define FABS  fabs
#else
#define EXP   expf
#define LOG1P log1pf
#define EXPM1 expm1f
#define LOG   logf
#define FABS  fabsf
#endif

static real softplus(real x)
{
    return (x > 0 ? x : 0) + LOG1P(EXP(-FABS(x)));
}

static real logistic(real x)
{
    const real e = EXP(-FABS(x));
    return (x > 0 ? 1 : e) / (1 + e);
}

static real clamped(real log_scale)
{
    return log_scale < (real)LEAST_LOG_SCALE  ? (real)LEAST_LOG_SCALE
           : log_scale > (real)MOST_LOG_SCALE ? (real)MOST_LOG_SCALE
                                              : log_scale;
}

/* ln of one logistic's mass in the bin, and its slopes by mean and log scale.
 *
 * With |u| the distance from the mean, a = (|u| + 1/2) / s and b = (|u| - 1/2) / s, the mass is
 * sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(-1 / s)), whose factors have logs that
 * lose no digits. */
static real mass(real value, real mean, real log_scale, real *by_mean, real *by_log_scale)
{
    const real sharpness = EXP(-clamped(log_scale)), distance = FABS(value - mean);
    const real a = (distance + (real)0.5) * sharpness, b = (distance - (real)0.5) * sharpness;
    const real below = EXPM1(-sharpness); /* -(1 - exp(-1 / s)) */
    const real slope_a = logistic(-a), slope_b = -logistic(b);
    *by_mean = (value > mean ? -1 : 1) * sharpness * (slope_a + slope_b);
    *by_log_scale = log_scale == clamped(log_scale)
                        ? -a * slope_a - b * slope_b + sharpness * (1 + below) / below
                        : 0;
    return -softplus(-a) - softplus(b) + LOG(-below);
}

static real row_nats(real value, const real *parameters, real *gradient)
{
    const real *logits = parameters, *means = logits + LOGISTICS, *scales = means + LOGISTICS;
    real joint[LOGISTICS], by_mean[LOGISTICS], by_scale[LOGISTICS];
    real most_logit = logits[0], most = -HUGE_VALF, weights = 0, sum = 0;
    for (int i = 1; i < LOGISTICS; i++)
        most_logit = logits[i] > most_logit ? logits[i] : most_logit;
    for (int i = 0; i < LOGISTICS; i++) {
        joint[i] = logits[i] + mass(value, means[i], scales[i], &by_mean[i], &by_scale[i]);
        most = joint[i] > most ? joint[i] : most;
        weights += EXP(logits[i] - most_logit);
    }
    for (int i = 0; i < LOGISTICS; i++)
        sum += EXP(joint[i] - most);
    for (int i = 0; gradient && i < LOGISTICS; i++) {
        const real share = EXP(joint[i] - most) / sum;
        gradient[i] = EXP(logits[i] - most_logit) / weights - share;
        gradient[LOGISTICS + i] = -share * by_mean[i];
        gradient[2 * LOGISTICS + i] = -share * by_scale[i];
    }
    return most_logit + LOG(weights) - most - LOG(sum);
}

void logistic_mixture_nats(size_t rows, const real *value, const real *parameters, real *nats,
                           real *gradient)
{
    for (size_t r = 0; r < rows; r++) {
        const size_t at = r * LOGISTIC_PARAMETERS;
        nats[r] = row_nats(value[r], parameters + at, gradient ? gradient + at : NULL);
    }
}

KERNEL static void weigh(const real *restrict logits, real sharp, real *restrict weights)
{
    real most = logits[0];
    for (int i = 1; i < LOGISTICS; i++)
        most = logits[i] > most ? logits[i] : most;
    for (int i = 0; i < LOGISTICS; i++)
        weights[i] = exponential(sharp * (logits[i] - most));
}

double logistic_mixture_sample(const real *parameters, double temperature, double choose,
                               double place)
{
    real weights[LOGISTICS];
    double sum = 0.0;
    weigh(parameters, (real)(1.0 / fmax(temperature, 0.05)), weights);
    for (int i = 0; i < LOGISTICS; i++)
        sum += (double)weights[i];
    int chosen = 0;
    for (double left = choose * sum - (double)weights[0]; left >= 0.0 && chosen + 1 < LOGISTICS;)
        left -= (double)weights[++chosen];
    const double mean = (double)parameters[LOGISTICS + chosen];
    const double scale = (double)exponential(clamped(parameters[2 * LOGISTICS + chosen]));
    const double inside = fmin(fmax(place, 1e-9), 1.0 - 1e-9);
    return mean + temperature * scale * log(inside / (1.0 - inside));
}
