/* Normalised least mean squares (Widrow & Hoff 1960; Nagumo & Noda 1967): a linear prediction that
 * takes a small step down the squared error at every sample. Deterministic; bounded time and
 * memory; any thread, one at a time per struct. */
#ifndef BRUME_DSP_NLMS_H
#define BRUME_DSP_NLMS_H

#include "dsp/past.h"

#include <stddef.h>

enum { NLMS_MOST = 512 };

/* Plain data: a copy is the state. */
typedef struct Nlms {
    size_t order; /* 1..NLMS_MOST */
    float rate;   /* step size, 0..1; stable below 2 */
    float floor;  /* energy a sample under which steps shrink */
    double energy;
    Past past;
    float weights[NLMS_MOST];
} Nlms;

/* No past, weights zero. */
void nlms_reset(Nlms *nlms, size_t order, float rate, float floor);

/* The next value of the signal as predicted from those pushed. */
float nlms_predict(const Nlms *nlms);

/* The next value x as it was, and the error (x less what nlms_predict said, or another signal's
 * error that the weights shall lessen). An error or value that is not finite counts as 0. */
void nlms_push(Nlms *nlms, float x, float error);

#endif
