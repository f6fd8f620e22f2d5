/* A gain that moves to its target in a straight line, sample by sample. Audio thread. */
#ifndef BRUME_PLUGIN_RAMP_H
#define BRUME_PLUGIN_RAMP_H

#include <stdint.h>

typedef struct Ramp {
    float value, target, step;
    uint32_t left; /* samples until the target is reached */
} Ramp;

/* There at once. */
static inline void ramp_jump(Ramp *ramp, float target)
{
    *ramp = (Ramp){.value = target, .target = target};
}

/* There in `samples` samples, if it is not on its way already. */
static inline void ramp_aim(Ramp *ramp, float target, uint32_t samples)
{
    if (target == ramp->target)
        return;
    ramp->target = target;
    ramp->left = samples > 0 ? samples : 1;
    ramp->step = (target - ramp->value) / (float)ramp->left;
}

/* The next sample's gain; exactly the target at the end. */
static inline float ramp_next(Ramp *ramp)
{
    if (ramp->left > 0) {
        ramp->left--;
        ramp->value = ramp->left > 0 ? ramp->value + ramp->step : ramp->target;
    }
    return ramp->value;
}

/* Whether it stays at its value. */
static inline int ramp_steady(const Ramp *ramp)
{
    return ramp->left == 0;
}

/* Whether it is zero and stays so. */
static inline int ramp_silent(const Ramp *ramp)
{
    return ramp_steady(ramp) && ramp->value == 0.0f;
}

#endif
