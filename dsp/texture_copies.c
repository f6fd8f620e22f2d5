#include "dsp/texture_copies.h"

#include "dsp/products.h"
#include "dsp/rank.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { LENGTH = TEXTURE_MEL_RATE / 2, VALUES = LENGTH * TEXTURE_MEL_BANDS };
enum { PATCHES = 64, APART = 2 * TEXTURE_MEL_RATE };

typedef struct Sounds {
    const TextureSound *const *sounds;
    size_t count;
} Sounds;

/* Patches looked for: of which sound, from which frame on, and how near the nearest is so far. */
typedef struct Search {
    size_t count;
    size_t sound[PATCHES], start[PATCHES];
    float squares[PATCHES], nearest[PATCHES];
    float *values; /* (PATCHES, VALUES), of mean 0 */
} Search;

static size_t places_in(const TextureSound *sound)
{
    return sound->mel_frames < LENGTH ? 0 : sound->mel_frames - LENGTH + 1;
}

static size_t places_in_all(const Sounds *in)
{
    size_t places = 0;
    for (size_t i = 0; i < in->count; i++)
        places += places_in(in->sounds[i]);
    return places;
}

/* mel (VALUES,) -> values (VALUES,) without their mean; the sum of their squares. */
static float take_patch(const float *mel, float *values)
{
    double sum = 0.0;
    for (size_t i = 0; i < VALUES; i++)
        sum += (double)mel[i];
    const float mean = (float)(sum / VALUES);
    for (size_t i = 0; i < VALUES; i++)
        values[i] = mel[i] - mean;
    return products_dot(VALUES, values, values);
}

/* Takes patches spread evenly over all places of the sounds. */
static void take_patches(Search *search, const Sounds *of)
{
    const size_t places = places_in_all(of);
    size_t sound = 0, before = 0;
    search->count = places < PATCHES ? places : PATCHES;
    for (size_t p = 0; p < search->count; p++) {
        const size_t at = (2 * p + 1) * places / (2 * search->count);
        while (at >= before + places_in(of->sounds[sound]))
            before += places_in(of->sounds[sound++]);
        search->sound[p] = sound;
        search->start[p] = at - before;
        search->nearest[p] = INFINITY;
        search->squares[p] = take_patch(of->sounds[sound]->mel + (at - before) * TEXTURE_MEL_BANDS,
                                        search->values + p * VALUES);
    }
}

static bool is_near(size_t a, size_t b)
{
    return (a < b ? b - a : a - b) < APART;
}

/* Holds each patch against one sound, at every place. `same`: it is looked for where it is from. */
static void search_sound(Search *search, const TextureSound *in, size_t index, bool same)
{
    float place[VALUES];
    for (size_t at = 0; at < places_in(in); at++) {
        const float square = take_patch(in->mel + at * TEXTURE_MEL_BANDS, place);
        for (size_t p = 0; p < search->count; p++) {
            if (same && search->sound[p] == index && is_near(search->start[p], at))
                continue;
            const float product = products_dot(VALUES, search->values + p * VALUES, place);
            search->nearest[p] =
                fminf(search->nearest[p], search->squares[p] + square - 2.0F * product);
        }
    }
}

/* Distances of the nearest patches in dB -> found (PATCHES,); how many there are. */
static size_t search_all(Search *search, const Sounds *of, const Sounds *in, bool same,
                         float *found)
{
    take_patches(search, of);
    for (size_t i = 0; i < in->count; i++)
        search_sound(search, in->sounds[i], i, same);
    size_t count = 0;
    for (size_t p = 0; p < search->count; p++)
        if (isfinite(search->nearest[p]))
            found[count++] = sqrtf(fmaxf(0.0F, search->nearest[p]) / VALUES);
    return count;
}

int texture_copies(const TextureSound *const *made, size_t made_count,
                   const TextureSound *const *learnt, size_t learnt_count,
                   const TextureSound *const *unheard, size_t unheard_count, TextureCopies *out,
                   Error *err)
{
    const Sounds of = {made, made_count}, in = {learnt, learnt_count};
    const Sounds measure = unheard_count ? (Sounds){unheard, unheard_count} : in;
    float found[PATCHES], usual[PATCHES];
    Search search = {.values = malloc(PATCHES * VALUES * sizeof(float))};
    *out = (TextureCopies){0};
    if (!search.values)
        return error_set(err, "out of memory for looking for copies");
    const size_t usual_count = search_all(&search, &measure, &in, !unheard_count, usual);
    const size_t count = search_all(&search, &of, &in, false, found);
    free(search.values);
    if (!count || !usual_count)
        return error_set(err, "too little sound to look for copies: give 0.6 s or more on each "
                              "side, and 3 s of what was learnt");
    out->unheard = (double)rank_median(usual, usual_count);
    out->nearest = (double)rank_median(found, count);
    out->ratio = out->nearest / fmax(1e-6, out->unheard);
    for (size_t i = 0; i < count; i++)
        out->copied += (double)found[i] < 0.5 * out->unheard ? 1.0 / (double)count : 0.0;
    return 0;
}
