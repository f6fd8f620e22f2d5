#include "models/predictor_inputs.h"

#include "models/exponential.h"

/* Where the logistics' scales start, so that they learn different things; and how far (in the
 * logarithm) the network may move them: under a plan less, since the plan knows the level. */
static const double SPREAD[LOGISTICS] = {-1.2, -0.4, 0.2, 0.8, 1.6};
static const double MOVE_PAST = 3.0, MOVE_PLAN = 0.7;

/* base + scale * mixed taps: what all means start from. */
static real centre(const PredictorHead *head, const real *gates)
{
    return head->base + head->scale * predictor_taps_sum(gates, head->taps);
}

static real move(const PredictorHead *head)
{
    return (real)(head->most > 0 ? MOVE_PLAN : MOVE_PAST);
}

/* Of as many as fill a register, whatever there is in them. */
enum { LANES = 16 };
KERNEL static void hyperbolic_all(const real *restrict x, real *restrict y)
{
    for (int i = 0; i < LANES; i++)
        y[i] = hyperbolic(x[i]);
}

static void row_forward(const PredictorHead *h, const real *out, real *parameters)
{
    const real start = centre(h, out + LOGISTIC_PARAMETERS), most = move(h);
    real x[LANES] = {0}, bent[LANES];
    for (int i = 0; i < LOGISTICS; i++) {
        const real mean = start + h->scale * out[LOGISTICS + i];
        parameters[i] = out[i];
        parameters[LOGISTICS + i] = mean;
        x[i] = h->most > 0 ? (mean - h->anchor) / h->most : 0;
        x[LOGISTICS + i] = out[2 * LOGISTICS + i] / most;
    }
    hyperbolic_all(x, bent);
    for (int i = 0; i < LOGISTICS; i++) {
        if (h->most > 0)
            parameters[LOGISTICS + i] = h->anchor + h->most * bent[i];
        parameters[2 * LOGISTICS + i] = h->log_scale + (real)SPREAD[i] + most * bent[LOGISTICS + i];
    }
}

void predictor_heads_forward(size_t rows, const PredictorHead *heads, const real *out,
                             real *parameters)
{
    for (size_t r = 0; r < rows; r++)
        row_forward(&heads[r], out + r * PREDICTOR_OUTPUTS, parameters + r * LOGISTIC_PARAMETERS);
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
            const real bent = h->most > 0 ? hyperbolic((mean - h->anchor) / h->most) : 0;
            const real turned = hyperbolic(out[2 * LOGISTICS + i] / most);
            dout[i] = gradient[i];
            dout[LOGISTICS + i] = gradient[LOGISTICS + i] * h->scale * (1 - bent * bent);
            dout[2 * LOGISTICS + i] = gradient[2 * LOGISTICS + i] * (1 - turned * turned);
            sum += dout[LOGISTICS + i];
        }
        for (int i = 0; i < PREDICTOR_TAPS; i++)
            dout[LOGISTIC_PARAMETERS + i] = sum * h->taps[i];
    }
}
