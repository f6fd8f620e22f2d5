/* The last PAST_LENGTH values of a signal, newest first and always in one piece: a ring that is
 * written twice. Plain data: copying the struct copies the state. All zero is the empty past. */
#ifndef BRUME_DSP_PAST_H
#define BRUME_DSP_PAST_H

#include <stddef.h>

enum { PAST_LENGTH = 1024 };

typedef struct Past {
    size_t at;
    float values[2 * PAST_LENGTH];
} Past;

/* The newest value is [0], the one k steps before it [k], k < PAST_LENGTH. Valid until the next
 * push. */
static inline const float *past_values(const Past *past)
{
    return past->values + past->at;
}

static inline void past_push(Past *past, float value)
{
    past->at = (past->at ? past->at : PAST_LENGTH) - 1;
    past->values[past->at] = past->values[past->at + PAST_LENGTH] = value;
}

#endif
