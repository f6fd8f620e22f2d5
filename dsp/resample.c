#include "dsp/resample.h"

#include <math.h>
#include <soxr.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double LOWEST_RATE = 1000.0;
static const double HIGHEST_RATE = 768000.0;

/* A whole clip goes in by pieces: libsoxr would keep a second copy of all it is given at once. */
enum { PIECE = 65536, MOST_CHANNELS = 2 };

struct Resampler {
    soxr_t soxr; /* NULL when the rates are equal */
    unsigned channels;
    bool ended;
    const char *broken; /* libsoxr's words, after a reset that failed */
};

static bool rate_is_usable(double rate)
{
    return rate >= LOWEST_RATE && rate <= HIGHEST_RATE;
}

static int check_arguments(double from, double to, unsigned channels, Error *err)
{
    if (!rate_is_usable(from) || !rate_is_usable(to))
        return error_set(err,
                         "resampler: cannot convert from %g Hz to %g Hz; give rates between %g and "
                         "%g Hz",
                         from, to, LOWEST_RATE, HIGHEST_RATE);
    if (channels < 1 || channels > MOST_CHANNELS)
        return error_set(err, "resampler: cannot convert %u channels; give 1 or %d", channels,
                         MOST_CHANNELS);
    return 0;
}

static soxr_t open_soxr(double from, double to, unsigned channels, Error *err)
{
    const soxr_io_spec_t format = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    soxr_error_t failure = NULL;
    const soxr_t soxr = soxr_create(from, to, channels, &failure, &format, &quality, &runtime);
    if (!soxr || failure) {
        error_set(err, "resampler: libsoxr cannot convert from %g Hz to %g Hz (%s); free memory",
                  from, to, failure ? failure : "no reason given");
        soxr_delete(soxr);
        return NULL;
    }
    return soxr;
}

Resampler *resampler_create(double from_rate, double to_rate, unsigned channels, Error *err)
{
    if (check_arguments(from_rate, to_rate, channels, err))
        return NULL;
    Resampler *resampler = calloc(1, sizeof *resampler);
    if (!resampler) {
        error_set(err, "resampler: out of memory; free some");
        return NULL;
    }
    resampler->channels = channels;
    if (from_rate != to_rate) {
        resampler->soxr = open_soxr(from_rate, to_rate, channels, err);
        if (!resampler->soxr) {
            free(resampler);
            return NULL;
        }
    }
    return resampler;
}

void resampler_destroy(Resampler *resampler)
{
    if (!resampler)
        return;
    soxr_delete(resampler->soxr);
    free(resampler);
}

void resampler_reset(Resampler *resampler)
{
    resampler->ended = false;
    if (resampler->soxr)
        resampler->broken = soxr_clear(resampler->soxr);
}

static void copy_frames(const Resampler *resampler, const float *in, size_t in_frames,
                        size_t *in_used, float *out, size_t out_room, size_t *out_made)
{
    const size_t frames = in_frames < out_room ? in_frames : out_room;
    if (frames > 0)
        memcpy(out, in, frames * resampler->channels * sizeof *out);
    *in_used = frames;
    *out_made = frames;
}

static int run_soxr(Resampler *resampler, const float *in, size_t in_frames, size_t *in_used,
                    float *out, size_t out_room, size_t *out_made, Error *err)
{
    const soxr_error_t failure =
        soxr_process(resampler->soxr, in, in_frames, in_used, out, out_room, out_made);
    if (failure)
        return error_set(err, "resampler: libsoxr failed (%s); free memory and start again",
                         failure);
    return 0;
}

/* What is ready goes out before more goes in, or a caller with little room would let the surplus
 * inside libsoxr grow without end. */
static int convert_frames(Resampler *resampler, const float *in, size_t in_frames, size_t *in_used,
                          float *out, size_t out_room, size_t *out_made, Error *err)
{
    if (!in)
        return run_soxr(resampler, NULL, 0, in_used, out, out_room, out_made, err);
    size_t ready = 0, made = 0;
    if (run_soxr(resampler, in, 0, in_used, out, out_room, &ready, err))
        return -1;
    if (ready < out_room && in_frames > 0 &&
        run_soxr(resampler, in, in_frames, in_used, out + ready * resampler->channels,
                 out_room - ready, &made, err))
        return -1;
    *out_made = ready + made;
    return 0;
}

int resampler_process(Resampler *resampler, const float *in, size_t in_frames, size_t *in_used,
                      float *out, size_t out_room, size_t *out_made, Error *err)
{
    *in_used = 0;
    *out_made = 0;
    if (!in && in_frames > 0)
        return error_set(err, "resampler: %zu frames of input at NULL; pass their address",
                         in_frames);
    if (resampler->broken)
        return error_set(err, "resampler: the last reset failed (%s); free memory and reset again",
                         resampler->broken);
    if (resampler->ended && in_frames > 0)
        return error_set(err, "resampler: %zu frames after the end of the input; reset it first",
                         in_frames);
    if (!in)
        resampler->ended = true;
    if (out_room == 0)
        return 0;
    if (!resampler->soxr) {
        copy_frames(resampler, in, in_frames, in_used, out, out_room, out_made);
        return 0;
    }
    return convert_frames(resampler, resampler->ended ? NULL : in, in_frames, in_used, out,
                          out_room, out_made, err);
}

static int fill_clip(Resampler *resampler, const float *in, size_t in_frames, float *out,
                     size_t frames, Error *err)
{
    const size_t channels = resampler->channels;
    size_t taken = 0, filled = 0;
    while (filled < frames) {
        const size_t rest = in_frames - taken;
        const size_t piece = rest < PIECE ? rest : PIECE;
        const float *from = piece > 0 ? in + taken * channels : NULL;
        size_t used, made;
        if (resampler_process(resampler, from, piece, &used, out + filled * channels,
                              frames - filled, &made, err))
            return -1;
        taken += used;
        filled += made;
        if (!from && made == 0)
            break;
    }
    return 0;
}

int resampler_all(const float *in, size_t in_frames, unsigned channels, double from, double to,
                  float **out, size_t *out_frames, Error *err)
{
    *out = NULL;
    *out_frames = 0;
    if (check_arguments(from, to, channels, err))
        return -1;
    const double length = from == to ? (double)in_frames : (double)in_frames * to / from;
    const size_t frame_size = channels * sizeof **out;
    if (length > (double)(RESAMPLER_MOST / channels))
        return error_set(err, "resampler: %zu frames are too many; convert a shorter clip",
                         in_frames);
    const size_t frames = (size_t)floor(length + 0.5);
    Resampler *resampler = resampler_create(from, to, channels, err);
    if (!resampler)
        return -1;
    /* Zeroed: at half a frame libsoxr may round the length down where this rounds up. */
    float *clip = calloc(frames > 0 ? frames : 1, frame_size);
    int result = 0;
    if (!clip)
        result =
            error_set(err, "resampler: no memory for %zu frames; convert a shorter clip", frames);
    else
        result = fill_clip(resampler, in, in_frames, clip, frames, err);
    resampler_destroy(resampler);
    if (result) {
        free(clip);
        return -1;
    }
    *out = clip;
    *out_frames = frames;
    return 0;
}
