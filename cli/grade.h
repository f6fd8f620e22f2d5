/* What the figures of dsp/texture_distance.h and dsp/texture_copies.h mean to a listener. */
#ifndef BRUME_CLI_GRADE_H
#define BRUME_CLI_GRADE_H

typedef enum Grade { GRADE_AS_REAL, GRADE_NEAR, GRADE_LIKENESS, GRADE_FAR } Grade;

/* Of a TOTAL, or of how often it is that of real sound. */
static inline Grade grade_of(double total)
{
    return total <= 1.1    ? GRADE_AS_REAL
           : total <= 1.35 ? GRADE_NEAR
           : total <= 1.5  ? GRADE_LIKENESS
                           : GRADE_FAR;
}

/* Below these a sound is too much the same, or has parts that are copies. */
#define GRADE_LEAST_SPREAD       0.6
#define GRADE_LEAST_MEMORISATION 0.65

/* Measured against less real sound than this, figures are rough. */
#define GRADE_SHORT_REFERENCE 60.0 /* seconds */

#endif
