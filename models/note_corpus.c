#include "models/note_corpus.h"

#include "dsp/random.h"
#include "dsp/sha256.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Streams of random numbers begin here, out of the way of weights and dropout. */
static const uint64_t DRAW_STREAM = (uint64_t)0x6e07e << 40;

/* How windows begin, end and are played. */
static const double FROM_START = 0.35, ENDS = 0.5, LEGATO = 0.4, SLIP = 0.12;

typedef struct Tune {
    char *name;
    NoteToken *tokens;
    size_t count;
} Tune;

typedef struct Share {
    Tune *tunes;
    size_t count, room, notes;
} Share;

struct NoteCorpus {
    Share shares[NOTE_SHARES];
    uint64_t fingerprint;
};

NoteShare note_share(const char *name, double holdout)
{
    unsigned char digest[SHA256_BYTES];
    sha256_bytes(name, strlen(name), digest);
    if (digest[0] < 256.0 * holdout)
        return NOTE_HELD_OUT;
    return digest[1] < 25.6 ? NOTE_VALIDATE : NOTE_TRAIN;
}

NoteCorpus *note_corpus_create(Error *err)
{
    NoteCorpus *corpus = calloc(1, sizeof *corpus);
    if (!corpus)
        error_set(err, "out of memory for tunes");
    else
        corpus->fingerprint = 14695981039346656037u;
    return corpus;
}

void note_corpus_destroy(NoteCorpus *corpus)
{
    if (!corpus)
        return;
    for (int s = 0; s < NOTE_SHARES; s++) {
        for (size_t i = 0; i < corpus->shares[s].count; i++) {
            free(corpus->shares[s].tunes[i].name);
            free(corpus->shares[s].tunes[i].tokens);
        }
        free(corpus->shares[s].tunes);
    }
    free(corpus);
}

/* FNV-1a. */
static void fingerprint_add(uint64_t *hash, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < n; i++)
        *hash = (*hash ^ at[i]) * 1099511628211u;
}

int note_corpus_add(NoteCorpus *corpus, const char *name, NoteShare share, const NoteToken *tokens,
                    size_t count, Error *err)
{
    Share *to = &corpus->shares[share];
    if (count < NOTE_CORPUS_SHORTEST)
        return error_set(err, "%zu notes: a tune has at least %d", count, NOTE_CORPUS_SHORTEST);
    if (to->count == to->room) {
        const size_t room = to->room ? 2 * to->room : 64;
        Tune *tunes = realloc(to->tunes, room * sizeof *tunes);
        if (!tunes)
            return error_set(err, "out of memory for tunes");
        to->tunes = tunes;
        to->room = room;
    }
    Tune tune = {strdup(name), malloc(count * sizeof *tokens), count};
    if (!tune.name || !tune.tokens) {
        free(tune.name);
        free(tune.tokens);
        return error_set(err, "out of memory for tunes");
    }
    memcpy(tune.tokens, tokens, count * sizeof *tokens);
    to->tunes[to->count++] = tune;
    to->notes += count;
    const unsigned char mark = (unsigned char)share;
    fingerprint_add(&corpus->fingerprint, &mark, 1);
    fingerprint_add(&corpus->fingerprint, tokens, count * sizeof *tokens);
    return 0;
}

size_t note_corpus_tunes(const NoteCorpus *corpus, NoteShare share)
{
    return corpus->shares[share].count;
}

size_t note_corpus_notes(const NoteCorpus *corpus, NoteShare share)
{
    return corpus->shares[share].notes;
}

const char *note_corpus_name(const NoteCorpus *corpus, NoteShare share, size_t i)
{
    return corpus->shares[share].tunes[i].name;
}

const NoteToken *note_corpus_tune(const NoteCorpus *corpus, NoteShare share, size_t i,
                                  size_t *count)
{
    const Tune *tune = &corpus->shares[share].tunes[i];
    *count = tune->count;
    return tune->tokens;
}

uint64_t note_corpus_fingerprint(const NoteCorpus *corpus)
{
    return corpus->fingerprint;
}

/* One draw's numbers, one after the other. */
typedef struct Dice {
    uint64_t seed, stream, next;
} Dice;

static double roll(Dice *dice)
{
    return random_uniform(dice->seed, dice->stream, dice->next++);
}

static size_t roll_below(Dice *dice, size_t limit)
{
    return (size_t)random_below(dice->seed, dice->stream, dice->next++, limit);
}

/* How a window is played: no note sounds for more than `most` eighths of its step, give or take one
 * now and then. */
typedef struct Touch {
    int transpose;
    unsigned most;
} Touch;

static NoteToken played(NoteToken token, Touch touch, Dice *dice)
{
    token.pitch = note_pitch_category(token.pitch + NOTE_LOWEST + touch.transpose);
    const double slip = roll(dice);
    unsigned most = touch.most;
    if (slip < SLIP && most < NOTE_LENGTHS - 1)
        most += slip < 0.5 * SLIP ? 1u : most > 0 ? -1u : 0u;
    if (token.length > most)
        token.length = (uint8_t)most;
    return token;
}

void note_corpus_draw(const NoteCorpus *corpus, uint64_t seed, uint64_t draw, size_t frames,
                      NoteToken *tokens)
{
    const Share *share = &corpus->shares[NOTE_TRAIN];
    Dice dice = {seed, DRAW_STREAM + draw, 0};
    size_t at = roll_below(&dice, share->notes);
    const Tune *tune = share->tunes;
    for (; at >= tune->count; tune++)
        at -= tune->count;
    const Touch touch = {.transpose = (int)roll_below(&dice, 12) - 6,
                         .most = roll(&dice) < LEGATO ? NOTE_LENGTHS - 1
                                                      : 2 + (unsigned)roll_below(&dice, 6)};
    if (roll(&dice) < FROM_START)
        at = 0;
    tokens[0] = (NoteToken){at ? NOTE_OPEN : NOTE_START, 0, 0};
    bool over = false;
    for (size_t i = 1; i <= frames; i++) {
        if (over) {
            tokens[i] = (NoteToken){NOTE_NONE, 0, 0};
        } else if (at == tune->count && roll(&dice) < ENDS) {
            tokens[i] = (NoteToken){NOTE_END, 0, 0};
            over = true;
        } else {
            at = at == tune->count ? 0 : at;
            tokens[i] = played(tune->tokens[at++], touch, &dice);
        }
    }
}

static size_t windows_of(const Tune *tune, size_t frames)
{
    return (tune->count + frames - 1) / frames;
}

size_t note_corpus_windows(const NoteCorpus *corpus, NoteShare share, size_t frames)
{
    size_t windows = 0;
    for (size_t i = 0; i < corpus->shares[share].count; i++)
        windows += windows_of(&corpus->shares[share].tunes[i], frames);
    return windows;
}

void note_corpus_window(const NoteCorpus *corpus, NoteShare share, size_t frames, size_t i,
                        NoteToken *tokens)
{
    const Tune *tune = corpus->shares[share].tunes;
    for (; i >= windows_of(tune, frames); tune++)
        i -= windows_of(tune, frames);
    const size_t first = i * frames;
    tokens[0] = (NoteToken){first ? NOTE_OPEN : NOTE_START, 0, 0};
    for (size_t f = 0; f < frames; f++) {
        const bool there = first + f < tune->count;
        tokens[f + 1] = there ? tune->tokens[first + f] : (NoteToken){NOTE_NONE, 0, 0};
        if (first + f == tune->count)
            tokens[f + 1].pitch = NOTE_END;
    }
}
