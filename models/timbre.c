#include "models/timbre_parts.h"

#include "dsp/rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS          16.0F
#define MOST_SLOPES 64
const float timbre_ages[TIMBRE_AGES] = {20 * MS,  40 * MS,  60 * MS,   100 * MS,
                                        150 * MS, 220 * MS, 320 * MS,  450 * MS,
                                        650 * MS, 900 * MS, 1300 * MS, INFINITY};

/* Where too little was heard of notes dying away: -60 dB in 0.25 s. */
static const float USUAL_RELEASE = -6.9F / (0.25F * MELODY_RATE);

/* The end of a note is known to some 10 ms: what is kept of it stops short of that. */
static const size_t MARGIN = 160;

/* Weaker than this, against its level at the note's end, a partial under other notes is known
 * badly. */
static const float HEARD = 0.03F;

/* A fall of level that was measured: in which region, how long after the end, how much it weighs.
 */
typedef struct Fall {
    float slope, weight;
    unsigned char region, age;
} Fall;

void timbre_levels(const Timbre *timbre, float *usual, float *spread)
{
    enum { MOST = 512 };
    static const float SURE = 0.5F;
    float levels[MOST];
    size_t count = 0;
    for (int all = 0; all < 2 && count == 0; all++)
        for (size_t i = 0; i < timbre->notes && count < MOST; i++) {
            const TimbreNote *note = timbre->note + i;
            if (note->partials > 0 && note->knots >= 2 && (all || note->sure >= SURE))
                levels[count++] = note->level;
        }
    *usual = timbre->level;
    *spread = 0.0F;
    if (count == 0)
        return;
    double power = 0.0;
    for (size_t i = 0; i < count; i++)
        power += pow(10.0, (double)levels[i] / 10.0);
    *usual = (float)(10.0 * log10(power / (double)count));
    rank_sort(levels, count);
    *spread = 0.5F * (levels[3 * count / 4] - levels[count / 4]);
}

float timbre_level(const Timbre *timbre)
{
    return timbre->level;
}

void timbre_destroy(Timbre *timbre)
{
    if (!timbre)
        return;
    for (size_t i = 0; i < timbre->notes; i++) {
        TimbreNote *note = timbre->note + i;
        free(note->ratio);
        free(note->time);
        free(note->bend);
        free(note->amplitude);
        free(note->fall);
        free(note->noise);
    }
    for (size_t i = 0; i < timbre->ringings; i++)
        free(timbre->ringing[i].amplitude);
    free(timbre->ringing);
    free(timbre->note);
    free(timbre);
}

static size_t region_of(float hertz)
{
    return hertz < 1000.0F ? 0 : hertz < 3000.0F ? 1 : 2;
}

float timbre_fallen(const Timbre *timbre, float hertz, float since)
{
    const float *slope = timbre->release[region_of(hertz)];
    float sum = 0.0F, from = 0.0F;
    for (size_t i = 0; i < TIMBRE_AGES && since > from; i++) {
        sum += slope[i] * (fminf(since, timbre_ages[i]) - from);
        from = timbre_ages[i];
    }
    return sum;
}

static float hertz_of(float pitch)
{
    return 440.0F * exp2f((pitch - 69.0F) / 12.0F);
}

/* Median slope, nepers a sample, from knot to knot of the partials first..end - 1 together, in the
 * knots from `from` on. */
static float median_slope(const TimbreNote *note, size_t from, size_t first, size_t end)
{
    float slope[MOST_SLOPES], before = 0.0F;
    size_t count = 0;
    for (size_t k = from; k < note->knots && count < MOST_SLOPES; k++) {
        float power = 1e-14F;
        for (size_t p = first; p < end; p++) {
            const float a = cabsf(note->amplitude[k * note->partials + p]);
            power += a * a;
        }
        const float level = 0.5F * logf(power);
        if (k > from)
            slope[count++] = (level - before) / (note->time[k] - note->time[k - 1]);
        before = level;
    }
    if (count == 0)
        return 0.0F;
    rank_sort(slope, count);
    return slope[count / 2];
}

/* Leaves out the end of a note if it is its release already: there it falls faster than before, by
 * 3 dB from knot to knot. */
static void trim(TimbreNote *note)
{
    const float usual = median_slope(note, note->knots / 2, 0, note->partials);
    while (note->knots > 6) {
        const size_t from = note->knots - 2;
        const float length = note->time[note->knots - 1] - note->time[from];
        if ((median_slope(note, from, 0, note->partials) - usual) * length > -0.35F)
            return;
        note->knots--;
    }
}

/* The last part of a held note, and how each partial falls in it. */
static void find_loop(TimbreNote *note)
{
    const float end = note->time[note->knots - 1],
                from = fmaxf(0.5F * end, end - 0.4F * MELODY_RATE);
    note->loop = 0;
    while (note->loop + 2 < note->knots && note->time[note->loop] < from)
        note->loop++;
    /* Between nothing and 120 dB in a second. */
    for (size_t p = 0; p < note->partials; p++)
        note->fall[p] =
            fmaxf(-13.8F / MELODY_RATE, fminf(0.0F, median_slope(note, note->loop, p, p + 1)));
}

/* Copies what is kept of a note; the sounding part ends at sample `end`. */
static int copy_note(const Note *heard, const PartialNote *from, const size_t *knot, size_t end,
                     TimbreNote *to, Error *err)
{
    size_t knots = 1;
    while (knots < from->knots && knot[from->first + knots] <= end)
        knots++;
    if (knots < 2)
        knots = from->knots < 2 ? from->knots : 2;
    *to = (TimbreNote){.pitch = heard->pitch,
                       .level = heard->level,
                       .sure = heard->sure,
                       .partials = from->partials,
                       .knots = knots};
    to->ratio = malloc((from->partials + 1) * sizeof *to->ratio);
    to->fall = malloc((from->partials + 1) * sizeof *to->fall);
    to->time = malloc((knots + 1) * sizeof *to->time);
    to->bend = malloc((knots + 1) * sizeof *to->bend);
    to->amplitude = malloc((knots * from->partials + 1) * sizeof *to->amplitude);
    if (!to->ratio || !to->fall || !to->time || !to->bend || !to->amplitude)
        return error_set(err, "out of memory for the timbre of a note");
    for (size_t k = 0; k < knots; k++) {
        to->time[k] = (float)(knot[from->first + k] - knot[from->first]);
        to->bend[k] = from->hertz[k] / hertz_of(heard->pitch);
    }
    if (from->partials > 0)
        memcpy(to->ratio, from->ratio, from->partials * sizeof *to->ratio);
    if (knots * from->partials > 0)
        memcpy(to->amplitude, from->amplitude, knots * from->partials * sizeof *to->amplitude);
    if (knots > 1) {
        trim(to);
        find_loop(to);
    }
    return 0;
}

/* Level of a note's own partials where they are loudest in its first 0.2 s, dBFS: without what
 * rings on from before. */
static float own_level(const TimbreNote *note)
{
    float most = 1e-20F;
    for (size_t k = 0; k < note->knots && note->time[k] < 0.2F * MELODY_RATE; k++) {
        float power = 0.0F;
        for (size_t p = 0; p < note->partials; p++) {
            const float a = cabsf(note->amplitude[k * note->partials + p]);
            power += 0.5F * a * a;
        }
        most = fmaxf(most, power);
    }
    return 10.0F * log10f(most);
}

/* Notes and, from the residual's power (frames, NOISE_BANDS), their noise. */
static int gather_notes(Timbre *timbre, const Notes *notes, const Partials *partials,
                        const float *power, size_t n, Error *err)
{
    for (size_t i = 0; i < notes->count; i++) {
        const Note *heard = notes->note + i;
        TimbreNote *note = timbre->note + i;
        const size_t next = i + 1 < notes->count ? notes->note[i + 1].onset : n;
        size_t end = heard->off < next ? heard->off : next;
        if (end < n && end > heard->onset + 6 * MARGIN)
            end -= MARGIN;
        timbre->notes = i + 1;
        if (copy_note(heard, partials->note + i, partials->knot, end, note, err))
            return -1;
        note->level = own_level(note);
        const size_t first = heard->onset / MELODY_HOP;
        const size_t last = end / MELODY_HOP;
        note->frames = last > first ? last - first : 1;
        note->noise = malloc(note->frames * NOISE_BANDS * sizeof *note->noise);
        if (!note->noise)
            return error_set(err, "out of memory for the timbre of a note");
        memcpy(note->noise, power + first * NOISE_BANDS,
               note->frames * NOISE_BANDS * sizeof *note->noise);
    }
    return 0;
}

static int by_slope(const void *a, const void *b)
{
    const Fall *x = a, *y = b;
    return (x->slope > y->slope) - (x->slope < y->slope);
}

/* The weighted median slope of the falls of a region (or of all) and an age; 1 if they weigh
 * little. */
static float median_fall(const Fall *fall, size_t falls, size_t region, size_t age)
{
    float all = 0.0F, count = 0.0F, sum = 0.0F;
    for (size_t i = 0; i < falls; i++)
        if (fall[i].age == age && (region == TIMBRE_REGIONS || fall[i].region == region)) {
            all += fall[i].weight;
            count += 1.0F;
        }
    for (size_t i = 0; count >= 8.0F && i < falls; i++)
        if (fall[i].age == age && (region == TIMBRE_REGIONS || fall[i].region == region)) {
            sum += fall[i].weight;
            if (sum >= 0.5F * all)
                return fall[i].slope;
        }
    return 1.0F;
}

/* Falls of a note's partials after its end: from knot to knot, while they are well above what the
 * analysis drops. */
static size_t note_falls(const PartialNote *note, const size_t *knot, size_t off, float audible,
                         Fall *fall)
{
    size_t falls = 0, last = 0;
    while (last + 1 < note->knots && knot[note->first + last + 1] <= off)
        last++;
    for (size_t k = last; k + 1 < note->knots; k++) {
        const size_t from = knot[note->first + k], to = knot[note->first + k + 1];
        if (from < off || to - from < 160)
            continue;
        const float since = (float)(from - off) + 0.5F * (float)(to - from);
        unsigned char age = 0;
        while (since > timbre_ages[age])
            age++;
        for (size_t p = 0; p < note->partials; p++) {
            const float a = cabsf(note->amplitude[k * note->partials + p]);
            const float b = cabsf(note->amplitude[(k + 1) * note->partials + p]);
            const float at_end = cabsf(note->amplitude[last * note->partials + p]);
            if (b > 0.0F && a > audible && a > HEARD * at_end)
                fall[falls++] =
                    (Fall){logf(b / a) / (float)(to - from), a,
                           (unsigned char)region_of(note->ratio[p] * note->hertz[k]), age};
        }
    }
    return falls;
}

/* How partials die away. Where a region was not heard for that long, as all are; where none was, as
 * they did before. */
static int learn_release(Timbre *timbre, const Notes *notes, const Partials *partials, Error *err)
{
    size_t room = 1, falls = 0;
    for (size_t i = 0; i < notes->count; i++)
        room += partials->note[i].knots * partials->note[i].partials;
    Fall *fall = malloc(room * sizeof *fall);
    if (!fall)
        return error_set(err, "out of memory for a timbre's releases");
    const float audible = 3e-3F * 1.4142F * powf(10.0F, notes->level / 20.0F);
    for (size_t i = 0; i < notes->count; i++)
        falls += note_falls(partials->note + i, partials->knot, notes->note[i].off, audible,
                            fall + falls);
    qsort(fall, falls, sizeof *fall, by_slope);
    for (size_t r = 0; r < TIMBRE_REGIONS; r++)
        for (size_t a = 0; a < TIMBRE_AGES; a++) {
            float slope = median_fall(fall, falls, r, a);
            if (slope > 0.5F)
                slope = median_fall(fall, falls, TIMBRE_REGIONS, a);
            if (slope > 0.5F)
                slope = a > 0 ? timbre->release[r][a - 1] : USUAL_RELEASE;
            /* Never slower than 60 dB in 3 s, so that everything ends. */
            timbre->release[r][a] = fminf(slope, -6.9F / (3.0F * MELODY_RATE));
        }
    free(fall);
    return 0;
}

/* The notes whose partials last until the prompt's end. */
static int gather_ringing(Timbre *timbre, const Notes *notes, const Partials *partials, size_t n,
                          Error *err)
{
    for (size_t i = 0; i < notes->count; i++) {
        const PartialNote *note = partials->note + i;
        if (note->knots < 2 || partials->knot[note->first + note->knots - 1] < n)
            continue;
        TimbreRinging *ringing = timbre->ringing + timbre->ringings;
        *ringing = (TimbreRinging){.note = i, .hertz = note->hertz[note->knots - 1]};
        ringing->age = (float)(n - notes->note[i].onset);
        ringing->let_go = notes->note[i].off < n ? (float)(n - notes->note[i].off) : -1.0F;
        ringing->amplitude = malloc((note->partials + 1) * sizeof *ringing->amplitude);
        if (!ringing->amplitude)
            return error_set(err, "out of memory for what rings on");
        timbre->ringings++;
        memcpy(ringing->amplitude, note->amplitude + (note->knots - 1) * note->partials,
               note->partials * sizeof *ringing->amplitude);
        for (size_t k = 1; k < note->knots; k++)
            ringing->turns +=
                0.5 * ((double)note->hertz[k - 1] + (double)note->hertz[k]) *
                (double)(partials->knot[note->first + k] - partials->knot[note->first + k - 1]) /
                MELODY_RATE;
    }
    return 0;
}

static int fill(Timbre *timbre, const float *x, size_t n, const Notes *notes,
                const Partials *partials, Error *err)
{
    float *left = malloc((n + 1) * sizeof *left);
    float *power = malloc((n / MELODY_HOP + 2) * NOISE_BANDS * sizeof *power);
    size_t *onset = malloc((notes->count + 1) * sizeof *onset);
    int result = 0;
    if (!left || !power || !onset)
        result = error_set(err, "out of memory for the timbre of %zu samples", n);
    if (!result) {
        for (size_t i = 0; i < n; i++)
            left[i] =
                (isfinite(x[i]) ? fmaxf(-4.0F, fminf(4.0F, x[i])) : 0.0F) - partials->sound[i];
        for (size_t i = 0; i < notes->count; i++)
            onset[i] = notes->note[i].onset;
        result = noise_bands_measure(left, n, onset, notes->count, power, err);
    }
    free(left);
    free(onset);
    if (!result)
        result = gather_notes(timbre, notes, partials, power, n, err);
    free(power);
    if (!result)
        result = learn_release(timbre, notes, partials, err);
    return result ? result : gather_ringing(timbre, notes, partials, n, err);
}

Timbre *timbre_create(const float *x, size_t n, const Notes *notes, const Partials *partials,
                      Error *err)
{
    if (notes->count == 0) {
        error_set(
            err, "there is no note in the prompt whose timbre could be taken: play a melody first");
        return NULL;
    }
    Timbre *timbre = calloc(1, sizeof *timbre);
    if (timbre) {
        timbre->level = notes->level;
        timbre->note = calloc(notes->count, sizeof *timbre->note);
        timbre->ringing = calloc(notes->count, sizeof *timbre->ringing);
    }
    if (!timbre || !timbre->note || !timbre->ringing) {
        error_set(err, "out of memory for a timbre of %zu notes", notes->count);
        timbre_destroy(timbre);
        return NULL;
    }
    if (fill(timbre, x, n, notes, partials, err)) {
        timbre_destroy(timbre);
        return NULL;
    }
    return timbre;
}
