#include "models/anchor.h"

#include "dsp/complex_float.h"
#include "models/melody_condition.h"

#include <math.h>

static const double TURN = 6.283185307179586;

static float complex phasor(double turns)
{
    const double angle = TURN * (turns - floor(turns));
    return CMPLXF((float)cos(angle), (float)sin(angle));
}

/* A sinusoid whose amplitude goes from a to b: phasor z, step s, which itself turns by `bend`. */
static void sinusoid(size_t n, float complex a, float complex b, float complex z, float complex s,
                     float complex bend, float *out)
{
    const float scale = 1.0F / (float)n;
    const float rise_r = (crealf(b) - crealf(a)) * scale, rise_i = (cimagf(b) - cimagf(a)) * scale;
    float z_r = crealf(z), z_i = cimagf(z), s_r = crealf(s), s_i = cimagf(s);
    const float bend_r = crealf(bend), bend_i = cimagf(bend);
    float a_r = crealf(a), a_i = cimagf(a);
    for (size_t t = 0; t < n; t++) {
        out[t] += a_r * z_r - a_i * z_i;
        a_r += rise_r;
        a_i += rise_i;
        const float next = z_r * s_r - z_i * s_i;
        z_i = z_r * s_i + z_i * s_r;
        z_r = next;
        const float faster = s_r * bend_r - s_i * bend_i;
        s_i = s_r * bend_i + s_i * bend_r;
        s_r = faster;
    }
}

double anchor_add(const AnchorPiece *piece, float *out)
{
    const double n = (double)piece->n;
    const double from = (double)piece->hertz_from / MELODY_RATE,
                 to = (double)piece->hertz_to / MELODY_RATE;
    const double bend = (to - from) / n;
    for (size_t p = 0; p < piece->partials; p++) {
        const double ratio = (double)piece->ratio[p];
        if (ratio * fmax(from, to) >= 0.5 ||
            (cabsf(piece->from[p]) == 0.0F && cabsf(piece->to[p]) == 0.0F))
            continue;
        sinusoid(piece->n, piece->from[p], piece->to[p], phasor(ratio * piece->turns),
                 phasor(ratio * (from + 0.5 * bend)), phasor(ratio * bend), out);
    }
    return piece->turns + 0.5 * (from + to) * n;
}
