#include "models/anchor.h"

#include "dsp/complex_float.h"
#include "dsp/kernel.h"
#include "dsp/turns.h"
#include "models/melody_condition.h"

#include <math.h>
#include <string.h>

enum { LANES = 8, LONGEST = 64 };
typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4)));

/* A macro: a function that returned a vector would depend on what the processor has. */
#define LOAD(x) (*(const Vector *)(x))

/* Sinusoids side by side, in turns: angles at the first sample, steps, and what steps grow by;
 * amplitudes, and what they grow by. */
typedef struct Sinusoids {
    float angle[LANES], step[LANES], bend[LANES];
    float real[LANES], imaginary[LANES], real_rise[LANES], imaginary_rise[LANES];
} Sinusoids;

KERNEL static void phasors(const float *turns, float *restrict cosine, float *restrict sine)
{
    for (int i = 0; i < LANES; i++)
        turns_phasor(turns[i], &cosine[i], &sine[i]);
}

/* Adds n samples to sums (n, LANES): each phasor is the last one's times a step, and each step the
 * last one's times a bend. */
KERNEL static void turn(size_t n, const Sinusoids *s, const float (*start)[LANES], float *sums)
{
    Vector z_r = LOAD(start[0]), z_i = LOAD(start[1]), s_r = LOAD(start[2]), s_i = LOAD(start[3]);
    const Vector bend_r = LOAD(start[4]), bend_i = LOAD(start[5]);
    const Vector rise_r = LOAD(s->real_rise), rise_i = LOAD(s->imaginary_rise);
    Vector a_r = LOAD(s->real), a_i = LOAD(s->imaginary);
    for (size_t t = 0; t < n; t++) {
        *(Vector *)(sums + t * LANES) += a_r * z_r - a_i * z_i;
        a_r += rise_r;
        a_i += rise_i;
        const Vector next = z_r * s_r - z_i * s_i;
        z_i = z_r * s_i + z_i * s_r;
        z_r = next;
        const Vector faster = s_r * bend_r - s_i * bend_i;
        s_i = s_r * bend_i + s_i * bend_r;
        s_r = faster;
    }
}

static void add(size_t n, const Sinusoids *s, float *sums)
{
    float start[6][LANES];
    phasors(s->angle, start[0], start[1]);
    phasors(s->step, start[2], start[3]);
    phasors(s->bend, start[4], start[5]);
    turn(n, s, (const float(*)[LANES])start, sums);
}

/* out (n,) += what lies side by side in sums. */
KERNEL static void gather(size_t n, float *restrict sums, float *restrict out)
{
    for (size_t t = 0; t < n; t++) {
        float *lane = sums + t * LANES;
        for (int half = LANES / 2; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                lane[i] += lane[i + half];
        out[t] += lane[0];
    }
}

double anchor_add(const AnchorPiece *piece, float *out)
{
    const double n = (double)piece->n;
    const double from = (double)piece->hertz_from / MELODY_RATE,
                 to = (double)piece->hertz_to / MELODY_RATE;
    const double bend = (to - from) / n;
    const float scale = 1.0F / (float)piece->n;
    float sums[LONGEST * LANES];
    Sinusoids s;
    size_t count = 0;
    memset(sums, 0, piece->n * LANES * sizeof *sums);
    memset(&s, 0, sizeof s);
    for (size_t p = 0; p < piece->partials; p++) {
        const double ratio = (double)piece->ratio[p];
        const float complex a = piece->from[p], b = piece->to[p];
        if (ratio * fmax(from, to) >= 0.5 || (a == 0.0F && b == 0.0F))
            continue;
        s.angle[count] = turns_left(ratio * piece->turns);
        s.step[count] = turns_left(ratio * (from + 0.5 * bend));
        s.bend[count] = turns_left(ratio * bend);
        s.real[count] = crealf(a);
        s.imaginary[count] = cimagf(a);
        s.real_rise[count] = (crealf(b) - crealf(a)) * scale;
        s.imaginary_rise[count] = (cimagf(b) - cimagf(a)) * scale;
        if (++count == LANES) {
            add(piece->n, &s, sums);
            memset(&s, 0, sizeof s);
            count = 0;
        }
    }
    if (count > 0)
        add(piece->n, &s, sums);
    gather(piece->n, sums, out);
    return piece->turns + 0.5 * (from + to) * n;
}
