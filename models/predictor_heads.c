#include "models/predictor_inputs.h"

#include <math.h>

/* Where the logistics' scales start, so that they learn different things; and how far (in the
 * logarithm) the network may move them: under a plan less, since the plan knows the level. */
static const double SPREAD[LOGISTICS] = {-1.2, -0.4, 0.2, 0.8, 1.6};
static const double MOVE_PAST = 3.0, MOVE_PLAN = 0.7;

#ifdef BRUME_DOUBLE
#define TANH tanh
#define LOG  log
#else
#define TANH tanhf
#define LOG  logf
#endif

/* base + scale * mixed taps: what all means start from. */
static real centre(const PredictorHead *head, const real *gates)
{
    real sum = 0;
    for (int i = 0; i < PREDICTOR_TAPS; i++)
        sum += gates[i] * head->taps[i];
    return head->base + head->scale * sum;
}

static real move(const PredictorHead *head)
{
    return (real)(head->most > 0 ? MOVE_PLAN : MOVE_PAST);
}

void predictor_heads_forward(size_t rows, const PredictorHead *heads, const real *out,
                             real *parameters)
{
    for (size_t r = 0; r < rows; r++, out += PREDICTOR_OUTPUTS, parameters += LOGISTIC_PARAMETERS) {
        const PredictorHead *h = &heads[r];
        const real start = centre(h, out + LOGISTIC_PARAMETERS), most = move(h);
        for (int i = 0; i < LOGISTICS; i++) {
            const real mean = start + h->scale * out[LOGISTICS + i];
            parameters[i] = out[i];
            parameters[LOGISTICS + i] =
                h->most > 0 ? h->anchor + h->most * TANH((mean - h->anchor) / h->most) : mean;
            parameters[2 * LOGISTICS + i] =
                LOG(h->scale) + (real)SPREAD[i] + most * TANH(out[2 * LOGISTICS + i] / most);
        }
    }
}

void predictor_heads_backward(size_t rows, const PredictorHead *heads, const real *out,
                              const real *gradient, real *dout)
{
    for (size_t r = 0; r < rows; r++, out += PREDICTOR_OUTPUTS, dout += PREDICTOR_OUTPUTS,
                gradient += LOGISTIC_PARAMETERS) {
        const PredictorHead *h = &heads[r];
        const real start = centre(h, out + LOGISTIC_PARAMETERS), most = move(h);
        real sum = 0;
        for (int i = 0; i < LOGISTICS; i++) {
            const real mean = start + h->scale * out[LOGISTICS + i];
            const real bent = h->most > 0 ? TANH((mean - h->anchor) / h->most) : 0;
            const real turned = TANH(out[2 * LOGISTICS + i] / most);
            dout[i] = gradient[i];
            dout[LOGISTICS + i] = gradient[LOGISTICS + i] * h->scale * (1 - bent * bent);
            dout[2 * LOGISTICS + i] = gradient[2 * LOGISTICS + i] * (1 - turned * turned);
            sum += dout[LOGISTICS + i];
        }
        for (int i = 0; i < PREDICTOR_TAPS; i++)
            dout[LOGISTIC_PARAMETERS + i] = sum * h->taps[i];
    }
}
