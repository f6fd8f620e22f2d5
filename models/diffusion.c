#include "models/diffusion.h"

#include <string.h>

static const char *const NAMES[] = {[PREDICTION_EPSILON] = "epsilon", [PREDICTION_V] = "v"};
enum { PREDICTIONS = sizeof NAMES / sizeof NAMES[0] };

const char *prediction_name(Prediction prediction)
{
    return NAMES[prediction];
}

int prediction_parse(const char *name, Prediction *prediction, Error *err)
{
    for (int i = 0; i < PREDICTIONS; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *prediction = (Prediction)i;
            return 0;
        }
    }
    return error_set(err, "prediction: there is no '%s'; take epsilon or v", name);
}

/* out = a x + b y. Every formula of this file is one. */
static void combine(double a, const float *x, double b, const float *y, float *out, size_t n)
{
    const float scale_x = (float)a;
    const float scale_y = (float)b;
    for (size_t i = 0; i < n; i++)
        out[i] = scale_x * x[i] + scale_y * y[i];
}

static void copy(const float *from, float *out, size_t n)
{
    if (out != from && n > 0)
        memcpy(out, from, n * sizeof *out);
}

void diffusion_forward(double half_log_snr, const float *x0, const float *epsilon, float *xt,
                       size_t n)
{
    double alpha, sigma;
    diffusion_scales(half_log_snr, &alpha, &sigma);
    combine(alpha, x0, sigma, epsilon, xt, n);
}

void diffusion_target(Prediction prediction, double half_log_snr, const float *x0,
                      const float *epsilon, float *out, size_t n)
{
    double alpha, sigma;
    diffusion_scales(half_log_snr, &alpha, &sigma);
    if (prediction == PREDICTION_EPSILON)
        copy(epsilon, out, n);
    else
        combine(alpha, epsilon, -sigma, x0, out, n);
}

void diffusion_x0(Prediction prediction, double half_log_snr, const float *xt, const float *output,
                  float *x0, size_t n)
{
    double alpha, sigma;
    diffusion_scales(half_log_snr, &alpha, &sigma);
    if (prediction == PREDICTION_EPSILON)
        combine(1.0 / alpha, xt, -sigma / alpha, output, x0, n);
    else
        combine(alpha, xt, -sigma, output, x0, n);
}

void diffusion_epsilon(Prediction prediction, double half_log_snr, const float *xt,
                       const float *output, float *epsilon, size_t n)
{
    double alpha, sigma;
    diffusion_scales(half_log_snr, &alpha, &sigma);
    if (prediction == PREDICTION_EPSILON)
        copy(output, epsilon, n);
    else
        combine(sigma, xt, alpha, output, epsilon, n);
}
