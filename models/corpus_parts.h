/* What a corpus is made of, for the files that share it. */
#ifndef BRUME_MODELS_CORPUS_PARTS_H
#define BRUME_MODELS_CORPUS_PARTS_H

#include "models/corpus.h"

#define CORPUS_NAME_ROOM 256

typedef struct CorpusTake {
    size_t group, frames, used; /* held out in time: frames used..frames-1 */
    CorpusChannel channel;
    float share;      /* of its recording's weight */
    uint16_t *values; /* (frames, bands) */
} CorpusTake;

typedef struct CorpusGroup {
    char name[CORPUS_NAME_ROOM];
    size_t class_index, frames; /* of its longest take */
    int held_out;
} CorpusGroup;

typedef struct CorpusClass {
    char name[CORPUS_NAME_ROOM];
    int held_by_time;  /* one group: the end of each take is held out */
    double weights[2]; /* of the class, on each side of the split */
} CorpusClass;

struct Corpus {
    size_t bands;
    CorpusTake *takes;
    CorpusGroup *groups;
    CorpusClass *classes;
    size_t take_count, group_count, class_count;
};

/* Whether a take is a changed copy of another. */
static inline int corpus_is_variant(const CorpusTake *take)
{
    return take->channel == CORPUS_VARIANT;
}

/* Frames of a take on one side of the split, and where they start. */
size_t corpus_take_side(const Corpus *corpus, const CorpusTake *take, int held_out, size_t *first);

/* What a take counts when one is drawn on a side of the split; 0 where it is too short there. */
double corpus_take_weight(const Corpus *corpus, const CorpusTake *take, int held_out);

/* Which side of the split a place lies on. */
int corpus_side_of(const Corpus *corpus, CorpusPlace place);

#endif
