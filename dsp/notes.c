#include "dsp/notes.h"

#include "dsp/note_runs.h"
#include "dsp/onsets.h"
#include "dsp/pulse.h"
#include "dsp/rank.h"
#include "dsp/stft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 1024 /* of the frame in which a note's harmonics are weighed */

static const float SILENCE = -200.0F;

void notes_clear(Notes *notes)
{
    free(notes->note);
    free(notes->frame);
    *notes = (Notes){.level = SILENCE};
}

/* What can be analysed: finite, limited, without DC (one pole at 20 Hz). */
static void clean(const float *x, size_t n, float *out)
{
    const double pole = exp(-6.283185307179586 * 20.0 / PITCH_RATE);
    double in_before = 0.0, out_before = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double in = isfinite(x[i]) ? fmax(-4.0, fmin(4.0, (double)x[i])) : 0.0;
        if (i == 0)
            in_before = in;
        out_before = pole * out_before + in - in_before;
        in_before = in;
        out[i] = (float)out_before;
    }
}

static float median(float *values, size_t count)
{
    if (count == 0)
        return 0.0F;
    return rank_median(values, count);
}

static float decibels(float level)
{
    return level > 1e-10F ? 20.0F * log10f(level) : SILENCE;
}

/* Share of the spectrum about `centre` that lies on multiples of `hertz`; nothing, where the lowest
 * three of them have next to none of it, for then `hertz` is the common divisor of a chord. */
static float one_pitch(const float *x, size_t n, size_t centre, float hertz, Stft *stft)
{
    float in[SIZE];
    float complex spectrum[SIZE / 2 + 1];
    for (size_t i = 0; i < SIZE; i++)
        in[i] =
            centre + i >= SIZE / 2 && centre + i - SIZE / 2 < n ? x[centre + i - SIZE / 2] : 0.0F;
    stft_forward(stft, in, spectrum);
    const float spacing = hertz * SIZE / PITCH_RATE;
    const float width = fmaxf(2.0F, 0.04F * spacing);
    double all = 0.0, on = 0.0, low = 0.0;
    for (size_t k = 3; k <= SIZE / 2; k++) {
        const double power = (double)(crealf(spectrum[k]) * crealf(spectrum[k]) +
                                      cimagf(spectrum[k]) * cimagf(spectrum[k]));
        const float number = roundf((float)k / spacing);
        const float off = fabsf((float)k - number * spacing);
        const int hit = number >= 1.0F && off <= width + 0.012F * (float)k;
        all += power;
        on += hit ? power : 0.0;
        low += hit && number < 3.5F ? power : 0.0;
    }
    /* A comb as fine as the bins hits everything. */
    const double chance = fmin(1.0, (2.0 * (double)width + 1.0) / (double)spacing);
    const double share = all > 0.0 ? on / all : 0.0;
    const double above = chance < 0.9 ? (share - chance) / (1.0 - chance) : share;
    return low < 0.03 * all ? 0.0F : (float)fmax(0.0, above);
}

static float ramp(float value, float from, float to)
{
    return fmaxf(0.0F, fminf(1.0F, (value - from) / (to - from)));
}

/* The frame where the level begins to fall faster than it did, by at least 6 dB in 32 ms more. What
 * is 50 dB under the note's peak is silence. */
static size_t find_off(const PitchFrame *frame, size_t first, size_t end)
{
    const size_t step = 4;
    size_t off = end;
    float steepest = 6.0F, peak = 0.0F;
    for (size_t f = first; f < end; f++)
        peak = fmaxf(peak, frame[f].level);
    const float least = 0.003F * peak;
    for (size_t f = first + 2 * step; f + step < end; f++) {
        const float before = decibels(fmaxf(least, frame[f - step].level));
        const float here = decibels(fmaxf(least, frame[f].level));
        const float after = decibels(fmaxf(least, frame[f + step].level));
        const float bend = (here - after) - fmaxf(0.0F, before - here);
        if (bend > steepest) {
            steepest = bend;
            off = f;
        }
    }
    return off;
}

/* Pitch, level, end and sureness of the note that a run is. scratch (run frames,). */
static Note measure(const NoteRun *run, size_t next, const PitchFrame *frame, const float *x,
                    size_t n, Stft *stft, float *scratch)
{
    const size_t skip = run->end - run->first > 8 ? 3 : 0;
    size_t count = 0, voiced = 0;
    float level = 0.0F, period = 0.0F;
    for (size_t f = run->first + skip; f < run->end; f++) {
        if (f < run->first + 24)
            level = fmaxf(level, frame[f].level);
        const float pitch = note_runs_pitch(frame + f);
        if (fabsf(pitch - run->pitch) > 0.7F)
            continue;
        scratch[count++] = pitch;
        period += frame[f].period;
        voiced++;
    }
    const size_t third = count / 3;
    float glide = 0.0F;
    if (third > 1)
        glide = fabsf(median(scratch, third) - median(scratch + count - third, third));
    Note note = {.onset = run->first * PITCH_HOP,
                 .pitch = count ? median(scratch, count) : run->pitch};
    note.level = decibels(level);
    const size_t off = find_off(frame, run->first, next);
    note.off = (off + 1) * PITCH_HOP < n ? off * PITCH_HOP : n;
    const size_t middle =
        (run->first + (run->end < run->first + 24 ? run->end : run->first + 24) + 1) / 2;
    const float hertz = 440.0F * exp2f((note.pitch - 69.0F) / 12.0F);
    period = voiced ? period / (float)voiced : 0.0F;
    note.sure = ramp(period, 0.6F, 0.85F) * ramp(glide, 0.9F, 0.3F) *
                ramp(one_pitch(x, n, middle * PITCH_HOP, hertz, stft), 0.3F, 0.65F);
    return note;
}

/* Tuning, by the mean direction of the pitches on the circle of a semitone; returns how well they
 * keep to it: 1 all, 0 not at all. */
static float tune(Notes *notes)
{
    double real = 0.0, imaginary = 0.0, weights = 1e-9;
    for (size_t i = 0; i < notes->count; i++) {
        const double turn = 6.283185307179586 * (double)notes->note[i].pitch;
        real += (double)notes->note[i].sure * cos(turn);
        imaginary += (double)notes->note[i].sure * sin(turn);
        weights += (double)notes->note[i].sure;
    }
    notes->tuning = real != 0.0 || imaginary != 0.0
                        ? (float)(100.0 / 6.283185307179586 * atan2(imaginary, real))
                        : 0.0F;
    return (float)(sqrt(real * real + imaginary * imaginary) / weights);
}

/* Sureness of the whole: that of the notes, over all frames that sound. */
static void judge(Notes *notes, size_t n)
{
    float loud = 0.0F;
    for (size_t f = 0; f < notes->frames; f++)
        loud = fmaxf(loud, notes->frame[f].level);
    double power = 0.0, sure = 0.0;
    size_t active = 0, at = 0;
    for (size_t f = 0; f < notes->frames && loud > 3e-5F; f++) {
        const float level = notes->frame[f].level;
        if (level < 0.03F * loud)
            continue;
        while (at + 1 < notes->count && notes->note[at + 1].onset <= f * PITCH_HOP)
            at++;
        if (at < notes->count && notes->note[at].onset <= (f + 3) * PITCH_HOP)
            sure += (double)notes->note[at].sure;
        power += (double)level * (double)level;
        active++;
    }
    notes->level = active ? decibels((float)sqrt(power / (double)active)) : SILENCE;
    notes->sure = active && n >= PITCH_RATE / 4 ? (float)(sure / (double)active) : 0.0F;
    /* A tune is made of notes; speech and noise of scraps. */
    float scraps = 0.0F, all = 0.0F;
    for (size_t i = 0; i < notes->count; i++) {
        scraps += notes->note[i].off < notes->note[i].onset + 8 * PITCH_HOP ? 1.0F : 0.0F;
        all += 1.0F;
    }
    notes->sure *= all > 0.0F ? ramp(scraps / all, 0.8F, 0.4F) : 0.0F;
    /* It is played on a scale; with few notes that can't be told. */
    const float tuned = tune(notes);
    if (notes->count >= 5)
        notes->sure *= ramp(tuned, 0.3F, 0.65F);
}

static int find_notes(const float *x, size_t n, Notes *out, float *strength, Error *err)
{
    if (pitch_track(x, n, out->frame, err) || onsets_strength(x, n, strength, err))
        return -1;
    NoteRun *run = NULL;
    size_t runs = 0;
    if (note_runs_find(x, n, out->frame, strength, &run, &runs, err))
        return -1;
    Stft *stft = stft_create(SIZE, err);
    float *scratch = malloc(out->frames * sizeof *scratch);
    out->note = malloc((runs + 1) * sizeof *out->note);
    int result = stft ? 0 : -1;
    if (!result && (!scratch || !out->note))
        result = error_set(err, "out of memory for %zu notes", runs);
    for (size_t i = 0; !result && i < runs; i++) {
        const size_t next = i + 1 < runs ? run[i + 1].first : out->frames - 1;
        out->note[i] = measure(run + i, next, out->frame, x, n, stft, scratch);
        out->note[i].onset = onsets_refine(x, n, out->note[i].onset, 480);
        if (i > 0 && out->note[i].onset <= out->note[i - 1].onset)
            out->note[i].onset = run[i].first * PITCH_HOP;
        if (i > 0 && out->note[i - 1].off > out->note[i].onset)
            out->note[i - 1].off = out->note[i].onset;
        out->count = i + 1;
    }
    free(run);
    free(scratch);
    stft_destroy(stft);
    return result;
}

int notes_analyse(const float *x, size_t n, Notes *out, Error *err)
{
    *out = (Notes){.level = SILENCE};
    if (n > NOTES_LONGEST)
        return error_set(err, "%zu samples are too long to analyse at once: give up to %zu", n,
                         (size_t)NOTES_LONGEST);
    out->frames = pitch_frames(n);
    out->frame = calloc(out->frames, sizeof *out->frame);
    float *cleaned = malloc((n + 1) * sizeof *cleaned);
    float *strength = malloc(out->frames * sizeof *strength);
    int result = -1;
    if (!out->frame || !cleaned || !strength) {
        error_set(err, "out of memory for the notes of %zu samples", n);
    } else {
        clean(x, n, cleaned);
        result = find_notes(cleaned, n, out, strength, err);
    }
    if (!result) {
        judge(out, n);
        pulse_find(out->note, out->count, out->pulse);
    } else {
        notes_clear(out);
    }
    free(cleaned);
    free(strength);
    return result;
}
