#include "models/corpus_parts.h"

#include "dsp/random.h"
#include "models/half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_SPLIT = 0x5b11, STREAM_FIT = 0xf17, FIT_FRAMES = 12288, BORDER = 3, LEAST_HELD = 32 };

Corpus *corpus_create(size_t bands, Error *err)
{
    Corpus *corpus = calloc(1, sizeof *corpus);
    if (!corpus)
        error_set(err, "out of memory for recordings");
    else
        corpus->bands = bands;
    return corpus;
}

void corpus_destroy(Corpus *corpus)
{
    if (!corpus)
        return;
    for (size_t i = 0; i < corpus->take_count; i++)
        free(corpus->takes[i].values);
    free(corpus->takes);
    free(corpus->groups);
    free(corpus->classes);
    free(corpus);
}

/* Room for one more element of `size` bytes; grows by doubling at powers of two. */
static int grow(void **array, size_t count, size_t size)
{
    if (count & (count - 1))
        return 0;
    void *bigger = realloc(*array, (count ? 2 * count : 1) * size);
    if (!bigger)
        return -1;
    *array = bigger;
    return 0;
}

size_t corpus_class(Corpus *corpus, const char *name, Error *err)
{
    for (size_t c = 0; c < corpus->class_count; c++)
        if (!strcmp(corpus->classes[c].name, name))
            return c;
    void *classes = corpus->classes;
    if (grow(&classes, corpus->class_count, sizeof(CorpusClass))) {
        error_set(err, "out of memory for recordings");
        return SIZE_MAX;
    }
    corpus->classes = classes;
    CorpusClass *class = &corpus->classes[corpus->class_count];
    *class = (CorpusClass){.held_by_time = 0};
    snprintf(class->name, sizeof class->name, "%s", name);
    return corpus->class_count++;
}

size_t corpus_classes(const Corpus *corpus)
{
    return corpus->class_count;
}

size_t corpus_bands(const Corpus *corpus)
{
    return corpus->bands;
}

const char *corpus_class_name(const Corpus *corpus, size_t class_index)
{
    return corpus->classes[class_index].name;
}

/* "sea-A" and "sea-B" -> "sea": a separator and one letter at the end mark a piece. */
static void group_name(const char *recording, char *name)
{
    snprintf(name, CORPUS_NAME_ROOM, "%s", recording);
    const size_t n = strlen(name);
    if (n > 2 && (name[n - 2] == '-' || name[n - 2] == '_' || name[n - 2] == ' ') &&
        ((name[n - 1] >= 'A' && name[n - 1] <= 'Z') || (name[n - 1] >= 'a' && name[n - 1] <= 'z')))
        name[n - 2] = '\0';
}

static size_t find_group(Corpus *corpus, size_t class_index, const char *recording)
{
    char name[CORPUS_NAME_ROOM];
    group_name(recording, name);
    for (size_t g = 0; g < corpus->group_count; g++)
        if (corpus->groups[g].class_index == class_index && !strcmp(corpus->groups[g].name, name))
            return g;
    void *groups = corpus->groups;
    if (grow(&groups, corpus->group_count, sizeof(CorpusGroup)))
        return SIZE_MAX;
    corpus->groups = groups;
    CorpusGroup *group = &corpus->groups[corpus->group_count];
    *group = (CorpusGroup){.class_index = class_index};
    strcpy(group->name, name);
    return corpus->group_count++;
}

int corpus_add_half(Corpus *corpus, size_t class_index, const char *recording,
                    CorpusChannel channel, uint16_t *values, size_t frames, Error *err)
{
    static const float SHARES[] = {
        [CORPUS_MONO] = 1.0f,   [CORPUS_ALIKE] = 1.0f,  [CORPUS_LEFT] = 0.25f,
        [CORPUS_RIGHT] = 0.25f, [CORPUS_MIDDLE] = 0.5f, [CORPUS_VARIANT] = 0.5f};
    if (frames < CORPUS_LEAST_FRAMES) {
        free(values);
        return error_set(err, "too short: at least %d frames are needed", CORPUS_LEAST_FRAMES);
    }
    void *takes = corpus->takes;
    const size_t group = find_group(corpus, class_index, recording);
    if (group == SIZE_MAX || grow(&takes, corpus->take_count, sizeof(CorpusTake))) {
        free(values);
        return error_set(err, "out of memory for recordings");
    }
    corpus->takes = takes;
    corpus->takes[corpus->take_count++] = (CorpusTake){.group = group,
                                                       .frames = frames,
                                                       .used = frames,
                                                       .channel = channel,
                                                       .share = SHARES[channel],
                                                       .values = values};
    if (channel != CORPUS_VARIANT && frames > corpus->groups[group].frames)
        corpus->groups[group].frames = frames;
    return 0;
}

int corpus_add(Corpus *corpus, size_t class_index, const char *recording, CorpusChannel channel,
               const float *log_energy, size_t frames, Error *err)
{
    uint16_t *values = malloc((frames * corpus->bands + 1) * sizeof *values);
    if (!values)
        return error_set(err, "out of memory for %zu frames", frames);
    half_from_float(log_energy, values, frames * corpus->bands);
    return corpus_add_half(corpus, class_index, recording, channel, values, frames, err);
}

size_t corpus_take_side(const Corpus *corpus, const CorpusTake *take, int held_out, size_t *first)
{
    const CorpusGroup *group = &corpus->groups[take->group];
    *first = 0;
    if (!corpus->classes[group->class_index].held_by_time)
        return group->held_out == held_out ? take->frames : 0;
    if (held_out)
        *first = take->used;
    /* Neighbouring frames share samples: a few at the border are in neither side. A variant's
     * border is a little uncertain, for it has another speed. */
    const size_t border = corpus_is_variant(take) ? 2 * BORDER : BORDER;
    const size_t kept = take->used > border ? take->used - border : 0;
    return held_out ? take->frames - take->used : take->used < take->frames ? kept : take->used;
}

double corpus_take_weight(const Corpus *corpus, const CorpusTake *take, int held_out)
{
    size_t first;
    if (held_out && corpus_is_variant(take))
        return 0.0;
    const size_t frames = corpus_take_side(corpus, take, held_out, &first);
    return frames < CORPUS_LEAST_FRAMES ? 0.0 : sqrt((double)frames) * (double)take->share;
}

/* Holds groups of one class out, in the seed's order, until the share is met. A group that would
 * overshoot it by half, or is the last, is passed over. Returns whether any was held out. */
static int hold_groups(Corpus *corpus, size_t c, size_t count, size_t total, double holdout,
                       uint64_t seed)
{
    const double goal = holdout * (double)total;
    double held = 0.0;
    for (size_t tried = 0; tried < 4 * count && held < goal; tried++) {
        uint64_t pick = random_below(seed, STREAM_SPLIT, c * 65536 + tried, count);
        for (size_t g = 0; g < corpus->group_count; g++) {
            CorpusGroup *group = &corpus->groups[g];
            if (group->class_index != c || pick-- != 0)
                continue;
            const double more = held + (double)group->frames;
            if (!group->held_out && more <= 1.5 * goal && more < (double)total) {
                group->held_out = 1;
                held = more;
            }
            break;
        }
    }
    return held > 0.0;
}

/* Frames at the end of a take that are held out: as large a share as asked for, but of a short take
 * as much as can be tested on at all, if it can spare that. */
static size_t held_end(size_t frames, double holdout)
{
    const size_t held = (size_t)(holdout * (double)frames);
    return holdout > 0.0 && held < LEAST_HELD && frames >= 4 * LEAST_HELD ? LEAST_HELD : held;
}

static void hold_ends(Corpus *corpus, size_t c, double holdout)
{
    corpus->classes[c].held_by_time = 1;
    for (size_t i = 0; i < corpus->take_count; i++) {
        CorpusTake *take = &corpus->takes[i];
        if (corpus->groups[take->group].class_index == c)
            take->used = take->frames - held_end(take->frames, holdout);
    }
}

/* By the square root of what can be drawn: takes that are too short for that do not count. */
static double class_weight(const Corpus *corpus, size_t c, int held_out)
{
    double frames = 0.0;
    for (size_t i = 0; i < corpus->take_count; i++) {
        const CorpusTake *take = &corpus->takes[i];
        size_t first;
        if (corpus->groups[take->group].class_index == c && !corpus_is_variant(take) &&
            corpus_take_weight(corpus, take, held_out) > 0)
            frames +=
                (double)take->share * (double)corpus_take_side(corpus, take, held_out, &first);
    }
    return sqrt(frames);
}

int corpus_split(Corpus *corpus, double holdout, uint64_t seed, Error *err)
{
    for (size_t c = 0; c < corpus->class_count; c++) {
        size_t count = 0, total = 0;
        for (size_t g = 0; g < corpus->group_count; g++)
            if (corpus->groups[g].class_index == c) {
                count++;
                total += corpus->groups[g].frames;
            }
        /* A few long groups: holding out any would be too much. */
        if (count < 3 || !hold_groups(corpus, c, count, total, holdout, seed))
            hold_ends(corpus, c, holdout);
        for (int side = 0; side < 2; side++)
            corpus->classes[c].weights[side] = class_weight(corpus, c, side);
        if (corpus->classes[c].weights[0] <= 0.0)
            return error_set(err, "class \"%s\" has nothing left to train on: give more sound",
                             corpus->classes[c].name);
    }
    return 0;
}

size_t corpus_frames(const Corpus *corpus, size_t class_index, int held_out)
{
    double frames = 0.0;
    for (size_t i = 0; i < corpus->take_count; i++) {
        const CorpusTake *take = &corpus->takes[i];
        size_t first;
        if (corpus->groups[take->group].class_index == class_index && !corpus_is_variant(take))
            frames +=
                (double)take->share * (double)corpus_take_side(corpus, take, held_out, &first);
    }
    return (size_t)(frames + 0.5);
}

int corpus_side_of(const Corpus *corpus, CorpusPlace place)
{
    const CorpusTake *take = &corpus->takes[place.take];
    const CorpusGroup *group = &corpus->groups[take->group];
    if (corpus->classes[group->class_index].held_by_time)
        return place.start >= take->used;
    return group->held_out;
}

size_t corpus_place_class(const Corpus *corpus, CorpusPlace place)
{
    return corpus->groups[corpus->takes[place.take].group].class_index;
}

/* Frame `offset` of one side of a take (`there` frames from `first` on), mirrored at its ends. */
static void read_frame(const Corpus *corpus, const CorpusTake *take, size_t first, size_t there,
                       size_t offset, float *out)
{
    const size_t period = there > 1 ? 2 * (there - 1) : 1;
    size_t at = offset % period;
    if (at >= there)
        at = period - at;
    half_to_float(take->values + (first + at) * corpus->bands, out, corpus->bands);
}

void corpus_read(const Corpus *corpus, CorpusPlace place, size_t frames, float *out)
{
    const CorpusTake *take = &corpus->takes[place.take];
    size_t first;
    const size_t there = corpus_take_side(corpus, take, corpus_side_of(corpus, place), &first);
    for (size_t f = 0; f < frames; f++)
        read_frame(corpus, take, first, there, place.start - first + f, out + f * corpus->bands);
}

size_t corpus_before(const Corpus *corpus, CorpusPlace place)
{
    size_t first;
    corpus_take_side(corpus, &corpus->takes[place.take], corpus_side_of(corpus, place), &first);
    return place.start - first;
}

size_t corpus_after(const Corpus *corpus, CorpusPlace place)
{
    size_t first;
    const size_t there =
        corpus_take_side(corpus, &corpus->takes[place.take], corpus_side_of(corpus, place), &first);
    return first + there - place.start;
}

void corpus_mean(const Corpus *corpus, CorpusPlace place, size_t frames, float *scratch,
                 float *mean)
{
    const CorpusTake *take = &corpus->takes[place.take];
    size_t first;
    const size_t there = corpus_take_side(corpus, take, corpus_side_of(corpus, place), &first);
    memset(mean, 0, corpus->bands * sizeof *mean);
    for (size_t f = 0; f < frames; f++) {
        read_frame(corpus, take, first, there, place.start - first + f, scratch);
        for (size_t b = 0; b < corpus->bands; b++)
            mean[b] += scratch[b] / (float)frames;
    }
}

/* Fits on frames drawn as training draws them, so that each recording counts as it will. */
static int fit_class(const Corpus *corpus, size_t c, Normaliser *normaliser, float *frames,
                     Error *err)
{
    for (size_t i = 0; i < FIT_FRAMES; i++) {
        CorpusPlace place;
        if (corpus_draw_class(corpus, c, 1, c, STREAM_FIT, i, &place))
            return error_set(err, "class \"%s\" has nothing long enough to train on",
                             corpus->classes[c].name);
        corpus_read(corpus, place, 1, frames + i * corpus->bands);
    }
    return normaliser_fit(normaliser, c, frames, FIT_FRAMES, err);
}

/* Turns all frames into Gaussian values; scratch (bands,). */
static void map_takes(Corpus *corpus, const Normaliser *normaliser, float *scratch)
{
    for (size_t i = 0; i < corpus->take_count; i++) {
        const CorpusTake *take = &corpus->takes[i];
        const size_t c = corpus->groups[take->group].class_index;
        for (size_t f = 0; f < take->frames; f++) {
            uint16_t *frame = take->values + f * corpus->bands;
            half_to_float(frame, scratch, corpus->bands);
            normaliser_forward(normaliser, c, scratch, 1);
            half_from_float(scratch, frame, corpus->bands);
        }
    }
}

int corpus_normalise(Corpus *corpus, Normaliser *normaliser, Error *err)
{
    float *frames = malloc(FIT_FRAMES * corpus->bands * sizeof *frames);
    if (!frames)
        return error_set(err, "out of memory for the quantiles");
    for (size_t c = 0; c < corpus->class_count; c++)
        if (fit_class(corpus, c, normaliser, frames, err)) {
            free(frames);
            return -1;
        }
    map_takes(corpus, normaliser, frames);
    free(frames);
    return 0;
}

int corpus_measure_by(Corpus *corpus, const Normaliser *normaliser, Error *err)
{
    const size_t bands = corpus->bands;
    float *frame = malloc((1 + corpus->class_count) * bands * sizeof *frame);
    if (!frame)
        return error_set(err, "out of memory for a frame");
    for (size_t c = 0; c < corpus->class_count; c++)
        hold_ends(corpus, c, 0.0);
    /* For the level of the middles alone: the model has an image of its own. */
    const int failed = corpus_image(corpus, frame + bands, err);
    if (!failed)
        map_takes(corpus, normaliser, frame);
    free(frame);
    for (size_t c = 0; c < corpus->class_count; c++) {
        corpus->classes[c].weights[0] = class_weight(corpus, c, 0);
        corpus->classes[c].weights[1] = 0.0;
    }
    return failed;
}

void corpus_each(const Corpus *corpus,
                 void (*visit)(void *user, const char *class_name, const char *recording,
                               int held_out),
                 void *user)
{
    for (size_t g = 0; g < corpus->group_count; g++) {
        const CorpusGroup *group = &corpus->groups[g];
        const CorpusClass *class = &corpus->classes[group->class_index];
        const int end = class->held_by_time && class->weights[1] > 0.0;
        visit(user, class->name, group->name, end ? 2 : group->held_out);
    }
}

size_t corpus_held_from(const Corpus *corpus, size_t class_index, const char *recording,
                        size_t frames)
{
    char name[CORPUS_NAME_ROOM];
    group_name(recording, name);
    for (size_t i = 0; i < corpus->take_count; i++) {
        const CorpusTake *take = &corpus->takes[i];
        const CorpusGroup *group = &corpus->groups[take->group];
        if (group->class_index != class_index || take->frames != frames ||
            corpus_is_variant(take) || strcmp(group->name, name))
            continue;
        size_t first;
        return corpus_take_side(corpus, take, 1, &first) ? first : frames;
    }
    return SIZE_MAX;
}

static uint64_t mix_in(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 1099511628211u;
}

/* FNV-1a over where each take belongs, and its values. */
uint64_t corpus_fingerprint(const Corpus *corpus)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < corpus->take_count; i++) {
        const CorpusTake *take = &corpus->takes[i];
        const CorpusGroup *group = &corpus->groups[take->group];
        hash = mix_in(mix_in(hash, group->class_index), take->group);
        hash = mix_in(mix_in(hash, group->held_out != 0), take->frames);
        hash = mix_in(hash, take->used);
        for (size_t j = 0; j < take->frames * corpus->bands; j++)
            hash = mix_in(hash, take->values[j]);
    }
    return hash;
}
