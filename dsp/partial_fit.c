#include "dsp/partial_fit.h"

#include "dsp/complex_float.h"
#include "dsp/kernel.h"
#include "dsp/pitch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST       PARTIAL_FIT_MOST
#define KNOTS      PARTIAL_FIT_KNOTS
#define ITERATIONS 12

static const double TURN = 6.283185307179586;

struct PartialFit {
    float *real, *imaginary; /* (n, stride): exp(i phi) */
    size_t stride;           /* partials, rounded up to whole vectors */
    float sound[PARTIAL_FIT_LONG];
    float complex gradient[KNOTS * MOST], direction[KNOTS * MOST], image[KNOTS * MOST],
        solved[KNOTS * MOST];
    float stiff[KNOTS * MOST], share[KNOTS * MOST];
};

PartialFit *partial_fit_create(Error *err)
{
    PartialFit *fit = malloc(sizeof *fit);
    if (fit) {
        fit->real = malloc((size_t)PARTIAL_FIT_LONG * MOST * sizeof *fit->real);
        fit->imaginary = malloc((size_t)PARTIAL_FIT_LONG * MOST * sizeof *fit->imaginary);
    }
    if (!fit || !fit->real || !fit->imaginary) {
        partial_fit_destroy(fit);
        error_set(err, "out of memory for fitting partials");
        return NULL;
    }
    return fit;
}

void partial_fit_destroy(PartialFit *fit)
{
    if (!fit)
        return;
    free(fit->real);
    free(fit->imaginary);
    free(fit);
}

/* Phasors of one interval, n samples from `real` and `imaginary` on (rows of `stride`): each
 * sample's is the last one's times a step, and each step the last one's times a bend. */
KERNEL static void turn(size_t n, size_t stride, float *restrict real, float *restrict imaginary,
                        const float *restrict start)
{
    float at_r[MOST], at_i[MOST], step_r[MOST], step_i[MOST], bend_r[MOST], bend_i[MOST];
    memcpy(at_r, start, stride * sizeof(float));
    memcpy(at_i, start + MOST, stride * sizeof(float));
    memcpy(step_r, start + 2 * MOST, stride * sizeof(float));
    memcpy(step_i, start + 3 * MOST, stride * sizeof(float));
    memcpy(bend_r, start + 4 * MOST, stride * sizeof(float));
    memcpy(bend_i, start + 5 * MOST, stride * sizeof(float));
    for (size_t t = 0; t < n; t++)
        for (size_t p = 0; p < stride; p++) {
            real[t * stride + p] = at_r[p];
            imaginary[t * stride + p] = at_i[p];
            const float next = at_r[p] * step_r[p] - at_i[p] * step_i[p];
            at_i[p] = at_r[p] * step_i[p] + at_i[p] * step_r[p];
            at_r[p] = next;
            const float faster = step_r[p] * bend_r[p] - step_i[p] * bend_i[p];
            step_i[p] = step_r[p] * bend_i[p] + step_i[p] * bend_r[p];
            step_r[p] = faster;
        }
}

static void put(float *start, size_t p, size_t what, double turns)
{
    const double angle = TURN * (turns - floor(turns));
    start[2 * what * MOST + p] = (float)cos(angle);
    start[(2 * what + 1) * MOST + p] = (float)sin(angle);
}

static void make_phasors(PartialFit *fit, const PartialStretch *s)
{
    float start[6 * MOST] = {0.0F};
    double phase[MOST];
    fit->stride = (s->partials + 7) / 8 * 8;
    memcpy(phase, s->phase, s->partials * sizeof *phase);
    for (size_t k = 0; k + 1 < s->knots; k++) {
        const double n = (double)(s->knot[k + 1] - s->knot[k]);
        for (size_t p = 0; p < s->partials; p++) {
            const double from = (double)s->hertz[k * s->partials + p] / PITCH_RATE;
            const double to = (double)s->hertz[(k + 1) * s->partials + p] / PITCH_RATE;
            put(start, p, 0, phase[p]);
            put(start, p, 1, from + 0.5 * (to - from) / n);
            put(start, p, 2, (to - from) / n);
            phase[p] += 0.5 * (from + to) * n;
        }
        turn(s->knot[k + 1] - s->knot[k], fit->stride, fit->real + s->knot[k] * fit->stride,
             fit->imaginary + s->knot[k] * fit->stride, start);
    }
}

/* Two sounds of one interval: with amplitudes a and with amplitudes b. */
KERNEL static void mix(const float *restrict real, const float *restrict imaginary, size_t stride,
                       const float *restrict a, const float *restrict b, float *at_a, float *at_b)
{
    float sum_a[8] = {0.0F}, sum_b[8] = {0.0F};
    for (size_t p = 0; p < stride; p += 8)
        for (size_t j = 0; j < 8; j++) {
            sum_a[j] += real[p + j] * a[p + j] - imaginary[p + j] * a[MOST + p + j];
            sum_b[j] += real[p + j] * b[p + j] - imaginary[p + j] * b[MOST + p + j];
        }
    *at_a = ((sum_a[0] + sum_a[1]) + (sum_a[2] + sum_a[3])) +
            ((sum_a[4] + sum_a[5]) + (sum_a[6] + sum_a[7]));
    *at_b = ((sum_b[0] + sum_b[1]) + (sum_b[2] + sum_b[3])) +
            ((sum_b[4] + sum_b[5]) + (sum_b[6] + sum_b[7]));
}

/* Amplitudes (knots, partials) -> sound (n,). */
static void forward(const PartialFit *fit, const PartialStretch *s, const float complex *c,
                    float *y)
{
    float from[2 * MOST] = {0.0F}, rise[2 * MOST] = {0.0F};
    for (size_t k = 0; k + 1 < s->knots; k++) {
        for (size_t p = 0; p < s->partials; p++) {
            const float complex a = c[k * s->partials + p], b = c[(k + 1) * s->partials + p];
            from[p] = crealf(a);
            from[MOST + p] = cimagf(a);
            rise[p] = crealf(b) - crealf(a);
            rise[MOST + p] = cimagf(b) - cimagf(a);
        }
        const float scale = 1.0F / (float)(s->knot[k + 1] - s->knot[k]);
        for (size_t t = s->knot[k]; t < s->knot[k + 1]; t++) {
            float steady, growing;
            mix(fit->real + t * fit->stride, fit->imaginary + t * fit->stride, fit->stride, from,
                rise, &steady, &growing);
            y[t] = steady + growing * scale * (float)(t - s->knot[k]);
        }
    }
}

KERNEL static void gather(const float *restrict real, const float *restrict imaginary,
                          size_t stride, float a, float b, float *restrict at_a,
                          float *restrict at_b)
{
    for (size_t p = 0; p < stride; p++) {
        at_a[p] += a * real[p];
        at_a[MOST + p] -= a * imaginary[p];
        at_b[p] += b * real[p];
        at_b[MOST + p] -= b * imaginary[p];
    }
}

/* The adjoint of forward: sound (n,) -> (knots, partials). */
static void backward(const PartialFit *fit, const PartialStretch *s, const float *y,
                     float complex *g)
{
    float sums[2][2 * MOST] = {{0.0F}, {0.0F}};
    for (size_t k = 0; k < s->knots; k++) {
        float *here = sums[k % 2], *next = sums[(k + 1) % 2];
        memset(next, 0, sizeof sums[0]);
        const size_t end = k + 1 < s->knots ? s->knot[k + 1] : s->knot[k];
        const float scale = 1.0F / (float)(end > s->knot[k] ? end - s->knot[k] : 1);
        for (size_t t = s->knot[k]; t < end; t++) {
            const float along = scale * (float)(t - s->knot[k]);
            gather(fit->real + t * fit->stride, fit->imaginary + t * fit->stride, fit->stride,
                   y[t] * (1.0F - along), y[t] * along, here, next);
        }
        for (size_t p = 0; p < s->partials; p++)
            g[k * s->partials + p] = CMPLXF(here[p], here[MOST + p]);
    }
}

/* The prior: how stiff it is between knots, and what share of an amplitude it expects at the next.
 */
static void make_prior(PartialFit *fit, const PartialStretch *s)
{
    for (size_t k = 0; k + 1 < s->knots; k++) {
        const float seconds = (float)(s->knot[k + 1] - s->knot[k]) / PITCH_RATE;
        for (size_t p = 0; p < s->partials; p++) {
            const size_t i = k * s->partials + p;
            fit->stiff[i] = s->noise / (s->rate[i] * seconds + 1e-20F);
            fit->share[i] = s->keep[p] < 1.0F ? powf(s->keep[p], seconds) : 1.0F;
        }
    }
}

static int is_fixed(const PartialStretch *s, size_t p)
{
    return s->rate[p] <= 0.0F;
}

/* Adds the prior's part of the normal equations. */
static void add_prior(const PartialFit *fit, const PartialStretch *s, const float complex *c,
                      float complex *g)
{
    for (size_t p = 0; p < s->partials; p++) {
        for (size_t k = 0; !is_fixed(s, p) && k + 1 < s->knots; k++) {
            const size_t here = k * s->partials + p, next = here + s->partials;
            const float complex pull = fit->stiff[here] * (c[next] - fit->share[here] * c[here]);
            g[here] -= fit->share[here] * pull;
            g[next] += pull;
        }
    }
}

/* Keeps what is given out of the equations. */
static void hold(const PartialStretch *s, float complex *g)
{
    for (size_t p = 0; p < s->partials; p++)
        for (size_t k = 0; k < (is_fixed(s, p) ? s->knots : 1); k++)
            g[k * s->partials + p] = 0.0F;
}

/* The normal equations' matrix times c. */
static void apply(PartialFit *fit, const PartialStretch *s, const float complex *c,
                  float complex *g)
{
    forward(fit, s, c, fit->sound);
    backward(fit, s, fit->sound, g);
    add_prior(fit, s, c, g);
    hold(s, g);
}

/* Solves the equations of each partial on its own (tridiagonal along the knots): g -> z. Off the
 * diagonal stands a sixth of an interval, on it a third of each, halved for the cosine's power. */
static void precondition(const PartialFit *fit, const PartialStretch *s, const float complex *g,
                         float complex *z)
{
    float factor[KNOTS];
    for (size_t p = 0; p < s->partials; p++) {
        z[p] = 0.0F;
        if (is_fixed(s, p)) {
            for (size_t k = 1; k < s->knots; k++)
                z[k * s->partials + p] = 0.0F;
            continue;
        }
        float above = 0.0F, stiff = fit->stiff[p], share = fit->share[p],
              length = (float)s->knot[1];
        for (size_t k = 1; k < s->knots; k++) {
            const int last = k + 1 == s->knots;
            const float next_length = last ? 0.0F : (float)(s->knot[k + 1] - s->knot[k]);
            const float next_stiff = last ? 0.0F : fit->stiff[k * s->partials + p];
            const float next_share = last ? 0.0F : fit->share[k * s->partials + p];
            const float diagonal =
                (length + next_length) / 6.0F + stiff + next_share * next_share * next_stiff;
            const float below = k > 1 ? length / 12.0F - share * stiff : 0.0F;
            const float pivot = 1.0F / (diagonal - below * above);
            z[k * s->partials + p] =
                (g[k * s->partials + p] - (k > 1 ? below * z[(k - 1) * s->partials + p] : 0.0F)) *
                pivot;
            above = (next_length / 12.0F - next_share * next_stiff) * pivot;
            factor[k] = above;
            length = next_length;
            stiff = next_stiff;
            share = next_share;
        }
        for (size_t k = s->knots - 1; k-- > 1;)
            z[k * s->partials + p] -= factor[k] * z[(k + 1) * s->partials + p];
    }
}

static double inner(const float complex *a, const float complex *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)(crealf(a[i]) * crealf(b[i]) + cimagf(a[i]) * cimagf(b[i]));
    return sum;
}

void partial_fit_solve(PartialFit *fit, const PartialStretch *s, float complex *c, float *y)
{
    const size_t size = s->knots * s->partials;
    make_phasors(fit, s);
    make_prior(fit, s);
    for (size_t p = 0; p < s->partials; p++)
        for (size_t k = 1; k < s->knots && !is_fixed(s, p); k++)
            c[k * s->partials + p] = 0.0F;
    apply(fit, s, c, fit->image);
    backward(fit, s, s->x, fit->gradient);
    hold(s, fit->gradient);
    for (size_t i = 0; i < size; i++)
        fit->gradient[i] -= fit->image[i];
    precondition(fit, s, fit->gradient, fit->solved);
    memcpy(fit->direction, fit->solved, size * sizeof *fit->direction);
    double power = inner(fit->gradient, fit->solved, size);
    const double enough = (double)s->precision * power;
    for (size_t i = 0; i < ITERATIONS && power > enough && power > 1e-18; i++) {
        apply(fit, s, fit->direction, fit->image);
        const double bent = inner(fit->direction, fit->image, size);
        if (!(bent > 0.0))
            break;
        const float step = (float)(power / bent);
        for (size_t j = 0; j < size; j++) {
            c[j] += step * fit->direction[j];
            fit->gradient[j] -= step * fit->image[j];
        }
        precondition(fit, s, fit->gradient, fit->solved);
        const double before = power;
        power = inner(fit->gradient, fit->solved, size);
        const float keep = (float)(power / before);
        for (size_t j = 0; j < size; j++)
            fit->direction[j] = fit->solved[j] + keep * fit->direction[j];
    }
    forward(fit, s, c, y);
}
