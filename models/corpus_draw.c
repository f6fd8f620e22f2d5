#include "models/corpus_parts.h"

#include "dsp/random.h"

/* What a take counts when one of class c is picked; variants only if they are asked for. */
static double pick_weight(const Corpus *corpus, size_t i, size_t c, int held_out, int variants)
{
    const CorpusTake *take = &corpus->takes[i];
    if (corpus->groups[take->group].class_index != c || (!variants && corpus_is_variant(take)))
        return 0.0;
    return corpus_take_weight(corpus, take, held_out);
}

/* Takes as the weights of one class's side say; `u` in 0..1. */
static int pick_take(const Corpus *corpus, size_t c, int held_out, int variants, double u,
                     size_t *picked)
{
    double total = 0.0;
    for (size_t i = 0; i < corpus->take_count; i++)
        total += pick_weight(corpus, i, c, held_out, variants);
    if (total <= 0.0)
        return -1;
    double left = u * total;
    for (size_t i = 0; i < corpus->take_count; i++) {
        const double weight = pick_weight(corpus, i, c, held_out, variants);
        if (weight > 0.0) {
            *picked = i;
            left -= weight;
            if (left < 0.0)
                return 0;
        }
    }
    return 0;
}

static int pick_class(const Corpus *corpus, int held_out, double u, size_t *picked)
{
    double total = 0.0;
    for (size_t c = 0; c < corpus->class_count; c++)
        total += corpus->classes[c].weights[held_out];
    if (total <= 0.0)
        return -1;
    double left = u * total;
    for (size_t c = 0; c < corpus->class_count; c++) {
        const double weight = corpus->classes[c].weights[held_out];
        if (weight > 0.0) {
            *picked = c;
            left -= weight;
            if (left < 0.0)
                return 0;
        }
    }
    return 0;
}

/* A place for `frames` frames in one side of a take. */
static CorpusPlace place_in(const Corpus *corpus, size_t take, int held_out, size_t frames,
                            double u)
{
    size_t first;
    const size_t there = corpus_take_side(corpus, &corpus->takes[take], held_out, &first);
    const size_t room = there > frames ? there - frames + 1 : 1;
    const size_t start = (size_t)(u * (double)room);
    return (CorpusPlace){take, first + (start < room ? start : room - 1)};
}

static int draw_in_class(const Corpus *corpus, size_t c, int held_out, int variants, size_t frames,
                         uint64_t seed, uint64_t stream, uint64_t index, CorpusPlace *place)
{
    size_t take = 0;
    if (pick_take(corpus, c, held_out, variants, random_uniform(seed, stream, 4 * index + 1),
                  &take))
        return -1;
    *place = place_in(corpus, take, held_out, frames, random_uniform(seed, stream, 4 * index + 2));
    return 0;
}

int corpus_draw(const Corpus *corpus, int held_out, size_t frames, uint64_t seed, uint64_t stream,
                uint64_t index, CorpusPlace *place)
{
    size_t c = 0;
    if (pick_class(corpus, held_out, random_uniform(seed, stream, 4 * index), &c))
        return -1;
    return draw_in_class(corpus, c, held_out, 1, frames, seed, stream, index, place);
}

int corpus_draw_class(const Corpus *corpus, size_t class_index, size_t frames, uint64_t seed,
                      uint64_t stream, uint64_t index, CorpusPlace *place)
{
    return draw_in_class(corpus, class_index, 0, 0, frames, seed, stream, index, place);
}

CorpusPlace corpus_draw_beside(const Corpus *corpus, CorpusPlace place, size_t frames,
                               uint64_t seed, uint64_t stream, uint64_t index)
{
    /* There is something: `place` itself. */
    draw_in_class(corpus, corpus_place_class(corpus, place), corpus_side_of(corpus, place), 1,
                  frames, seed, stream, index, &place);
    return place;
}

CorpusPlace corpus_draw_same(const Corpus *corpus, CorpusPlace place, size_t frames, uint64_t seed,
                             uint64_t stream, uint64_t index)
{
    return place_in(corpus, place.take, corpus_side_of(corpus, place), frames,
                    random_uniform(seed, stream, 4 * index + 3));
}
