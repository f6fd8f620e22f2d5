#include "dsp/gain.h"

#include <float.h>
#include <math.h>

static const float FLOOR_DB = -200.0F;
static const double HALF_PI = 1.570796326794896619231;

float gain_from_db(float db)
{
    return (float)pow(10.0, (double)db / 20.0);
}

float gain_to_db(float linear)
{
    if (!(linear > 0.0F))
        return FLOOR_DB;
    const float db = (float)(20.0 * log10((double)linear));
    return db > FLOOR_DB ? db : FLOOR_DB;
}

/* Weighted this way round, and in double, both ends come out exactly. */
void fade_ramp(float *x, size_t n, float from, float to)
{
    for (size_t i = 0; i < n; i++) {
        const double along = (double)(i + 1) / (double)n;
        x[i] *= (float)((double)from * (1.0 - along) + (double)to * along);
    }
}

void crossfade_power(const float *old, const float *new_, float *out, size_t n, size_t position,
                     size_t length)
{
    const size_t left = position < length ? length - position - 1 : 0;
    const size_t fading = left < n ? left : n;
    for (size_t i = 0; i < fading; i++) {
        const double angle = HALF_PI * ((double)(position + i + 1) / (double)length);
        out[i] = (float)((double)old[i] * cos(angle) + (double)new_[i] * sin(angle));
    }
    for (size_t i = fading; i < n; i++)
        out[i] = new_[i];
}

/* Only additions, products, a division and a root, which IEEE 754 rounds the same everywhere. The
 * excess is bounded so that its square is finite: from there on the curve is 1 in float. The root
 * is never less than the excess, so the sum is never more than 1. */
static inline float bend(float magnitude)
{
    const float room = 1.0F - LIMITER_KNEE;
    const float excess = magnitude - LIMITER_KNEE;
    const float bounded = excess < 1e6F ? excess : 1e6F;
    return LIMITER_KNEE + room * (bounded / sqrtf(room * room + bounded * bounded));
}

void limiter_apply(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float magnitude = fabsf(x[i]);
        const float audible = magnitude >= FLT_MIN && magnitude <= FLT_MAX ? magnitude : 0.0F;
        const float limited = audible > LIMITER_KNEE ? bend(audible) : audible;
        x[i] = magnitude <= FLT_MAX ? copysignf(limited, x[i]) : 0.0F;
    }
}
