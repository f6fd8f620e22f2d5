#include "dsp/nlms.h"

#include "dsp/products.h"

#include <math.h>
#include <string.h>

void nlms_reset(Nlms *nlms, size_t order, float rate, float floor)
{
    memset(nlms, 0, sizeof *nlms);
    nlms->order = order < 1 ? 1 : order > NLMS_MOST ? NLMS_MOST : order;
    nlms->rate = rate;
    nlms->floor = floor;
}

float nlms_predict(const Nlms *nlms)
{
    return products_dot(nlms->order, nlms->weights, past_values(&nlms->past));
}

void nlms_push(Nlms *nlms, float x, float error)
{
    const float *past = past_values(&nlms->past);
    const double floor = (double)nlms->floor * (double)nlms->order;
    const double oldest = (double)past[nlms->order - 1];
    x = isfinite(x) ? x : 0.0f;
    error = isfinite(error) ? error : 0.0f;
    const double power = fmax(nlms->energy, 0.0) + floor;
    if (power > 0.0)
        products_add(nlms->order, (float)((double)nlms->rate * (double)error / power), past,
                     nlms->weights);
    nlms->energy += (double)x * (double)x - oldest * oldest;
    past_push(&nlms->past, x);
}
