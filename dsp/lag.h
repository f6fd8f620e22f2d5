/* The period of the past: the lag at which it best resembles itself, estimated again every LAG_HOP
 * samples from what has been. Deterministic; bounded; any thread, one at a time per struct. */
#ifndef BRUME_DSP_LAG_H
#define BRUME_DSP_LAG_H

#include "dsp/past.h"

#include <stddef.h>

enum { LAG_HOP = 64, LAG_LEAST = 8, LAG_MOST = 480, LAG_WINDOW = 512 };

/* Plain data: a copy is the state. All zero is the start. */
typedef struct Lag {
    Past past;
    size_t since;
    float period;     /* samples, LAG_LEAST..LAG_MOST; 0 where nothing repeats */
    float confidence; /* normalised autocorrelation at it, 0..1 */
} Lag;

/* The next sample as it was. */
void lag_push(Lag *lag, float x);

#endif
