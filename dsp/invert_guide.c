#include "dsp/invert_parts.h"

#include "dsp/bands_batch.h"

/* A batch's guide into `spare`, one frame a lane. */
static void spread_guide(Inverter *inverter, const float complex *guide, size_t lanes)
{
    const size_t *rows = lapped_rows(inverter->lapped);
    for (size_t l = 0; l < lanes; l++)
        for (size_t k = 0; k < inverter->bins; k++) {
            const float complex value = guide[l * inverter->bins + k];
            inverter->spare[rows[k] * lanes + l] = crealf(value);
            inverter->spare[(rows[k] + 1) * lanes + l] = cimagf(value);
        }
}

/* Energies of a batch's guide (count, lanes) -> what is to be heard of it, and what of the rest. */
static void share_out(const Inverter *inverter, const float *target, const float *share,
                      size_t lanes, float *led, float *rest)
{
    const float rounding = 1e-5f; /* its root would be heard as noise beside the guide */
    for (size_t b = 0; b < bands_count(inverter->bands); b++)
        for (size_t l = 0; l < lanes; l++) {
            const size_t i = b * lanes + l;
            const float most = led[i] < target[i] ? led[i] : target[i];
            led[i] = share[l] * share[l] * most;
            const float left = target[i] - led[i];
            rest[i] = left > rounding * target[i] ? left : 0.0f;
        }
}

/* As bands_batch_impose for one batch, but lanes without a share stay as they are. */
static void impose_shared(Inverter *inverter, size_t lanes, const float *share, const float *target,
                          float *spectrum)
{
    const size_t *rows = lapped_rows(inverter->lapped);
    bands_batch_energy(inverter->bands, lanes, rows, spectrum, inverter->gains);
    bands_batch_gains(inverter->bands, lanes, target, inverter->gains);
    for (size_t i = 0; i < bands_count(inverter->bands) * lanes; i++)
        if (!(share[i % lanes] > 0.0f))
            inverter->gains[i] = 1.0f;
    bands_batch_weigh(inverter->bands, lanes, rows, inverter->gains, spectrum);
}

/* Puts the guide's shares into a batch of the first guess. */
static void lead(Inverter *inverter, const InverterGuide *guide, size_t batch)
{
    const Bands *bands = inverter->bands;
    const size_t count = bands_count(bands), lanes = lapped_lanes(batch);
    const size_t first = lapped_first(batch), rows = inverter->size + 2;
    const float *share = guide->share + first;
    const float *target = inverter->target + lapped_batch(batch, count);
    float *spectrum = inverter->spectra + lapped_batch(batch, rows);
    spread_guide(inverter, guide->spectra + first * inverter->bins, lanes);
    bands_batch_energy(bands, lanes, lapped_rows(inverter->lapped), inverter->spare, inverter->led);
    share_out(inverter, target, share, lanes, inverter->led, inverter->rest);
    bands_batch_impose(bands, lanes, lapped_rows(inverter->lapped), inverter->led, inverter->spare,
                       inverter->gains);
    impose_shared(inverter, lanes, share, inverter->rest, spectrum);
    for (size_t i = 0; i < rows * lanes; i++)
        spectrum[i] += inverter->spare[i];
    impose_shared(inverter, lanes, share, target, spectrum);
}

bool inverter_lead(Inverter *inverter, const InverterGuide *guide)
{
    bool any[LAPPED_BATCHES] = {false}, whole = true;
    for (size_t f = 0; f < FRAMES; f++) {
        any[f / FOURIER_WIDE] |= guide->share[f] > 0.0f;
        whole = whole && guide->share[f] >= 1.0f;
    }
    for (size_t b = 0; b < LAPPED_BATCHES; b++)
        if (any[b])
            lead(inverter, guide, b);
    return whole;
}
