#include "dsp/bands_batch.h"

#include "dsp/bands_parts.h"
#include "dsp/fourier.h"
#include "dsp/kernel.h"

#include <math.h>

/* In a loop whose number of lanes is a constant, once it is inlined. */
#define INLINE static inline __attribute__((always_inline))

/* Above the single bins, each bin's power is shared out among the bands on both sides of it. */
INLINE void find_energy(const Bands *bands, size_t lanes, const size_t *rows, const float *spectrum,
                        float *restrict energy)
{
    for (size_t k = 0; k < bands->single; k++) {
        const float *re = spectrum + rows[k] * lanes, *im = re + lanes;
        for (size_t l = 0; l < lanes; l++)
            energy[k * lanes + l] = re[l] * re[l] + im[l] * im[l];
    }
    for (size_t i = bands->single * lanes; i < bands->count * lanes; i++)
        energy[i] = 0.0f;
    for (size_t k = bands->single; k < bands->bins; k++) {
        const float *re = spectrum + rows[k] * lanes, *im = re + lanes;
        float *band = energy + bands->below[k] * lanes;
        const float share = bands->share[k];
        for (size_t l = 0; l < lanes; l++) {
            const float power = re[l] * re[l] + im[l] * im[l];
            band[l] += (1.0f - share) * power;
            band[lanes + l] += share * power;
        }
    }
    for (size_t b = 0; b < bands->count; b++)
        for (size_t l = 0; l < lanes; l++)
            energy[b * lanes + l] *= bands->bands[b].scale;
}

INLINE void find_gains(size_t n, const float *target, float *energy)
{
    const float tiny = 1e-20f, most = 1e4f;
    for (size_t i = 0; i < n; i++) {
        const float gain = sqrtf(target[i] / (energy[i] + tiny));
        energy[i] = gain < most ? gain : most;
    }
}

INLINE void weigh(const Bands *bands, size_t lanes, const size_t *rows, const float *gains,
                  float *spectrum)
{
    for (size_t k = 0; k < bands->single; k++) {
        float *re = spectrum + rows[k] * lanes, *im = re + lanes;
        const float *gain = gains + k * lanes;
        for (size_t l = 0; l < lanes; l++) {
            re[l] *= gain[l];
            im[l] *= gain[l];
        }
    }
    for (size_t k = bands->single; k < bands->bins; k++) {
        float *re = spectrum + rows[k] * lanes, *im = re + lanes;
        const float *low = gains + bands->below[k] * lanes, *high = low + lanes;
        const float share = bands->share[k];
        for (size_t l = 0; l < lanes; l++) {
            const float gain = low[l] + share * (high[l] - low[l]);
            re[l] *= gain;
            im[l] *= gain;
        }
    }
}

KERNEL static void energy_wide(const Bands *bands, const size_t *rows, const float *spectrum,
                               float *restrict energy)
{
    find_energy(bands, FOURIER_WIDE, rows, spectrum, energy);
}

KERNEL static void energy_narrow(const Bands *bands, const size_t *rows, const float *spectrum,
                                 float *restrict energy)
{
    find_energy(bands, FOURIER_NARROW, rows, spectrum, energy);
}

KERNEL static void gains_of(size_t n, const float *target, float *energy)
{
    find_gains(n, target, energy);
}

KERNEL static void weigh_wide(const Bands *bands, const size_t *rows, const float *gains,
                              float *restrict spectrum)
{
    weigh(bands, FOURIER_WIDE, rows, gains, spectrum);
}

KERNEL static void weigh_narrow(const Bands *bands, const size_t *rows, const float *gains,
                                float *restrict spectrum)
{
    weigh(bands, FOURIER_NARROW, rows, gains, spectrum);
}

void bands_batch_energy(const Bands *bands, size_t lanes, const size_t *rows, const float *spectrum,
                        float *energy)
{
    if (lanes == FOURIER_WIDE)
        energy_wide(bands, rows, spectrum, energy);
    else
        energy_narrow(bands, rows, spectrum, energy);
}

void bands_batch_gains(const Bands *bands, size_t lanes, const float *target, float *energy)
{
    gains_of(bands->count * lanes, target, energy);
}

void bands_batch_weigh(const Bands *bands, size_t lanes, const size_t *rows, const float *gains,
                       float *spectrum)
{
    if (lanes == FOURIER_WIDE)
        weigh_wide(bands, rows, gains, spectrum);
    else
        weigh_narrow(bands, rows, gains, spectrum);
}

void bands_batch_impose(const Bands *bands, size_t lanes, const size_t *rows, const float *target,
                        float *spectrum, float *scratch)
{
    bands_batch_energy(bands, lanes, rows, spectrum, scratch);
    bands_batch_gains(bands, lanes, target, scratch);
    bands_batch_weigh(bands, lanes, rows, scratch, spectrum);
}
