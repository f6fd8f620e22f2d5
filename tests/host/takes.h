/* Takes for the tests of exactness: what an instance plays, however it is driven, and whether two
 * of them are the same to the bit. */
#ifndef BRUME_TESTS_TAKES_H
#define BRUME_TESTS_TAKES_H

#include "tests/host/host.h"

enum { TAKES_RATE = 48000 };

/* Values of the port `mode`. */
typedef enum { TAKE_TEXTURE, TAKE_ANSWER, TAKE_TRANSFORM } TakeMode;

/* How an instance is driven. */
typedef struct Take {
    const char *bundle;
    TakeMode mode;
    bool live;      /* not exported: heard as a sound card would */
    uint32_t block; /* 0: another length each time, 1 to 1024 */
    float seed;
    const char *from; /* a folder to restore a session from before it is active, or NULL */
    const char *to;   /* a folder to save a session to after `cut` frames of sound, or NULL */
    size_t cut;
} Take;

/* Sound (frames, 2) at TAKES_RATE: from its first frame that is not silent on, or of what is
 * transformed the frame that belongs to the input's first. The input is silence if a take is
 * restored, else for an answer it is a tune, and for what is transformed too. With `to` the frames
 * after the cut are recorded as well, from the same instance. */
typedef struct Sound {
    float *frames;
    size_t count;
    size_t cut; /* frames after which a session was saved: as asked, if no block began before it */
    int underruns;
    char status[2048]; /* as it was said last */
} Sound;

/* Records `frames` frames. A take that ran dry is made again, four times at most: what is tested is
 * the sound, not the machine. */
Sound take_record(const Take *take, size_t frames);
void sound_clear(Sound *sound);

/* The same of `count` instances at once, in a thread each, sounds (count,). Those of odd number
 * have another seed: `take`'s and 1. */
void takes_record(const Take *take, size_t frames, size_t count, Sound *sounds);

/* The command's sound for the take: `brume render`, or `brume transform` of its input; none for an
 * answer, which the command does not make so long after its question. */
Sound take_command(const char *brume, const Take *take, size_t frames);

/* Samples of `sound`, from frame `skip` on, that are not those of `expected` from frame
 * `from` + `skip` on; all of them if it is shorter than `frames`. */
size_t sound_differs(const Sound *sound, const Sound *expected, size_t from, size_t skip,
                     size_t frames);

#endif
