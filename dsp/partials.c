#include "dsp/partials.h"

#include "dsp/partial_fit.h"
#include "dsp/partial_peaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST  PARTIAL_FIT_MOST
#define KNOTS PARTIAL_FIT_KNOTS
#define STEP  320 /* samples between knots where a sound is steady */
#define SKIP  128 /* samples of an attack that its spectrum leaves out */
#define RINGS 24  /* notes that may ring on at a time */

static const float GONE = 8e-4F; /* of the loud amplitude: what is weaker has died away */
static const float ATTACK = 600.0F, STEADY = 30.0F, RELEASE = 60.0F,
                   RINGING = 25.0F; /* relative variance per second */
static const size_t ATTACK_LENGTH = 480, RELEASE_LENGTH = 1600;
static const float FADES =
    0.01F; /* share of what rings on that is expected to be left after a second */
static const size_t FAINT_LENGTH = 24000,
                    LONGEST = 48000; /* samples that anything rings on, at most */

/* A partial in the stretch at hand. */
typedef struct Line {
    size_t note, partial;
    float amplitude; /* for new ones roughly, for old ones at the start */
    int fresh, fading;
} Line;

typedef struct Work {
    const float *x;
    size_t n;
    const Notes *notes;
    Partials *out;
    PartialFit *fit;
    Stft *stft;
    double *turns; /* (notes,): of the note's frequency up to the stretch's start */
    size_t *room;  /* (notes,): knots that the note's arrays can take */
    float loud;    /* amplitude of the sound's loud parts */
    size_t active[RINGS], actives;
    Line line[MOST];
    size_t lines;
    size_t start;              /* of the stretch at hand */
    size_t knot[KNOTS], knots; /* of the stretch, from its start */
    float hertz[KNOTS * MOST], rate[KNOTS * MOST], keep[MOST];
    float own[KNOTS]; /* the newest note's frequency at the knots */
    float complex amplitude[KNOTS * MOST];
    float sound[PARTIAL_FIT_LONG];
} Work;

void partials_clear(Partials *partials)
{
    for (size_t i = 0; i < partials->notes; i++) {
        free(partials->note[i].ratio);
        free(partials->note[i].hertz);
        free(partials->note[i].amplitude);
    }
    free(partials->note);
    free(partials->knot);
    free(partials->sound);
    *partials = (Partials){0};
}

static float hertz_of(float pitch)
{
    return 440.0F * exp2f((pitch - 69.0F) / 12.0F);
}

/* The tracked frequency about a sample: the mean of the frames within 16 ms that agree with the
 * note's pitch; `otherwise` where none does. */
static float tracked(const Work *w, const Note *note, size_t sample, float otherwise)
{
    const float pitch = hertz_of(note->pitch);
    const size_t centre = sample / PITCH_HOP;
    const size_t early = note->onset / PITCH_HOP + 2;
    float sum = 0.0F, count = 0.0F;
    for (size_t f = centre > 2 ? centre - 2 : 0; f < w->notes->frames && f <= centre + 2; f++) {
        const float hertz = w->notes->frame[f].hertz;
        if (f < early || fabsf(hertz - pitch) > 0.035F * pitch || w->notes->frame[f].period < 0.6F)
            continue;
        sum += hertz;
        count += 1.0F;
    }
    return count > 0.0F ? sum / count : otherwise;
}

/* Knots of a stretch of n samples; close together after an onset. */
static void lay_knots(Work *w, size_t n, int onset)
{
    static const size_t after_onset[] = {32, 80, 160, 288, 480};
    w->knots = 0;
    w->knot[w->knots++] = 0;
    for (size_t i = 0; onset && i < sizeof after_onset / sizeof *after_onset; i++)
        if (after_onset[i] + 24 < n)
            w->knot[w->knots++] = after_onset[i];
    const size_t from = w->knot[w->knots - 1], left = n - from;
    const size_t steps = left > STEP ? (left + STEP / 2) / STEP : 1;
    for (size_t i = 1; i <= steps; i++)
        w->knot[w->knots++] = from + left * i / steps;
}

/* The newest note's frequency at the knots: as tracked, held where it was not; before the first
 * that was, that one. */
static void lay_frequency(Work *w, size_t index, size_t start, int onset)
{
    const Note *note = w->notes->note + index;
    const PartialNote *partials = w->out->note + index;
    float last = onset ? 0.0F : partials->hertz[partials->knots - 1];
    for (size_t k = 0; k < w->knots; k++) {
        w->own[k] = tracked(w, note, start + w->knot[k], last);
        if (!onset && k == 0)
            w->own[0] = last;
        last = w->own[k];
    }
    float next = last > 0.0F ? last : hertz_of(note->pitch);
    for (size_t k = w->knots; k-- > 0;)
        next = w->own[k] = w->own[k] > 0.0F ? w->own[k] : next;
}

/* Frequencies at which the first `olds` lines, of notes begun before, ring on. */
static void ringing(const Work *w, size_t olds, float *hertz)
{
    for (size_t i = 0; i < olds; i++) {
        const PartialNote *note = w->out->note + w->line[i].note;
        hertz[i] = note->ratio[w->line[i].partial] * note->hertz[note->knots - 1];
    }
}

static int grow(Work *w, size_t index, size_t knots, Error *err)
{
    PartialNote *note = w->out->note + index;
    if (note->knots + knots <= w->room[index])
        return 0;
    const size_t room = 2 * (note->knots + knots) + 16;
    float *hertz = realloc(note->hertz, room * sizeof *hertz);
    if (hertz)
        note->hertz = hertz;
    float complex *amplitude = realloc(note->amplitude, room * note->partials * sizeof *amplitude);
    if (amplitude)
        note->amplitude = amplitude;
    if (!hertz || !amplitude)
        return error_set(err, "out of memory for the partials of %zu knots", room);
    w->room[index] = room;
    return 0;
}

/* Finds the new note's partials and adds them to the lines. */
static int begin_note(Work *w, size_t index, size_t n, Error *err)
{
    const Note *note = w->notes->note + index;
    PartialNote *made = w->out->note + index;
    float track[PARTIAL_FIT_LONG / 64 + 1], old[MOST];
    const size_t skip = n > 4 * SKIP ? SKIP : 0, start = note->onset + skip;
    size_t length = n - skip;
    if (note->off > start + 1024 && note->off < start + length)
        length = note->off - start;
    for (size_t i = 0; i <= length / 64; i++)
        track[i] = tracked(w, note, start + 64 * i, hertz_of(note->pitch));
    ringing(w, w->lines, old);
    Peaks peaks;
    partial_peaks_find(w->x + start, length, track, old, w->lines, w->stft, &peaks);
    if (peaks.count == 0) {
        peaks.count = 1;
        peaks.ratio[0] = 1.0F;
        peaks.amplitude[0] = GONE * w->loud;
    }
    made->partials = peaks.count;
    made->ratio = malloc(peaks.count * sizeof *made->ratio);
    if (!made->ratio)
        return error_set(err, "out of memory for partials");
    memcpy(made->ratio, peaks.ratio, peaks.count * sizeof *made->ratio);
    for (size_t p = 0; p < peaks.count && w->lines < MOST; p++)
        w->line[w->lines++] = (Line){index, p, peaks.amplitude[p], 1, 0};
    w->active[w->actives++] = index;
    return 0;
}

static int louder(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    if (x->amplitude > y->amplitude || x->amplitude < y->amplitude)
        return x->amplitude < y->amplitude ? 1 : -1;
    return (x->note > y->note) - (x->note < y->note);
}

/* The sample, not after `now`, from which a note only rings on. */
static size_t end_of(const Work *w, size_t index, size_t now)
{
    const size_t off = w->notes->note[index].off;
    return off < now ? off : now;
}

/* The lines that ring on from the stretch before, the loudest ones; notes that have none are done.
 */
static void gather_lines(Work *w)
{
    Line all[RINGS * PARTIAL_PEAKS_MOST];
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < w->actives; i++) {
        const PartialNote *note = w->out->note + w->active[i];
        const float complex *last = note->amplitude + (note->knots - 1) * note->partials;
        const size_t rung = w->start - end_of(w, w->active[i], w->start);
        const float gone = (rung > LONGEST        ? 1e9F
                            : rung > FAINT_LENGTH ? 10.0F * GONE
                                                  : GONE) *
                           w->loud;
        size_t lines = 0;
        for (size_t p = 0; p < note->partials; p++)
            if (cabsf(last[p]) > 0.0F) {
                all[count++] = (Line){w->active[i], p, cabsf(last[p]), 0, cabsf(last[p]) < gone};
                lines++;
            }
        if (lines > 0 && i + RINGS > w->actives)
            w->active[kept++] = w->active[i];
    }
    w->actives = kept;
    qsort(all, count, sizeof *all, louder);
    w->lines = count < MOST - PARTIAL_PEAKS_MOST ? count : MOST - PARTIAL_PEAKS_MOST;
    memcpy(w->line, all, w->lines * sizeof *w->line);
}

/* Old lines fade that are too near to one of the new note's, which follow from `olds` on; faint
 * ones beside a strong one a bit farther off, too: they could be but its shadow. */
static void hand_over(Work *w, size_t olds, size_t n)
{
    float hertz[MOST];
    const float apart = fmaxf(10.0F, 0.5F * PITCH_RATE / (float)n);
    ringing(w, olds, hertz);
    for (size_t i = olds; i < w->lines; i++)
        hertz[i] =
            w->out->note[w->line[i].note].ratio[w->line[i].partial] * w->own[w->knots > 2 ? 2 : 1];
    for (size_t i = 0; i < olds; i++)
        for (size_t j = olds; j < w->lines; j++)
            if (fabsf(hertz[i] - hertz[j]) < apart ||
                (fabsf(hertz[i] - hertz[j]) < 4.0F * apart &&
                 w->line[i].amplitude < 0.03F * w->line[j].amplitude))
                w->line[i].fading = 1;
}

/* Frequencies, phases, rates and first amplitudes of all lines. `newest` is the note whose
 * frequency is `own`. */
static void lay_lines(Work *w, size_t newest, double *phase)
{
    for (size_t i = 0; i < w->lines; i++) {
        const Line *line = w->line + i;
        const PartialNote *note = w->out->note + line->note;
        const float ratio = note->ratio[line->partial];
        const double turns = (double)ratio * w->turns[line->note];
        phase[i] = turns - floor(turns);
        w->keep[i] = line->note == newest ? 1.0F : FADES;
        const float held = line->note == newest ? 0.0F : note->hertz[note->knots - 1];
        const float power = line->amplitude * line->amplitude;
        const size_t released = end_of(w, line->note, w->start) + RELEASE_LENGTH;
        for (size_t k = 0; k < w->knots; k++) {
            const float hertz = ratio * (line->note == newest ? w->own[k] : held);
            w->hertz[k * w->lines + i] = fminf(hertz, 0.5F * PITCH_RATE);
            const int attack = line->fresh && w->knot[k] < ATTACK_LENGTH;
            const float after = w->start + w->knot[k] < released ? RELEASE : RINGING;
            const float rate = attack ? ATTACK : line->note == newest ? STEADY : after;
            w->rate[k * w->lines + i] = line->fading ? 0.0F : rate * power;
            w->amplitude[k * w->lines + i] = 0.0F;
        }
        if (!line->fresh)
            w->amplitude[i] = note->amplitude[(note->knots - 1) * note->partials + line->partial];
    }
}

static float mean_square(const float *x, const float *y, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)x[i] - (y ? (double)y[i] : 0.0);
        sum += d * d;
    }
    return (float)(sum / (double)n);
}

/* How much higher than assumed line i is in the interval after knot k, in Hz, by its phase. */
static float deviation(const Work *w, size_t i, size_t k, float *weight)
{
    const float complex a = w->amplitude[k * w->lines + i],
                        b = w->amplitude[(k + 1) * w->lines + i];
    const float complex product = b * conjf(a);
    *weight = cabsf(product);
    const float seconds = (float)(w->knot[k + 1] - w->knot[k]) / PITCH_RATE;
    return *weight > 0.0F ? cargf(product) / (6.2831853F * seconds) : 0.0F;
}

/* Moves a line's ratio by how much more than its note's frequency it deviates. */
static void correct_ratio(const Work *w, size_t i, float *ratio, const float *shift, size_t from)
{
    float sum = 0.0F, weights = 1e-20F, weight;
    for (size_t k = from; k + 1 < w->knots; k++) {
        const float away = deviation(w, i, k, &weight) - shift[k] * *ratio;
        sum += weight * away;
        weights += weight;
    }
    const float most = 0.004F * *ratio;
    *ratio += fmaxf(-most, fminf(most, sum / weights / w->own[w->knots / 2]));
}

/* Corrects the newest note's frequency (and when it has just begun, its ratios) by the phases. */
static void correct_frequency(Work *w, size_t newest, int onset)
{
    float shift[KNOTS], weight;
    PartialNote *note = w->out->note + newest;
    const float limit = 0.02F * w->own[w->knots / 2];
    size_t from = onset ? 3 : 0;
    for (size_t k = from; k + 1 < w->knots; k++) {
        float sum = 0.0F, weights = 1e-20F;
        for (size_t i = 0; i < w->lines; i++) {
            if (w->line[i].note != newest)
                continue;
            const float ratio = note->ratio[w->line[i].partial];
            const float away = deviation(w, i, k, &weight);
            sum += weight * ratio * away;
            weights += weight * ratio * ratio;
        }
        shift[k] = fmaxf(-limit, fminf(limit, sum / weights));
    }
    if (from + 1 >= w->knots)
        return;
    for (size_t k = 0; k < from; k++)
        shift[k] = shift[from];
    for (size_t i = 0; onset && i < w->lines; i++)
        if (w->line[i].note == newest)
            correct_ratio(w, i, note->ratio + w->line[i].partial, shift, from);
    for (size_t k = onset ? 0 : 1; k < w->knots; k++)
        w->own[k] += k == 0              ? shift[0]
                     : k + 1 == w->knots ? shift[k - 1]
                                         : 0.5F * (shift[k - 1] + shift[k]);
}

/* Lines as loud as they turned out. */
static void take_levels(Work *w)
{
    for (size_t i = 0; i < w->lines; i++) {
        float most = 0.0F;
        for (size_t k = 1; w->line[i].fresh && k < w->knots; k++)
            most = fmaxf(most, cabsf(w->amplitude[k * w->lines + i]));
        if (w->line[i].fresh)
            w->line[i].amplitude = fmaxf(0.3F * w->line[i].amplitude, most);
    }
}

static void fit_stretch(Work *w, size_t start, size_t n, size_t newest, int onset)
{
    double phase[MOST];
    const float power = mean_square(w->x + start, NULL, n);
    PartialStretch stretch = {.x = w->x + start,
                              .n = n,
                              .knots = w->knots,
                              .knot = w->knot,
                              .hertz = w->hertz,
                              .phase = phase,
                              .rate = w->rate,
                              .keep = w->keep,
                              .noise = 1e-3F * power + 1e-12F};
    for (int pass = 0; pass < 3; pass++) {
        stretch.partials = w->lines;
        stretch.precision = pass < 2 ? 1e-3F : 1e-5F;
        lay_lines(w, newest, phase);
        partial_fit_solve(w->fit, &stretch, w->amplitude, w->sound);
        if (pass == 2)
            break;
        correct_frequency(w, newest, onset);
        take_levels(w);
        stretch.noise = fmaxf(1e-6F * power, mean_square(w->x + start, w->sound, n)) + 1e-12F;
    }
}

/* Appends the stretch's knots to the notes that sound in it. */
static int store(Work *w, size_t start, size_t n, size_t newest, Error *err)
{
    const size_t shared = w->out->knots > 0; /* the first knot is the last one's place */
    if (!shared)
        w->out->knot[w->out->knots++] = start;
    for (size_t i = 0; i < w->actives; i++) {
        const size_t index = w->active[i];
        PartialNote *note = w->out->note + index;
        const int fresh = note->knots == 0;
        if (grow(w, index, w->knots, err))
            return -1;
        if (fresh)
            note->first = w->out->knots - 1;
        for (size_t k = fresh ? 0 : 1; k < w->knots; k++) {
            const size_t at = note->knots++;
            note->hertz[at] = index == newest ? w->own[k] : note->hertz[at - 1];
            memset(note->amplitude + at * note->partials, 0,
                   note->partials * sizeof *note->amplitude);
            for (size_t l = 0; l < w->lines; l++)
                if (w->line[l].note == index)
                    note->amplitude[at * note->partials + w->line[l].partial] =
                        w->amplitude[k * w->lines + l];
            if (k > 0)
                w->turns[index] += 0.5 * ((double)note->hertz[at - 1] + (double)note->hertz[at]) *
                                   (double)(w->knot[k] - w->knot[k - 1]) / PITCH_RATE;
        }
    }
    for (size_t k = 1; k < w->knots; k++)
        w->out->knot[w->out->knots++] = start + w->knot[k];
    memcpy(w->out->sound + start, w->sound, n * sizeof *w->sound);
    return 0;
}

/* Samples start..start + n - 1, in which `newest` is the last note begun; at `start` itself if
 * onset. */
static int measure_stretch(Work *w, size_t start, size_t n, size_t newest, int onset, Error *err)
{
    w->start = start;
    gather_lines(w);
    const size_t olds = w->lines;
    lay_knots(w, n, onset);
    lay_frequency(w, newest, start, onset);
    if (onset) {
        if (begin_note(w, newest, n, err))
            return -1;
        hand_over(w, olds, n);
    }
    if (w->lines == 0) {
        memset(w->sound, 0, n * sizeof *w->sound);
    } else {
        fit_stretch(w, start, n, newest, onset);
    }
    return store(w, start, n, newest, err);
}

static int measure_all(Work *w, Error *err)
{
    for (size_t i = 0; i < w->notes->count; i++) {
        const size_t end = i + 1 < w->notes->count ? w->notes->note[i + 1].onset : w->n;
        size_t at = w->notes->note[i].onset;
        for (int onset = 1; at < end; onset = 0) {
            const size_t left = end - at;
            const size_t n = left > PARTIAL_FIT_LONG ? PARTIAL_FIT_LONG / 2 : left;
            if (measure_stretch(w, at, n, i, onset, err))
                return -1;
            at += n;
        }
    }
    return 0;
}

static Work *open_work(const float *x, size_t n, const Notes *notes, Partials *out, Error *err)
{
    Work *w = calloc(1, sizeof *w);
    float *clean = malloc((n + 1) * sizeof *clean);
    out->knot = malloc((n / 16 + 8 * notes->count + 16) * sizeof *out->knot);
    out->note = calloc(notes->count + 1, sizeof *out->note);
    out->sound = calloc(n + 1, sizeof *out->sound);
    if (w) {
        w->turns = calloc(notes->count + 1, sizeof *w->turns);
        w->room = calloc(notes->count + 1, sizeof *w->room);
    }
    if (!w || !clean || !out->knot || !out->note || !out->sound || !w->turns || !w->room) {
        error_set(err, "out of memory for the partials of %zu samples", n);
        free(clean);
        return w;
    }
    out->notes = notes->count;
    for (size_t i = 0; i < n; i++)
        clean[i] = isfinite(x[i]) ? fmaxf(-4.0F, fminf(4.0F, x[i])) : 0.0F;
    w->x = clean;
    w->n = n;
    w->notes = notes;
    w->out = out;
    w->loud = 1.4142F * powf(10.0F, notes->level / 20.0F);
    w->fit = partial_fit_create(err);
    w->stft = stft_create(PARTIAL_PEAKS_SIZE, err);
    return w;
}

int partials_measure(const float *x, size_t n, const Notes *notes, Partials *out, Error *err)
{
    *out = (Partials){0};
    Work *w = open_work(x, n, notes, out, err);
    const int result = w && w->x && w->fit && w->stft ? measure_all(w, err) : -1;
    if (w) {
        free((float *)w->x);
        free(w->turns);
        free(w->room);
        partial_fit_destroy(w->fit);
        stft_destroy(w->stft);
        free(w);
    }
    if (result)
        partials_clear(out);
    return result;
}
