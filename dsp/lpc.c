#include "dsp/lpc.h"

#include "dsp/products.h"

#include <math.h>
#include <string.h>

/* The share of white noise under the autocorrelation: 50 dB below, as fits 16 bits of music. */
static const double RIDGE = 1e-5;

/* Of the window's samples, how many the newest end takes to rise. */
enum { RISE = 64, MOST_ORDER = 256 };

double lpc_solve(size_t order, const double *autocorrelation, double ridge, double *coefficients)
{
    double error = autocorrelation[0] * (1.0 + ridge), reversed[MOST_ORDER];
    for (size_t i = 0; i < order; i++)
        coefficients[i] = 0.0;
    for (size_t i = 0; i < order && error > 0.0; i++) {
        double reflection = autocorrelation[i + 1];
        for (size_t j = 0; j < i; j++)
            reflection -= coefficients[j] * autocorrelation[i - j];
        reflection /= error;
        if (!(fabs(reflection) < 1.0)) /* rounding; what was found so far is stable */
            break;
        for (size_t j = 0; j < i; j++)
            reversed[j] = coefficients[i - 1 - j];
        for (size_t j = 0; j < i; j++)
            coefficients[j] -= reflection * reversed[j];
        coefficients[i] = reflection;
        error *= 1.0 - reflection * reflection;
    }
    return error;
}

void lpc_reset(Lpc *lpc)
{
    const double pi = 3.14159265358979323846;
    memset(lpc, 0, sizeof *lpc);
    /* Newest first: a short rise, then a long fall towards the old. */
    for (size_t i = 0; i < LPC_WINDOW; i++) {
        const double age = (double)i + 0.5, fall = LPC_WINDOW - RISE;
        const double phase = age < RISE ? age / RISE : 1.0 - (age - RISE) / fall;
        lpc->window[i] = (float)sin(0.5 * pi * phase);
    }
}

float lpc_predict(const Lpc *lpc)
{
    return products_dot(LPC_ORDER, lpc->coefficients, past_values(&lpc->past));
}

static void solve(Lpc *lpc)
{
    float windowed[LPC_WINDOW];
    double autocorrelation[LPC_ORDER + 1], coefficients[LPC_ORDER];
    const float *past = past_values(&lpc->past);
    for (size_t i = 0; i < LPC_WINDOW; i++)
        windowed[i] = past[i] * lpc->window[i];
    for (size_t lag = 0; lag <= LPC_ORDER; lag++)
        autocorrelation[lag] = products_dot_double(LPC_WINDOW - lag, windowed, windowed + lag);
    lpc_solve(LPC_ORDER, autocorrelation, RIDGE, coefficients);
    for (size_t i = 0; i < LPC_ORDER; i++)
        lpc->coefficients[i] = (float)coefficients[i];
}

void lpc_push(Lpc *lpc, float x)
{
    past_push(&lpc->past, x);
    if (++lpc->since == LPC_HOP) {
        lpc->since = 0;
        solve(lpc);
    }
}
