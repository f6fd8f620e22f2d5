#include "models/melody_features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void melody_features_clear(MelodyFeatures *features)
{
    free(features->anchor);
    free(features->condition);
    free(features->period);
    *features = (MelodyFeatures){0};
}

/* The knot at or before a sample, from `from` on. */
static size_t knot_before(const Partials *partials, size_t sample, size_t from)
{
    while (from + 1 < partials->knots && partials->knot[from + 1] <= sample)
        from++;
    return from;
}

/* Adds a note's partials at `sample`, which lies after knot number `knot`. */
static void add_note(const Partials *partials, const PartialNote *note, size_t knot, size_t sample,
                     MelodyFrame *frame)
{
    const size_t at = knot - note->first;
    const size_t from = partials->knot[knot], to = partials->knot[knot + 1];
    const float along = (float)(sample - from) / (float)(to - from);
    const float hertz = note->hertz[at] + along * (note->hertz[at + 1] - note->hertz[at]);
    for (size_t p = 0; p < note->partials; p++) {
        const float complex a = note->amplitude[at * note->partials + p];
        const float complex b = note->amplitude[(at + 1) * note->partials + p];
        melody_condition_add(frame, hertz * note->ratio[p], cabsf(a + along * (b - a)));
    }
}

/* Frame by frame; power (frames, NOISE_BANDS). */
static void fill(const Notes *notes, const Partials *partials, const float *power,
                 MelodyFeatures *out)
{
    size_t knot = 0, oldest = 0, newest = 0;
    for (size_t f = 0; f < out->frames; f++) {
        const size_t middle = f * MELODY_HOP + MELODY_HOP / 2, end = (f + 1) * MELODY_HOP;
        MelodyFrame frame = {.age = -1.0F, .since_off = -1.0F};
        knot = partials->knots ? knot_before(partials, middle, knot) : 0;
        while (newest < notes->count && notes->note[newest].onset < end)
            newest++;
        if (newest > 0) {
            const Note *note = notes->note + newest - 1;
            frame.age = (float)(end - note->onset) / MELODY_RATE;
            frame.since_off = note->off < end ? (float)(end - note->off) / MELODY_RATE : -1.0F;
        }
        for (size_t i = oldest; i < newest; i++) {
            const PartialNote *note = partials->note + i;
            if (knot >= note->first && knot + 1 < note->first + note->knots &&
                middle >= partials->knot[knot])
                add_note(partials, note, knot, middle, &frame);
            else if (i == oldest && knot >= note->first + note->knots)
                oldest++;
        }
        memcpy(frame.noise, power + f * NOISE_BANDS, sizeof frame.noise);
        float tonal = 0.0F;
        for (size_t m = 0; m < MELODY_MELS; m++)
            tonal += frame.partials[m];
        if (newest > 0 && 10.0F * log10f(tonal + 1e-20F) > out->level - 60.0F) {
            const PartialNote *note = partials->note + newest - 1;
            const size_t at = knot > note->first ? knot - note->first : 0;
            frame.hertz = note->hertz[at < note->knots ? at : note->knots - 1];
        }
        out->period[f] = frame.hertz > 0.0F ? MELODY_RATE / frame.hertz : 0.0F;
        melody_condition_make(&frame, out->level, out->condition + f * MELODY_CONDITION);
    }
}

int melody_features_from(const float *x, size_t n, const Notes *notes, const Partials *partials,
                         MelodyFeatures *out, Error *err)
{
    const size_t frames = (n + MELODY_HOP - 1) / MELODY_HOP;
    *out = (MelodyFeatures){
        .samples = n, .frames = frames, .level = notes->level, .sure = notes->sure};
    out->anchor = malloc((n + 1) * sizeof *out->anchor);
    out->condition = malloc((frames + 1) * MELODY_CONDITION * sizeof *out->condition);
    out->period = malloc((frames + 1) * sizeof *out->period);
    float *left = malloc((n + 1) * sizeof *left);
    float *power = malloc((frames + 1) * NOISE_BANDS * sizeof *power);
    size_t *onset = malloc((notes->count + 1) * sizeof *onset);
    int result = 0;
    if (!out->anchor || !out->condition || !out->period || !left || !power || !onset)
        result = error_set(err, "out of memory for the features of %zu samples", n);
    if (!result) {
        memcpy(out->anchor, partials->sound, n * sizeof *out->anchor);
        for (size_t i = 0; i < n; i++)
            left[i] = (isfinite(x[i]) ? fmaxf(-4.0F, fminf(4.0F, x[i])) : 0.0F) - out->anchor[i];
        for (size_t i = 0; i < notes->count; i++)
            onset[i] = notes->note[i].onset;
        result = noise_bands_measure(left, n, onset, notes->count, power, err);
    }
    if (!result)
        fill(notes, partials, power, out);
    else
        melody_features_clear(out);
    free(left);
    free(power);
    free(onset);
    return result;
}

int melody_features_make(const float *x, size_t n, MelodyFeatures *out, Error *err)
{
    Notes notes;
    Partials partials;
    *out = (MelodyFeatures){0};
    if (notes_analyse(x, n, &notes, err))
        return -1;
    int result = partials_measure(x, n, &notes, &partials, err);
    if (!result) {
        result = melody_features_from(x, n, &notes, &partials, out, err);
        partials_clear(&partials);
    }
    notes_clear(&notes);
    return result;
}
