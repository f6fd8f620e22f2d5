/* Linear prediction from the past alone: every LPC_HOP samples the coefficients are solved again
 * from the windowed autocorrelation of what has been, so a decoder could do the same and nothing
 * need be sent. Deterministic; bounded time and memory; any thread, one at a time per struct. */
#ifndef BRUME_DSP_LPC_H
#define BRUME_DSP_LPC_H

#include "dsp/past.h"

#include <stddef.h>

enum { LPC_ORDER = 32, LPC_HOP = 64, LPC_WINDOW = 1024 };

/* Levinson's recursion (Durbin 1960): coefficients (order,) of the best prediction
 * x[t] = sum of coefficients[k] x[t - 1 - k] for the autocorrelation (order + 1,), order 1..256,
 * whose lag 0 is first raised by the share `ridge`. Returns the energy of the prediction's error
 * (0 <= error <= lag 0). A signal without energy gives zero coefficients. */
double lpc_solve(size_t order, const double *autocorrelation, double ridge, double *coefficients);

/* Plain data: a copy is the state. All zero but for lpc_reset's window: call that first. */
typedef struct Lpc {
    Past past;
    size_t since; /* samples since the coefficients were solved */
    float window[LPC_WINDOW];
    float coefficients[LPC_ORDER];
} Lpc;

void lpc_reset(Lpc *lpc);

/* The next sample as predicted from those pushed so far; always finite for finite input. */
float lpc_predict(const Lpc *lpc);

/* The next sample as it was. */
void lpc_push(Lpc *lpc, float x);

#endif
