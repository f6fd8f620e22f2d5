#include "models/recital.h"

#include "dsp/gain.h"
#include "dsp/resample.h"

#include <stdlib.h>
#include <string.h>

/* Samples read at a time; and of the prompt that the resampler is given before the join, so that
 * the join is as smooth at the other rate. */
enum { PIECE = 256, BEFORE = 4 * MELODY_HOP };

static const double FADE_IN_SECONDS = 0.01;

/* No prompt is as loud. */
static const float LOUDEST = 1e30F;

/* As much of a prompt counts. */
enum { MOST_PROMPT = CONTINUATION_HEARD * MELODY_RATE };

struct Recital {
    ContinuationSettings settings;
    float *prompt; /* (prompt_n,) */
    size_t prompt_n;
    Continuation *continuation;
    Resampler *resampler;
    unsigned channels;
    double rate;
    uint64_t position;  /* number of the next frame */
    uint64_t fade_in;   /* frames; 0: it joins the prompt */
    float input[PIECE]; /* not yet resampled: at..end - 1 */
    size_t at, end;
};

/* Up to n frames, mono, of the resampled input. */
static int resample(Recital *recital, float *out, size_t n, Error *err)
{
    for (size_t done = 0; done < n;) {
        if (recital->at == recital->end) {
            continuation_read(recital->continuation, recital->input, PIECE);
            recital->at = 0;
            recital->end = PIECE;
        }
        size_t used = 0, made = 0;
        if (resampler_process(recital->resampler, recital->input + recital->at,
                              recital->end - recital->at, &used, out + done, n - done, &made, err))
            return -1;
        recital->at += used;
        done += made;
    }
    return 0;
}

/* Lets the resampler hear the prompt's end, and passes over what that becomes. */
static int warm_up(Recital *recital, const float *prompt, size_t n, Error *err)
{
    const size_t before = n < BEFORE ? n : BEFORE;
    memcpy(recital->input, prompt + n - before, before * sizeof *prompt);
    recital->end = before;
    size_t skip = (size_t)((double)before * recital->rate / MELODY_RATE + 0.5);
    while (skip > 0) {
        float passed[PIECE];
        const size_t m = skip < PIECE ? skip : PIECE;
        if (resample(recital, passed, m, err))
            return -1;
        skip -= m;
    }
    return 0;
}

static int keep_prompt(Recital *recital, const float *prompt, size_t n, Error *err)
{
    recital->prompt_n = n < MOST_PROMPT ? n : MOST_PROMPT;
    recital->prompt = malloc((recital->prompt_n + 1) * sizeof *prompt);
    if (!recital->prompt)
        return error_set(err, "out of memory for a continuation");
    memcpy(recital->prompt, prompt + n - recital->prompt_n, recital->prompt_n * sizeof *prompt);
    return 0;
}

Recital *recital_create(const MelodyModel *model, const float *prompt, size_t n,
                        const ContinuationSettings *settings, unsigned channels, double rate,
                        const atomic_bool *cancel, Error *err)
{
    Recital *recital = calloc(1, sizeof *recital);
    if (!recital) {
        error_set(err, "out of memory for a continuation");
        return NULL;
    }
    recital->settings = *settings;
    recital->channels = channels;
    recital->rate = rate;
    if (!keep_prompt(recital, prompt, n, err))
        recital->resampler = resampler_create(MELODY_RATE, rate, 1, err);
    if (recital->resampler)
        recital->continuation = continuation_create(model, prompt, n, settings, cancel, err);
    if (!recital->continuation || (settings->after == 0 && warm_up(recital, prompt, n, err))) {
        recital_destroy(recital);
        return NULL;
    }
    recital->fade_in = settings->after > 0 ? (uint64_t)(FADE_IN_SECONDS * rate) : 0;
    return recital;
}

void recital_destroy(Recital *recital)
{
    if (!recital)
        return;
    continuation_destroy(recital->continuation);
    resampler_destroy(recital->resampler);
    free(recital->prompt);
    free(recital);
}

int recital_read(Recital *recital, float *out, size_t frames, Error *err)
{
    float mono[PIECE];
    for (size_t done = 0; done < frames;) {
        const size_t m = frames - done < PIECE ? frames - done : PIECE;
        if (resample(recital, mono, m, err))
            return -1;
        for (size_t i = 0; i < m; i++) {
            const uint64_t frame = recital->position + i;
            if (frame < recital->fade_in)
                mono[i] *= (float)frame / (float)recital->fade_in;
        }
        limiter_apply(mono, m);
        for (size_t i = 0; i < m; i++)
            for (unsigned c = 0; c < recital->channels; c++)
                out[(done + i) * recital->channels + c] = mono[i];
        recital->position += m;
        done += m;
    }
    return 0;
}

ContinuationReport recital_report(const Recital *recital)
{
    return continuation_report(recital->continuation);
}

void recital_pack(const Recital *recital, Packer *packer)
{
    pack_whole(packer, recital->settings.seed);
    pack_floats(packer, &recital->settings.temperature, 1);
    pack_floats(packer, &recital->settings.top_p, 1);
    pack_real(packer, recital->settings.after);
    pack_whole(packer, recital->prompt_n);
    pack_floats(packer, recital->prompt, recital->prompt_n);
}

int recital_unpack(Unpacker *unpacker, ContinuationSettings *settings, float **prompt, size_t *n,
                   Error *err)
{
    settings->seed = unpack_whole(unpacker, UINT64_MAX);
    unpack_floats(unpacker, &settings->temperature, 1, LOUDEST);
    unpack_floats(unpacker, &settings->top_p, 1, LOUDEST);
    settings->after = unpack_real(unpacker);
    *n = (size_t)unpack_whole(unpacker, MOST_PROMPT);
    *prompt = NULL;
    if (unpacker->failed || continuation_check(settings, NULL))
        return error_set(err, "what is kept of a continuation is damaged");
    *prompt = malloc((*n + 1) * sizeof **prompt);
    if (!*prompt)
        return error_set(err, "out of memory for a continuation");
    unpack_floats(unpacker, *prompt, *n, LOUDEST);
    if (!unpacker->failed)
        return 0;
    free(*prompt);
    *prompt = NULL;
    return error_set(err, "what is kept of a continuation is damaged");
}
