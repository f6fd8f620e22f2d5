#include "dsp/partial_fit.h"

#include "dsp/complex_float.h"
#include "dsp/kernel.h"
#include "dsp/pitch.h"
#include "dsp/turns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST       PARTIAL_FIT_MOST
#define KNOTS      PARTIAL_FIT_KNOTS
#define ITERATIONS 12

enum { LANES = 16, ROWS = 16 };

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
    turns_phasor(turns_left(turns), &start[2 * what * MOST + p], &start[(2 * what + 1) * MOST + p]);
}

static void make_phasors(PartialFit *fit, const PartialStretch *s)
{
    float start[6 * MOST] = {0.0F};
    double phase[MOST];
    fit->stride = (s->partials + LANES - 1) / LANES * LANES;
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

/* Sound of n samples (at most ROWS), whose phasors begin at `real` and `imaginary`: amplitudes
 * `line` where `along` is 0, and further on by `along` times those after it. */
KERNEL static void sound(size_t n, size_t stride, const float *restrict real,
                         const float *restrict imaginary, const float *restrict line,
                         const float *restrict along, float *restrict y)
{
    for (size_t t = 0; t < n; t++, real += stride, imaginary += stride) {
        float steady[LANES] = {0.0F}, growing[LANES] = {0.0F};
        for (size_t p = 0; p < stride; p += LANES)
            for (size_t j = 0; j < LANES; j++) {
                const float *at = line + p + j;
                steady[j] += real[p + j] * at[0] - imaginary[p + j] * at[MOST];
                growing[j] += real[p + j] * at[2 * MOST] - imaginary[p + j] * at[3 * MOST];
            }
        for (size_t j = 0; j < LANES; j++)
            steady[j] += along[t] * growing[j];
        for (size_t half = LANES / 2; half > 0; half /= 2)
            for (size_t j = 0; j < half; j++)
                steady[j] += steady[j + half];
        y[t] = steady[0];
    }
}

/* The adjoint: adds samples y to the sums of the knot before them and of the one after, `rows` of
 * them at a time, so that sums are fetched less often. */
static inline __attribute__((always_inline)) void
collect_rows(size_t rows, size_t stride, const float *restrict real,
             const float *restrict imaginary, const float *restrict y, const float *restrict along,
             float *restrict before, float *restrict after)
{
    float here[ROWS], next[ROWS];
    for (size_t t = 0; t < rows; t++) {
        here[t] = y[t] * (1.0F - along[t]);
        next[t] = y[t] * along[t];
    }
    for (size_t p = 0; p < stride; p++) {
        float before_r = before[p], before_i = before[MOST + p];
        float after_r = after[p], after_i = after[MOST + p];
        for (size_t t = 0; t < rows; t++) {
            const float at_r = real[t * stride + p], at_i = imaginary[t * stride + p];
            before_r += here[t] * at_r;
            before_i -= here[t] * at_i;
            after_r += next[t] * at_r;
            after_i -= next[t] * at_i;
        }
        before[p] = before_r;
        before[MOST + p] = before_i;
        after[p] = after_r;
        after[MOST + p] = after_i;
    }
}

KERNEL static void collect(size_t n, size_t stride, const float *real, const float *imaginary,
                           const float *y, const float *along, float *before, float *after)
{
    enum { TOGETHER = 4 };
    size_t t = 0;
    for (; t + TOGETHER <= n; t += TOGETHER)
        collect_rows(TOGETHER, stride, real + t * stride, imaginary + t * stride, y + t, along + t,
                     before, after);
    for (; t < n; t++)
        collect_rows(1, stride, real + t * stride, imaginary + t * stride, y + t, along + t, before,
                     after);
}

/* Amplitudes of the interval after knot k, and by how much more they are at the next. */
static void lay_line(const PartialStretch *s, const float complex *c, size_t k, float *line)
{
    for (size_t p = 0; p < s->partials; p++) {
        const float complex a = c[k * s->partials + p], b = c[(k + 1) * s->partials + p];
        line[p] = crealf(a);
        line[MOST + p] = cimagf(a);
        line[2 * MOST + p] = crealf(b) - crealf(a);
        line[3 * MOST + p] = cimagf(b) - cimagf(a);
    }
}

/* Amplitudes c (knots, partials) -> sound y (n,), and that, or (c NULL) the y that is given, by the
 * adjoint -> g (knots, partials) unless NULL. Both a few samples at a time, so that phasors come
 * from far memory once. */
static void pass_over(const PartialFit *fit, const PartialStretch *s, const float complex *c,
                      float *y, float complex *g)
{
    float line[4 * MOST] = {0.0F}, sums[2][2 * MOST] = {{0.0F}, {0.0F}}, along[ROWS];
    for (size_t k = 0; k < s->knots; k++) {
        float *here = sums[k % 2], *next = sums[(k + 1) % 2];
        const size_t start = s->knot[k], end = k + 1 < s->knots ? s->knot[k + 1] : start;
        const float scale = 1.0F / (float)(end > start ? end - start : 1);
        memset(next, 0, sizeof sums[0]);
        if (c && end > start)
            lay_line(s, c, k, line);
        for (size_t t = start; t < end; t += ROWS) {
            const size_t n = end - t < ROWS ? end - t : ROWS;
            const float *real = fit->real + t * fit->stride;
            const float *imaginary = fit->imaginary + t * fit->stride;
            for (size_t i = 0; i < n; i++)
                along[i] = scale * (float)(t + i - start);
            if (c)
                sound(n, fit->stride, real, imaginary, line, along, y + t);
            if (g)
                collect(n, fit->stride, real, imaginary, y + t, along, here, next);
        }
        for (size_t p = 0; g && p < s->partials; p++)
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
    pass_over(fit, s, c, fit->sound, g);
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
    memcpy(fit->sound, s->x, s->n * sizeof *s->x);
    pass_over(fit, s, NULL, fit->sound, fit->gradient);
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
    pass_over(fit, s, c, y, NULL);
}
