/* The corpus: recordings to train on, as frames of log energies (later: normalised), by class.
 *
 * A *take* is one channel of one recording, or the middle of two; takes of one recording, and
 * recordings whose names differ only in a last letter ("sea-A", "sea-B": pieces cut from one
 * recording), form a *group*. A group is held out whole, or not at all, so that what is held out
 * was never heard. A class of too few groups for that gives the end of each take instead. Frames
 * are kept as binary16: an hour of one channel at 86 frames of 396 bands a second takes 236 MiB. */
#ifndef BRUME_MODELS_CORPUS_H
#define BRUME_MODELS_CORPUS_H

#include "dsp/error.h"
#include "models/normaliser.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Corpus Corpus;

/* Takes shorter than this many frames are refused: nothing can be learnt from them. */
#define CORPUS_LEAST_FRAMES 16

/* A stretch of frames in the corpus. */
typedef struct CorpusPlace {
    size_t take, start;
} CorpusPlace;

/* What a take is of its recording. Of two channels that differ, the left and the right one and the
 * middle, their mean, which is what people hear in mono: it counts as much as the other two. Of two
 * that are the same, one. A variant is a copy of a recording that was changed a little, to have
 * more to train on: it is drawn for that alone, and never where the class itself is to be known
 * (what is held out, maps, memories, amounts). */
typedef enum {
    CORPUS_MONO,
    CORPUS_ALIKE,
    CORPUS_LEFT,
    CORPUS_RIGHT,
    CORPUS_MIDDLE,
    CORPUS_VARIANT
} CorpusChannel;

/* For frames of `bands` values. */
Corpus *corpus_create(size_t bands, Error *err);
void corpus_destroy(Corpus *corpus);

/* Index of the class of that name, made if new; SIZE_MAX out of memory. */
size_t corpus_class(Corpus *corpus, const char *name, Error *err);
size_t corpus_classes(const Corpus *corpus);
size_t corpus_bands(const Corpus *corpus);
const char *corpus_class_name(const Corpus *corpus, size_t class_index);

/* Adds a take: log energies (frames, bands). `recording` is the file's name without folder and
 * suffix. Left, right and middle of a recording come in this order, one after another, of one
 * length. -1 when it is too short or memory runs out. */
int corpus_add(Corpus *corpus, size_t class_index, const char *recording, CorpusChannel channel,
               const float *log_energy, size_t frames, Error *err);

/* The same with log energies that are binary16 already: values, from malloc, become the corpus's,
 * also on failure. */
int corpus_add_half(Corpus *corpus, size_t class_index, const char *recording,
                    CorpusChannel channel, uint16_t *values, size_t frames, Error *err);

/* Sets about `holdout` (0..0.9) of each class's sound aside, chosen by the seed. Call once, after
 * all takes are in. -1 when a class has nothing left to train on. */
int corpus_split(Corpus *corpus, double holdout, uint64_t seed, Error *err);

/* The stereo image of a class: how much of each band's energy the middle holds, middle (bands,),
 * 0..1, in what is to be trained on; 1 = both channels alike, .5 = strangers to each other. Brings
 * all middles to the level of their channels, band by band. Once, after corpus_split and before
 * corpus_normalise. A class of mono recordings gets the mean of the others, or what is usual
 * outdoors: alike in the bass, half alike above. middle (classes, bands). */
int corpus_image(Corpus *corpus, float *middle, Error *err);

/* Fits each class's map in `normaliser` on frames to train on, then turns all frames into Gaussian
 * values. Once, after corpus_split. */
int corpus_normalise(Corpus *corpus, Normaliser *normaliser, Error *err);

/* Instead of both, to measure a trained model on the corpus: frames become Gaussian values by the
 * model's own maps, everything may be drawn as if to be trained on, and a class may have no takes.
 */
int corpus_measure_by(Corpus *corpus, const Normaliser *normaliser, Error *err);

/* Frames to train on, or held out, in one class; seconds are frames * hop / rate. */
size_t corpus_frames(const Corpus *corpus, size_t class_index, int held_out);

/* Calls visit with each recording of a class and whether it is held out (2 = its end is). */
void corpus_each(const Corpus *corpus,
                 void (*visit)(void *user, const char *class_name, const char *recording,
                               int held_out),
                 void *user);

/* Where what is held out of a recording begins, in frames: 0 = all of it, `frames` = nothing. What
 * comes before is what can be trained on. `recording` as given to corpus_add, of so many frames;
 * SIZE_MAX if the class has none of that name and length. After corpus_split. */
size_t corpus_held_from(const Corpus *corpus, size_t class_index, const char *recording,
                        size_t frames);

/* Draws a stretch of `frames` frames (or of a whole take that is shorter): class by the square root
 * of its length, recording by the square root of its, place evenly. A pure function of (seed,
 * stream, index); any thread once the corpus is complete. -1 if nothing is held out. */
int corpus_draw(const Corpus *corpus, int held_out, size_t frames, uint64_t seed, uint64_t stream,
                uint64_t index, CorpusPlace *place);

/* The same, in one class, of what is to be trained on, variants left out. */
int corpus_draw_class(const Corpus *corpus, size_t class_index, size_t frames, uint64_t seed,
                      uint64_t stream, uint64_t index, CorpusPlace *place);

/* A stretch of any take of the same class on the same side of the split as `place`. */
CorpusPlace corpus_draw_beside(const Corpus *corpus, CorpusPlace place, size_t frames,
                               uint64_t seed, uint64_t stream, uint64_t index);

/* Another stretch of the same take: where a memory of it may come from. */
CorpusPlace corpus_draw_same(const Corpus *corpus, CorpusPlace place, size_t frames, uint64_t seed,
                             uint64_t stream, uint64_t index);

/* The class that a place is in. */
size_t corpus_place_class(const Corpus *corpus, CorpusPlace place);

/* Frames from a place on into out (frames, bands); a take that is too short is mirrored at its
 * ends. Any thread. */
void corpus_read(const Corpus *corpus, CorpusPlace place, size_t frames, float *out);

/* How many frames there are before a place, on its side of the split. */
size_t corpus_before(const Corpus *corpus, CorpusPlace place);

/* How many there are from a place on, itself counted. */
size_t corpus_after(const Corpus *corpus, CorpusPlace place);

/* The mean of `frames` frames from a place on: mean (bands,); scratch (bands,). */
void corpus_mean(const Corpus *corpus, CorpusPlace place, size_t frames, float *scratch,
                 float *mean);

/* A number that changes with the corpus's content: training goes on only on the same sound. */
uint64_t corpus_fingerprint(const Corpus *corpus);

#endif
