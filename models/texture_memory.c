#include "models/texture_memory.h"

#include "dsp/random.h"
#include "models/texture_noise.h"

#include <string.h>

/* The most that a memory is moved from one mean frame towards another. */
static const double MOST_MOVED = 0.3;

/* The seed's two mean frames of a class, mixed: added to memory (bands,), times `weight`. */
static void add_class(const TextureModel *model, uint64_t seed, size_t c, float weight,
                      float *memory)
{
    const size_t bands = texture_model_config(model)->denoiser.bands;
    const uint64_t choice = texture_noise_stream(TEXTURE_NOISE_CHOICE, 0, 0);
    const float *colours = texture_model_colours(model) + c * TEXTURE_MEMORIES * bands;
    const size_t one = (size_t)random_below(seed, choice, 4 * c, TEXTURE_MEMORIES);
    const size_t other = (size_t)random_below(seed, choice, 4 * c + 1, TEXTURE_MEMORIES);
    const float moved = (float)(MOST_MOVED * random_uniform(seed, choice, 4 * c + 2));
    for (size_t b = 0; b < bands; b++) {
        const float from = colours[one * bands + b];
        const float to = colours[other * bands + b];
        memory[b] += weight * (from + moved * (to - from));
    }
}

void texture_memory_settle(const TextureModel *model, const TextureSettings *settings, float *mix,
                           float *memory)
{
    const DenoiserConfig *config = &texture_model_config(model)->denoiser;
    float sum = 0.0f;
    for (size_t c = 0; c < config->classes; c++)
        sum += settings->mix[c];
    memset(mix, 0, TEXTURE_MAX_CLASSES * sizeof *mix);
    memset(memory, 0, config->bands * sizeof *memory);
    for (size_t c = 0; c < config->classes; c++) {
        mix[c] = settings->mix[c] / sum;
        if (mix[c] > 0.0f)
            add_class(model, settings->seed, c, mix[c], memory);
    }
}
