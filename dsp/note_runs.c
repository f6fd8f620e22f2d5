#include "dsp/note_runs.h"

#include "dsp/note_pitch.h"
#include "dsp/onsets.h"
#include "dsp/rank.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY 25 /* frames whose median is where the pitch is */
#define GAP    4  /* frames without a pitch that do not end a run */
#define SHORT  4  /* shorter runs are scraps */
#define HEAD   13 /* frames in which a note's mechanics may clatter: no second onset there */
#define TAIL   9  /* frames before the next note in which its release may */

static const float STEP = 0.6F;   /* semitones that are another note */
static const float CLEAR = 0.20F; /* rise of onset strength that begins a note of the same pitch */
static const float FAINT = 0.06F; /* rise that tells when a new pitch began */
static const float NO_PITCH = -1000.0F;

typedef struct Sound {
    const float *x;
    size_t n;
    const float *strength;
    size_t *clear, *faint; /* peaks of the strength */
    size_t clears, faints;
} Sound;

float note_runs_pitch(const PitchFrame *frame)
{
    return frame->hertz > 0.0F ? 69.0F + 12.0F * log2f(frame->hertz / 440.0F) : NO_PITCH;
}

static float median(const float *values, size_t count)
{
    float sorted[MEMORY];
    memcpy(sorted, values, count * sizeof *values);
    return rank_median(sorted, count);
}

/* Where the pitch stays: frames (frames,) -> runs, returns how many. A frame that leaves the pitch
 * ends the run only if the next two leave it too. */
static size_t steady_runs(const PitchFrame *frame, size_t frames, NoteRun *run)
{
    size_t count = 0, f = 0;
    while (f < frames) {
        float recent[MEMORY], here = note_runs_pitch(frame + f);
        if (here == NO_PITCH) {
            f++;
            continue;
        }
        size_t known = 0, last = f, away = 0;
        NoteRun *now = run + count;
        now->first = f;
        for (; f < frames && f <= last + GAP && away < 3; f++) {
            const float pitch = note_runs_pitch(frame + f);
            if (pitch == NO_PITCH)
                continue;
            const size_t size = known < MEMORY ? known : MEMORY;
            if (known && fabsf(pitch - median(recent, size)) > STEP) {
                away++;
                continue;
            }
            recent[known++ % MEMORY] = pitch;
            last = f;
            away = 0;
        }
        now->end = last + 1;
        now->pitch = median(recent, known < MEMORY ? known : MEMORY);
        count += now->end - now->first >= SHORT && 2 * known >= now->end - now->first;
        f = last + 1;
    }
    return count;
}

static float periodic(const PitchFrame *frame, const NoteRun *run)
{
    float sum = 0.0F;
    for (size_t f = run->first; f < run->end; f++)
        sum += frame[f].period;
    return sum / (float)(run->end - run->first);
}

/* Two notes that overlap have a common sub-octave: a short run far under both neighbours is none,
 * nor is a short one that is hardly periodic. */
static size_t drop_ghosts(NoteRun *run, size_t count, const PitchFrame *frame)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const int brief = run[i].end - run[i].first < 14;
        const int lower_than_next = i + 1 < count && run[i].pitch < run[i + 1].pitch - 9.0F &&
                                    run[i + 1].first < run[i].end + 8;
        const int lower_than_last = kept > 0 && run[i].pitch < run[kept - 1].pitch - 9.0F;
        const int vague = run[i].end - run[i].first < 10 && periodic(frame, run + i) < 0.75F;
        if (!vague && !(brief && lower_than_next && (lower_than_last || kept == 0)))
            run[kept++] = run[i];
    }
    return kept;
}

/* The strongest of the peaks from first to last, or SIZE_MAX. */
static size_t strongest(const size_t *peak, size_t peaks, const float *strength, size_t first,
                        size_t last)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < peaks; i++)
        if (peak[i] >= first && peak[i] <= last &&
            (best == SIZE_MAX || strength[peak[i]] > strength[best]))
            best = peak[i];
    return best;
}

static float hertz_of(float pitch)
{
    return 440.0F * exp2f((pitch - 69.0F) / 12.0F);
}

/* Where a run of another pitch than the one before it (or NULL) begins: where its partials emerge,
 * and if the sound as a whole leaps there, then where it leaps. */
static void begin(const Sound *sound, NoteRun *run, const NoteRun *before)
{
    const size_t least = before ? before->first + 3 : 0;
    const int touching = before && before->end + 12 > run->first;
    const size_t emerged =
        onsets_emergence(sound->x, sound->n, run->first, least, hertz_of(run->pitch),
                         touching ? hertz_of(before->pitch) : 0.0F);
    const size_t from = emerged > least + 4 ? emerged - 4 : least;
    size_t leap = strongest(sound->clear, sound->clears, sound->strength, from, emerged + 4);
    run->struck = leap < run->end;
    if (leap == SIZE_MAX)
        leap = strongest(sound->faint, sound->faints, sound->strength, from, emerged + 3);
    run->first = leap < run->end ? leap : emerged;
}

/* Begins every run at its onset; joins runs of one pitch that no onset parts. */
static size_t align(NoteRun *run, size_t count, const Sound *sound)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        NoteRun now = run[i], *before = kept > 0 ? run + kept - 1 : NULL;
        if (before && fabsf(now.pitch - before->pitch) < STEP && now.first < before->end + 12) {
            const size_t from = now.first > before->first + 12 ? now.first - 9 : before->first + 3;
            const size_t onset =
                strongest(sound->clear, sound->clears, sound->strength, from, now.first + 3);
            if (onset == SIZE_MAX || onset >= now.end) {
                before->end = now.end;
                continue;
            }
            now.first = onset;
            now.struck = 1;
        } else {
            begin(sound, &now, before);
        }
        if (before && before->end > now.first)
            before->end = now.first;
        kept -= before && before->end < before->first + SHORT;
        run[kept++] = now;
    }
    return kept;
}

static float mean_level(const PitchFrame *frame, size_t first, size_t end)
{
    float sum = 0.0F;
    for (size_t f = first; f < end; f++)
        sum += frame[f].level;
    return end > first ? sum / (float)(end - first) : 0.0F;
}

/* Whether what sounds from frame `at` to `end` is not what a release leaves: not 3 dB weaker than
 * what was before. */
static int is_struck(const PitchFrame *frame, size_t at, size_t end)
{
    const size_t before = at > 8 ? at - 8 : 0, until = at + 12 < end ? at + 12 : end;
    return mean_level(frame, at + 4, until) >
           0.7F * mean_level(frame, before, at > 2 ? at - 2 : at);
}

/* Cuts runs at clear onsets inside them. out has room for count + clears. */
static size_t cut(const PitchFrame *frame, const NoteRun *run, size_t count, const size_t *clear,
                  size_t clears, NoteRun *out)
{
    size_t made = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        out[made++] = run[i];
        for (; at < clears && clear[at] + TAIL < run[i].end; at++) {
            if (clear[at] < out[made - 1].first + HEAD || !is_struck(frame, clear[at], run[i].end))
                continue;
            out[made - 1].end = clear[at];
            out[made++] = (NoteRun){clear[at], run[i].end, run[i].pitch, 1};
        }
    }
    return made;
}

/* Corrects pitches by what is new at each run's start, and joins what turns out to be one note. */
static size_t correct(NoteRun *run, size_t count, const Sound *sound, Stft *stft)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        NoteRun now = run[i], *before = kept > 0 ? run + kept - 1 : NULL;
        const size_t next = i + 1 < count ? run[i + 1].first : now.end;
        now.pitch = note_pitch(sound->x, sound->n, now.first * PITCH_HOP, next * PITCH_HOP,
                               now.pitch, now.struck, stft);
        if (before && !now.struck && fabsf(now.pitch - before->pitch) < STEP &&
            now.first < before->end + 12)
            before->end = now.end;
        else
            run[kept++] = now;
    }
    return kept;
}

int note_runs_find(const float *x, size_t n, const PitchFrame *frame, const float *strength,
                   NoteRun **runs, size_t *count, Error *err)
{
    const size_t frames = pitch_frames(n);
    NoteRun *first = malloc((frames / SHORT + 2) * sizeof *first);
    NoteRun *out = malloc((frames / SHORT + frames + 2) * sizeof *out);
    Sound sound = {.x = x, .n = n, .strength = strength};
    sound.clear = malloc(frames * sizeof *sound.clear);
    sound.faint = malloc(frames * sizeof *sound.faint);
    Stft *stft = stft_create(NOTE_PITCH_SIZE, err);
    int result = -1;
    if (!stft) {
        free(out);
    } else if (!first || !out || !sound.clear || !sound.faint) {
        error_set(err, "out of memory for the notes of %zu frames", frames);
        free(out);
    } else {
        sound.clears = onsets_peaks(strength, frames, CLEAR, sound.clear);
        sound.faints = onsets_peaks(strength, frames, FAINT, sound.faint);
        size_t found = drop_ghosts(first, steady_runs(frame, frames, first), frame);
        found = align(first, found, &sound);
        found = cut(frame, first, found, sound.clear, sound.clears, out);
        *count = correct(out, found, &sound, stft);
        *runs = out;
        result = 0;
    }
    free(first);
    free(sound.clear);
    free(sound.faint);
    stft_destroy(stft);
    return result;
}
