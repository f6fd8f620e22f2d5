#include "dsp/stft.h"

#include "dsp/planner.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct Stft {
    size_t size;
    float *window;
    float *time;
    fftwf_complex *spectrum;
    fftwf_plan forward, inverse;
};

Stft *stft_create(size_t size, Error *err)
{
    if (size < 16 || size > 65536 || (size & (size - 1))) {
        error_set(err, "a frame of %zu samples: give a power of two from 16 to 65536", size);
        return NULL;
    }
    Stft *stft = calloc(1, sizeof *stft);
    if (!stft) {
        error_set(err, "out of memory for a Fourier transform");
        return NULL;
    }
    stft->size = size;
    stft->window = fftwf_alloc_real(size);
    stft->time = fftwf_alloc_real(size);
    stft->spectrum = fftwf_alloc_complex(size / 2 + 1);
    if (!stft->window || !stft->time || !stft->spectrum) {
        error_set(err, "out of memory for a Fourier transform");
        stft_destroy(stft);
        return NULL;
    }
    /* ESTIMATE, since measured plans differ from run to run, and so would the rounding. */
    planner_lock();
    stft->forward = fftwf_plan_dft_r2c_1d((int)size, stft->time, stft->spectrum, FFTW_ESTIMATE);
    stft->inverse = fftwf_plan_dft_c2r_1d((int)size, stft->spectrum, stft->time, FFTW_ESTIMATE);
    planner_unlock();
    if (!stft->forward || !stft->inverse) {
        error_set(err, "FFTW cannot plan a transform of %zu samples", size);
        stft_destroy(stft);
        return NULL;
    }
    const double pi = acos(-1.0);
    for (size_t i = 0; i < size; i++)
        stft->window[i] = (float)(0.5 - 0.5 * cos(2.0 * pi * (double)i / (double)size));
    return stft;
}

void stft_destroy(Stft *stft)
{
    if (!stft)
        return;
    planner_lock();
    if (stft->forward)
        fftwf_destroy_plan(stft->forward);
    if (stft->inverse)
        fftwf_destroy_plan(stft->inverse);
    planner_unlock();
    fftwf_free(stft->window);
    fftwf_free(stft->time);
    fftwf_free(stft->spectrum);
    free(stft);
}

size_t stft_size(const Stft *stft)
{
    return stft->size;
}

size_t stft_bins(const Stft *stft)
{
    return stft->size / 2 + 1;
}

const float *stft_window(const Stft *stft)
{
    return stft->window;
}

void stft_forward(Stft *stft, const float *in, float complex *out)
{
    for (size_t i = 0; i < stft->size; i++)
        stft->time[i] = in[i] * stft->window[i];
    fftwf_execute(stft->forward);
    memcpy(out, stft->spectrum, stft_bins(stft) * sizeof *out);
}

void stft_inverse(Stft *stft, const float complex *in, float *out)
{
    memcpy(stft->spectrum, in, stft_bins(stft) * sizeof *in);
    fftwf_execute(stft->inverse);
    const float scale = 1.0f / (float)stft->size;
    for (size_t i = 0; i < stft->size; i++)
        out[i] += stft->time[i] * (stft->window[i] * scale);
}
