/* Sinusoids fitted to a stretch of sound by least squares, all at once: partials of known frequency
 * whose complex amplitudes are straight lines between knots (the harmonic model of Laroche,
 * Stylianou and Moulines, "HNS: Speech modification based on a harmonic + noise model", ICASSP
 * 1993, with McAulay and Quatieri's free frequencies). Nothing is smeared by a window: a partial
 * that starts at the stretch's first sample is 0 before it, and old ones that ring on under new
 * ones are told from them as far as their frequencies differ.
 *
 * The sound is Re(sum over p of c_p(t) exp(i phi_p(t))), with frequencies that are straight between
 * knots too. Used by dsp/partials. */
#ifndef BRUME_DSP_PARTIAL_FIT_H
#define BRUME_DSP_PARTIAL_FIT_H

#include "dsp/error.h"

#include <complex.h>
#include <stddef.h>

#define PARTIAL_FIT_MOST  192   /* partials at a time */
#define PARTIAL_FIT_LONG  16384 /* samples of a stretch */
#define PARTIAL_FIT_KNOTS 128

typedef struct PartialFit PartialFit;

typedef struct PartialStretch {
    const float *x; /* (n,) at PITCH_RATE */
    size_t n;
    size_t knots, partials;
    const size_t *knot;  /* (knots,): samples from the start, 0 first, n last, ascending */
    const float *hertz;  /* (knots, partials) */
    const double *phase; /* (partials,): turns at sample 0 */
    const float *rate;   /* (knots - 1, partials): variance of a change of amplitude per second that
                            is expected; 0 keeps all amplitudes of that partial as they are given */
    const float *keep;   /* (partials,): share of an amplitude that is expected to be left after a
                            second; 1 for sounds that last */
    float precision; /* the share of the first error (squared) at which to stop, 1e-6 for all digits
                      */
    float noise;     /* variance of what is not partials */
} PartialStretch;

/* Memory for stretches of any size up to the limits, about 50 MB. NULL when there is none. */
PartialFit *partial_fit_create(Error *err);
void partial_fit_destroy(PartialFit *fit);

/* Amplitudes (knots, partials), of which the first row is given, and all rows of partials whose
 * rate is 0: finds the others, by conjugate gradients on the normal equations with a random walk
 * between knots as prior. y (n,) gets what they sound like. */
void partial_fit_solve(PartialFit *fit, const PartialStretch *stretch, float complex *amplitude,
                       float *y);

#endif
