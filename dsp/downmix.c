#include "dsp/downmix.h"

/* The mean must keep this share of the loudest channel's power. */
static const double LEAST_SHARE = 0.125;

static double power(const float *frames, size_t n, unsigned channels, unsigned channel)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double x = (double)frames[i * channels + channel];
        sum += x * x;
    }
    return sum;
}

static float mean_of(const float *frame, unsigned channels)
{
    float sum = 0.0F;
    for (unsigned c = 0; c < channels; c++)
        sum += frame[c];
    return sum / (float)channels;
}

void downmix(const float *frames, size_t n, unsigned channels, float *mono)
{
    unsigned loudest = 0;
    double most = -1.0, mean = 0.0;
    for (unsigned c = 0; c < channels; c++) {
        const double one = power(frames, n, channels, c);
        if (one > most) {
            most = one;
            loudest = c;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const double x = (double)mean_of(frames + i * channels, channels);
        mean += x * x;
    }
    for (size_t i = 0; i < n; i++)
        mono[i] = mean >= LEAST_SHARE * most ? mean_of(frames + i * channels, channels)
                                             : frames[i * channels + loudest];
}
