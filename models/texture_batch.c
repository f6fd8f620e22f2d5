#include "models/texture_batch.h"

#include "dsp/random.h"
#include "models/texture_past.h"
#include "models/texture_weight.h"
#include "models/texture_window.h"

#include <stdlib.h>
#include <string.h>

/* Streams of the random generator; held-out draws use others than training. */
enum {
    STREAM_PLACE = 0x100,
    STREAM_LEVEL,
    STREAM_PREFIX,
    STREAM_MEMORY,
    STREAM_NOISE,
    STREAM_PAST,
    STREAM_PAST_NOISE,
    STREAM_JOIN,
    STREAM_HELD_OUT = 0x1000
};

/* How often a window has no prefix, as at the beginning of a stream, and how much of a window a
 * prefix takes otherwise: streams give a quarter. */
static const double NO_PREFIX = 0.25, SHORTEST_PREFIX = 0.0625, LONGEST_PREFIX = 0.4;

/* How often a window with a prefix is told nothing of what went before, and how often only a part,
 * as early in a stream; and the noise on what it is told, so that it can't know a place by heart.
 */
static const double NO_PAST = 0.2, PART_OF_PAST = 0.3;
static const float PAST_NOISE = 0.15f;

struct TextureBatch {
    const TextureModel *model;
    size_t room, windows, frames, bands;
    DenoiserPass *pass;
    real *clean, *noise, *x, *known, *out,
        *dout; /* (room * frames, bands), known (room * frames,) */
    real *half_log_snr, *mix, *memory, *past;
    real *weights;   /* (room, bands): what errors count */
    real *piece;     /* (TEXTURE_WINDOW_FADE, bands) */
    float *outlines; /* (TEXTURE_PAST_FRAMES, TEXTURE_PAST_GROUPS) */
};

TextureBatch *texture_batch_create(const TextureModel *model, size_t windows, bool training,
                                   Error *err)
{
    const TextureConfig *config = texture_model_config(model);
    TextureBatch *batch = calloc(1, sizeof *batch);
    if (!batch) {
        error_set(err, "out of memory for training");
        return NULL;
    }
    const size_t frames = config->window, bands = config->denoiser.bands;
    const size_t size = windows * frames * bands;
    batch->model = model;
    batch->room = windows;
    batch->frames = frames;
    batch->bands = bands;
    batch->pass = denoiser_pass_create(texture_model_denoiser(model), windows, windows * frames,
                                       training, err);
    batch->clean = calloc(size, sizeof(real));
    batch->noise = calloc(size, sizeof(real));
    batch->x = calloc(size, sizeof(real));
    batch->out = calloc(size, sizeof(real));
    batch->dout = calloc(size, sizeof(real));
    batch->known = calloc(windows * frames, sizeof(real));
    batch->half_log_snr = calloc(windows, sizeof(real));
    batch->mix = calloc(windows * config->denoiser.classes, sizeof(real));
    batch->memory = calloc(windows * bands, sizeof(real));
    batch->past = calloc(windows * TEXTURE_PAST_VALUES, sizeof(real));
    batch->weights = calloc(windows * bands, sizeof(real));
    batch->piece = calloc(TEXTURE_WINDOW_FADE * bands, sizeof(real));
    batch->outlines = calloc(TEXTURE_PAST_FRAMES * TEXTURE_PAST_GROUPS, sizeof(float));
    if (!batch->pass || !batch->clean || !batch->noise || !batch->x || !batch->out ||
        !batch->dout || !batch->known || !batch->half_log_snr || !batch->mix || !batch->memory ||
        !batch->past || !batch->weights || !batch->piece || !batch->outlines) {
        texture_batch_destroy(batch);
        error_set(err, "out of memory for %zu windows of %zu frames", windows, frames);
        return NULL;
    }
    return batch;
}

void texture_batch_destroy(TextureBatch *batch)
{
    if (!batch)
        return;
    denoiser_pass_destroy(batch->pass);
    free(batch->clean);
    free(batch->noise);
    free(batch->x);
    free(batch->out);
    free(batch->dout);
    free(batch->known);
    free(batch->half_log_snr);
    free(batch->mix);
    free(batch->memory);
    free(batch->past);
    free(batch->weights);
    free(batch->piece);
    free(batch->outlines);
    free(batch);
}

/* The mean of other stretches of the takes that the window is made of, as much of each as it has of
 * them. */
static void fill_memory(TextureBatch *batch, size_t w, const Corpus *corpus,
                        const TextureWindow *window, uint64_t seed, uint64_t stream, uint64_t index)
{
    const size_t bands = batch->bands;
    real *memory = batch->memory + w * bands, *mean = batch->piece + bands;
    size_t total = 0;
    for (size_t i = 0; i < window->count; i++)
        total += window->frames[i];
    memset(memory, 0, bands * sizeof *memory);
    for (size_t i = 0; i < window->count; i++) {
        const real share = (real)window->frames[i] / (real)total;
        const CorpusPlace other =
            corpus_draw_same(corpus, window->places[i], batch->frames, seed, stream, index);
        corpus_mean(corpus, other, batch->frames, batch->piece, mean);
        for (size_t b = 0; b < bands; b++)
            memory[b] += share * mean[b];
    }
}

/* What went before a window that is at `place`; nothing, unless it has a prefix. */
static void fill_past(TextureBatch *batch, size_t w, const Corpus *corpus, CorpusPlace place,
                      const TextureDraw *draw, uint64_t side, uint64_t index)
{
    const uint64_t stream = side + STREAM_PAST;
    real *past = batch->past + w * TEXTURE_PAST_VALUES;
    size_t n = corpus_before(corpus, place);
    n = n < TEXTURE_PAST_FRAMES ? n : TEXTURE_PAST_FRAMES;
    const double u = random_uniform(draw->seed, stream, 2 * index);
    if (u < NO_PAST || batch->known[w * batch->frames] == 0)
        n = 0;
    else if (u < NO_PAST + PART_OF_PAST)
        n = (size_t)random_below(draw->seed, stream, 2 * index + 1, n + 1);
    const CorpusPlace from = {place.take, place.start - n};
    for (size_t f = 0; f < n; f++) {
        corpus_read(corpus, (CorpusPlace){from.take, from.start + f}, 1, batch->piece);
        texture_past_outline(batch->piece, batch->bands, batch->outlines + f * TEXTURE_PAST_GROUPS);
    }
    texture_past_pool(batch->outlines, n, past);
    float noise[TEXTURE_PAST_VALUES];
    random_gaussian(draw->seed, side + STREAM_PAST_NOISE, index * TEXTURE_PAST_VALUES, noise,
                    TEXTURE_PAST_VALUES);
    /* A stretch's last value says how much of it there is: only levels are blurred. */
    for (size_t i = 0; n && i < TEXTURE_PAST_VALUES; i++)
        if (i % (TEXTURE_PAST_GROUPS + 1) != TEXTURE_PAST_GROUPS)
            past[i] += PAST_NOISE * noise[i];
}

static void fill_prefix(TextureBatch *batch, size_t w, double u)
{
    real *known = batch->known + w * batch->frames;
    memset(known, 0, batch->frames * sizeof *known);
    if (u < NO_PREFIX)
        return;
    const double share =
        SHORTEST_PREFIX + (LONGEST_PREFIX - SHORTEST_PREFIX) * (u - NO_PREFIX) / (1.0 - NO_PREFIX);
    const size_t length = (size_t)(share * (double)batch->frames);
    for (size_t f = 0; f < length; f++)
        known[f] = 1;
}

/* x = clean frames where known, else the forward process. */
static void noise_window(TextureBatch *batch, size_t w)
{
    const size_t bands = batch->bands;
    for (size_t f = 0; f < batch->frames; f++) {
        const size_t row = w * batch->frames + f, at = row * bands;
        if (batch->known[row] != 0)
            memcpy(batch->x + at, batch->clean + at, bands * sizeof(real));
        else
            diffusion_forward((double)batch->half_log_snr[w], batch->clean + at, batch->noise + at,
                              batch->x + at, bands);
    }
}

/* Where window `index` lies. */
static int draw_place(const TextureBatch *batch, const Corpus *corpus, const TextureDraw *draw,
                      uint64_t stream, uint64_t index, CorpusPlace *place)
{
    return draw->only ? corpus_draw_class(corpus, draw->only - 1, batch->frames, draw->seed, stream,
                                          index, place)
                      : corpus_draw(corpus, draw->held_out, batch->frames, draw->seed, stream,
                                    index, place);
}

int texture_batch_draw(TextureBatch *batch, const Corpus *corpus, const TextureDraw *draw)
{
    const Schedule *schedule = texture_model_schedule(batch->model);
    const size_t classes = texture_model_config(batch->model)->denoiser.classes;
    const size_t size = batch->frames * batch->bands;
    const uint64_t side = draw->held_out ? STREAM_HELD_OUT : 0;
    const double steps = schedule_steps(schedule);
    batch->windows = draw->windows;
    for (size_t w = 0; w < draw->windows; w++) {
        const uint64_t index = draw->step * draw->of + draw->first + w;
        CorpusPlace place;
        TextureWindow window;
        if (draw_place(batch, corpus, draw, side + STREAM_PLACE, index, &place))
            return -1;
        texture_window_choose(corpus, place, batch->frames, draw->seed, side + STREAM_JOIN, index,
                              &window);
        texture_window_read(corpus, &window, batch->piece, batch->clean + w * size);
        memset(batch->mix + w * classes, 0, classes * sizeof(real));
        batch->mix[w * classes + corpus_place_class(corpus, place)] = 1;
        const double level =
            ((double)(draw->first + w) + random_uniform(draw->seed, side + STREAM_LEVEL, index)) /
            (double)draw->of;
        batch->half_log_snr[w] = (real)schedule_half_log_snr(schedule, 1 + (int)(level * steps));
        fill_prefix(batch, w, random_uniform(draw->seed, side + STREAM_PREFIX, index));
        fill_past(batch, w, corpus, window.places[0], draw, side, index);
        fill_memory(batch, w, corpus, &window, draw->seed, side + STREAM_MEMORY, index);
        texture_weight(batch->model, batch->mix + w * classes, batch->memory + w * batch->bands,
                       batch->weights + w * batch->bands);
        random_gaussian(draw->seed, side + STREAM_NOISE, index * size, batch->noise + w * size,
                        size);
        noise_window(batch, w);
    }
    return 0;
}

void texture_batch_set_level(TextureBatch *batch, double half_log_snr)
{
    for (size_t w = 0; w < batch->windows; w++) {
        batch->half_log_snr[w] = (real)half_log_snr;
        noise_window(batch, w);
    }
}

TextureBatchView texture_batch_view(const TextureBatch *batch)
{
    return (TextureBatchView){{batch->windows, batch->frames, batch->x, batch->known,
                               batch->half_log_snr, batch->mix, batch->memory, batch->past},
                              batch->clean,
                              batch->noise,
                              batch->weights};
}

TextureLoss texture_batch_loss(TextureBatch *batch, const real *weights, double scale,
                               real *gradients)
{
    const DenoiserInput input = texture_batch_view(batch).input;
    denoiser_forward(batch->pass, weights, &input, batch->out);
    const Prediction prediction = texture_model_config(batch->model)->prediction;
    const size_t bands = batch->bands;
    TextureLoss loss = {0.0, 0.0};
    for (size_t row = 0; row < batch->windows * batch->frames; row++) {
        real *difference = batch->dout + row * bands;
        if (batch->known[row] != 0) {
            memset(difference, 0, bands * sizeof *difference);
            continue;
        }
        diffusion_target(prediction, (double)batch->half_log_snr[row / batch->frames],
                         batch->clean + row * bands, batch->noise + row * bands, difference, bands);
        const real *counts = batch->weights + row / batch->frames * bands;
        real sum = 0;
        for (size_t b = 0; b < bands; b++) {
            difference[b] = batch->out[row * bands + b] - difference[b];
            sum += counts[b] * difference[b] * difference[b];
            difference[b] *= (real)(2.0 * scale) * counts[b];
        }
        loss.sum += (double)sum;
        loss.values += (double)bands;
    }
    if (gradients)
        denoiser_backward(batch->pass, weights, &input, batch->dout, gradients);
    return loss;
}
