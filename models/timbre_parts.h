/* What models/timbre.c gathers and models/timbre_stream.c plays. Internal to the two. */
#ifndef BRUME_MODELS_TIMBRE_PARTS_H
#define BRUME_MODELS_TIMBRE_PARTS_H

#include "models/timbre.h"

#include <complex.h>

#define TIMBRE_REGIONS 3  /* of frequency: to 1, to 3, to 8 kHz */
#define TIMBRE_AGES    12 /* steps of the time since a note's end */

/* How a note of the prompt sounds while it is held. */
typedef struct TimbreNote {
    float pitch, level, sure;
    size_t partials, knots;
    float *ratio;             /* (partials,) */
    float *time;              /* (knots,): samples since the onset, 0 first */
    float *bend;              /* (knots,): frequency over that of `pitch` */
    float complex *amplitude; /* (knots, partials) */
    float *fall;              /* (partials,): nepers per sample of its last part, 0 or less */
    size_t loop;              /* the first knot of the part that is run to and fro at the end */
    size_t frames;
    float *noise; /* (frames, NOISE_BANDS): power in frames of 64 samples since the onset */
} TimbreNote;

/* A note that sounds when the prompt ends. */
typedef struct TimbreRinging {
    size_t note;              /* which */
    float complex *amplitude; /* (partials,) at the end */
    float hertz;
    double turns; /* of its frequency since its onset, at the end */
    float age;    /* samples from its onset to the end */
    float let_go; /* samples since its end; negative: it is held */
} TimbreRinging;

struct Timbre {
    TimbreNote *note;
    size_t notes;
    TimbreRinging *ringing;
    size_t ringings;
    float level;
    /* Nepers per sample at which amplitudes fall after a note's end, by region and time since. */
    float release[TIMBRE_REGIONS][TIMBRE_AGES];
};

/* Ends of the steps of time since a note's end, in samples; the last is open. */
extern const float timbre_ages[TIMBRE_AGES];

/* Nepers (0 or less) by which a partial at `hertz` has fallen `since` samples after its note's end.
 */
float timbre_fallen(const Timbre *timbre, float hertz, float since);

#endif
