#include "dsp/analysis.h"

#include <stdlib.h>

size_t analysis_frames(size_t n, size_t size, size_t hop)
{
    return n < size ? 0 : (n - size) / hop + 1;
}

int analysis_run(const Bands *bands, Stft *stft, const float *samples, size_t n, size_t hop,
                 float *log_energy, Error *err)
{
    float complex *spectrum = calloc(stft_bins(stft), sizeof *spectrum);
    if (!spectrum)
        return error_set(err, "out of memory for the analysis");
    const size_t frames = analysis_frames(n, stft_size(stft), hop), count = bands_count(bands);
    for (size_t f = 0; f < frames; f++) {
        stft_forward(stft, samples + f * hop, spectrum);
        bands_energy(bands, spectrum, log_energy + f * count);
        bands_log(bands, log_energy + f * count);
    }
    free(spectrum);
    return 0;
}
