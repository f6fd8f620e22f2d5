/* The generator: a thread that makes sound ahead of time, and the wait-free way from it to the
 * audio thread.
 *
 * Sound lies in two *lanes*, each a ring. The audio thread plays one; when settings change, the
 * generator makes the sound again in the other from just past the play head, and the reader
 * crossfades over. The reader never waits, except while the host freewheels. It fades out before a
 * lane runs dry and in again when there is sound (an underrun, counted). */
#ifndef BRUME_PLUGIN_GENERATOR_H
#define BRUME_PLUGIN_GENERATOR_H

#include "dsp/error.h"
#include "dsp/pack.h"
#include "models/continuation.h"
#include "models/texture_settings.h"
#include "plugin/shared_model.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Generator Generator;

/* How it stands with the answer to a melody, or with what is transformed. */
typedef enum GeneratorAnswer {
    GENERATOR_LISTENS,  /* none was asked for */
    GENERATOR_COMPOSES, /* it is being made */
    GENERATOR_ANSWERS,
    GENERATOR_UNSURE, /* what was heard is no melody that could be carried on */
    GENERATOR_DUMB,   /* there is no melody model that could carry it on */
    GENERATOR_FAILS,  /* nothing can be transformed: out of memory */
    GENERATOR_TARDY   /* nothing is transformed: this model would be too late */
} GeneratorAnswer;

/* What the reader can tell at any time. */
typedef struct GeneratorStatus {
    uint64_t underruns; /* since the start */
    float load;         /* share of one core that the thread uses, over about a second */
    float buffered;     /* seconds ready to be played */
    bool playing;       /* false until the first sound, and in an underrun */
    GeneratorAnswer answer;
} GeneratorStatus;

/* For a host at `rate` Hz, stereo. `model` (a texture model) is taken over (one reference) and may
 * be NULL: then there is silence until generator_swap. `melody`: path of the default melody model,
 * which the thread opens when it first listens, so that whoever plays textures neither waits for it
 * nor holds it; NULL: nothing is answered without generator_melody. No thread runs yet. NULL with a
 * message, and the reference still the caller's, out of memory or if the settings don't fit the
 * model. Not on the audio thread. */
Generator *generator_create(double rate, SharedModel *model, const char *melody,
                            const TextureSettings *settings, Error *err);

/* Stops the thread if it runs. Not on the audio thread. */
void generator_destroy(Generator *generator);

/* Starts the thread, from the stream's first frame (but see generator_resume). -1 with a message
 * when the system refuses. */
int generator_start(Generator *generator, Error *err);

/* What sounded when generator_pack was called. */
typedef enum GeneratorKind { GENERATOR_TEXTURE = 1, GENERATOR_ANSWER } GeneratorKind;

/* Puts what it takes to go on with what sounds, from the frame that is heard next, into a packer:
 * up to about a MiB. False if nothing sounds that could be gone on with. May run beside everything
 * but creation, start, stop and destruction; waits for the thread's round, at most as long as a
 * chunk takes. Not on the audio thread. */
bool generator_pack(Generator *generator, Packer *packer);

/* The next generator_start goes on from there instead of the first frame: with a texture of these
 * settings, or with an answer, which is there once it has been made again (about a fiftieth of the
 * time that it had sounded for). Trusts nothing of it: -1 with a message, and it will start as
 * usual, if it is of another kind, model, rate or settings, or damaged. While the thread does not
 * run. */
int generator_resume(Generator *generator, GeneratorKind kind, const void *bytes, size_t size,
                     const TextureSettings *settings, Error *err);

/* The melody model in force, as generator_melody would have it, while the thread does not run. */
void generator_settle_melody(Generator *generator, SharedModel *model);

/* Stops it, within one denoising step also in the middle of a chunk. Harmless if it does not run.
 */
void generator_stop(Generator *generator);

/* The audio thread's calls, all wait-free: */

/* Other settings, heard within 150 ms; nothing happens if they equal those in force. A seed that
 * differs starts a new stream. What is transformed takes them, and the strength, over with its next
 * chunk, and goes on. */
void generator_set(Generator *generator, const TextureSettings *settings, float strength);

/* A new stream from its first frame, crossfaded in as soon as it is there, but not within the next
 * `wait` frames that are read. hush: nothing sounds now, and nothing shall until the new stream
 * does. */
void generator_restart(Generator *generator, const TextureSettings *settings, uint32_t wait,
                       bool hush);

/* Says anew how long the last restart has to wait. */
void generator_hold(Generator *generator, uint32_t wait);

/* No texture any more, but silence, at once: from now on melodies are answered. Also ends an
 * answer. generator_restart leads back to textures. */
void generator_listen(Generator *generator);

/* No texture and no answer any more, but silence, at once, and then what is heard from now on,
 * transformed, generator_latency frames later to the frame. All frames must be heard, and in the
 * same pieces read after that; `unread`: how many were heard by now, but not yet read.
 * generator_restart leads back to textures. */
void generator_transform(Generator *generator, const TextureSettings *settings, float strength,
                         uint32_t unread);

/* Frames by which what is transformed by `model` is late at `rate` Hz; 0 if it transforms nothing,
 * since that would be more than DELAY_SECONDS. Any thread. */
uint64_t generator_latency(const SharedModel *model, double rate);

/* n frames that came in, finite; while it listens or transforms. False if some were lost, since the
 * generator's thread is behind. */
bool generator_hear(Generator *generator, const float *left, const float *right, uint32_t n);

/* What was heard up to now is no part of any melody to be answered. */
void generator_forget(Generator *generator);

/* Carries on what was heard up to now, from `wait` frames on. An answer that sounds until then goes
 * on until then. If no melody was heard, there is silence, and the status says so. */
void generator_answer(Generator *generator, const ContinuationSettings *settings, uint32_t wait);

/* Another model, crossfaded in; takes over one reference of it. Returns false (and takes nothing
 * over) if the last one is still on its way: try again in a later block. The generator's thread
 * gives the old one back. */
bool generator_swap(Generator *generator, SharedModel *model, const TextureSettings *settings);

/* Another melody model, for the answers to come; takes over one reference of it. NULL: the default
 * one. An answer that sounds goes on as it is. Returns false (and takes nothing over) if there is
 * no room: try again in a later block. */
bool generator_melody(Generator *generator, SharedModel *model);

/* A block of so many frames begins, to be read in whatever pieces; `waits`: the host freewheels. If
 * not, nothing waits from now on. Before anything else of the block. */
void generator_begin_block(Generator *generator, uint32_t frames, bool waits);

/* The next n frames into left and right, n any number. Waits for nothing; what is not there is
 * silence, faded. While the host freewheels it is generator_read_waiting that must be called. */
void generator_read(Generator *generator, float *left, float *right, uint32_t n);

/* The same while the host freewheels: waits until the sound is there. The first such call after
 * a block without waiting (or after `again` is set, where the host's transport starts) begins at
 * the stream's first frame, so that each export is the same and equals `brume render`. */
void generator_read_waiting(Generator *generator, float *left, float *right, uint32_t n,
                            bool again);

/* Any thread. */
GeneratorStatus generator_status(const Generator *generator);

#endif
