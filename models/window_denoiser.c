#include "models/window_denoiser.h"

#include <stdlib.h>
#include <string.h>

/* One channel's window: what it was told, for steps from..from+DENOISER_LEVELS-1. */
typedef struct Channel {
    DenoiserTold *told;
    int from; /* -1: of none */
} Channel;

struct WindowDenoiser {
    DenoiserSpace *space;
    size_t bands;
    unsigned channels;
    Channel channel[];
};

WindowDenoiser *window_denoiser_create(const DenoiserSteps *steps, unsigned channels, size_t frames,
                                       Error *err)
{
    WindowDenoiser *denoiser = calloc(1, sizeof *denoiser + channels * sizeof(Channel));
    if (!denoiser) {
        error_set(err, "out of memory for a denoiser");
        return NULL;
    }
    denoiser->channels = channels;
    denoiser->bands = denoiser_steps_config(steps)->bands;
    bool good = (denoiser->space = denoiser_space_create(steps, frames, err)) != NULL;
    for (unsigned c = 0; good && c < channels; c++)
        good = (denoiser->channel[c].told = denoiser_told_create(steps, err)) != NULL;
    if (!good) {
        window_denoiser_destroy(denoiser);
        return NULL;
    }
    return denoiser;
}

void window_denoiser_destroy(WindowDenoiser *denoiser)
{
    if (!denoiser)
        return;
    for (unsigned c = 0; c < denoiser->channels; c++)
        denoiser_told_destroy(denoiser->channel[c].told);
    denoiser_space_destroy(denoiser->space);
    free(denoiser);
}

void window_denoiser_begin(WindowDenoiser *denoiser, unsigned channel, const DenoiserWindow *window)
{
    denoiser_tell(denoiser->channel[channel].told, window);
    denoiser->channel[channel].from = -1;
}

/* Tells a channel's window the levels of those DENOISER_LEVELS steps that number `from` begins. */
static void tell_levels(Channel *channel, int from, const Sampler *sampler)
{
    double levels[DENOISER_LEVELS];
    size_t n = 0;
    for (int i = from; i < sampler_steps(sampler) && n < DENOISER_LEVELS; i++)
        levels[n++] = sampler_level(sampler, i);
    denoiser_tell_levels(channel->told, levels, n);
    channel->from = from;
}

void window_denoiser_step(WindowDenoiser *denoiser, unsigned channel, const Sampler *sampler,
                          const DenoiserStep *step, float *out)
{
    Channel *at = &denoiser->channel[channel];
    const int number = sampler_number(sampler), level = number % DENOISER_LEVELS;
    if (at->from != number - level)
        tell_levels(at, number - level, sampler);
    DenoiserStep one = *step;
    one.level = (size_t)level;
    memset(out, 0, step->first * denoiser->bands * sizeof *out);
    denoiser_step(denoiser->space, at->told, &one, out);
}
