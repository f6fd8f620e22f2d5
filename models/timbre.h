/* The frame tier: the prompt's own timbre, and what notes sound like in it.
 *
 * From an analysed prompt the partials of each of its notes are kept, as functions of age while it
 * is held, with the level of its noise; and how partials die away after a note's end, by frequency.
 * A planned note is played by the prompt's note that is nearest in pitch, level and length: its
 * partials at the new pitch, its attack, its vibrato. Held for longer, the last part of it is run
 * to and fro, falling as it fell; let go sooner, it dies away from there. What sounded last in the
 * prompt rings on from the join, in phase.
 *
 * Nothing here is for the audio thread, but no function except the create functions allocates. */
#ifndef BRUME_MODELS_TIMBRE_H
#define BRUME_MODELS_TIMBRE_H

#include "dsp/error.h"
#include "dsp/notes.h"
#include "dsp/partials.h"
#include "models/melody_condition.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Timbre Timbre;
typedef struct TimbreStream TimbreStream;

/* A note that is to sound. Samples count from the join (the prompt's end). */
typedef struct PlannedNote {
    uint64_t onset, off; /* off > onset */
    float pitch;         /* MIDI number, with cents */
    float level;         /* dBFS as in Note; NAN: as the prompt's note that plays it */
} PlannedNote;

/* The timbre of x (n,), the prompt, of which `notes` and `partials` are the analysis (copied as far
 * as they are needed). -1 and `err` (NULL is returned) when there is no note that could be played
 * or memory runs out. Shared by any number of streams and threads. */
Timbre *timbre_create(const float *x, size_t n, const Notes *notes, const Partials *partials,
                      Error *err);
void timbre_destroy(Timbre *timbre);

/* The prompt's level, dBFS, that conditions are relative to. */
float timbre_level(const Timbre *timbre);

/* How loud the prompt's notes are: *usual the mean of their power, dBFS as PlannedNote wants it,
 * and *spread half the distance of the quartiles, dB. Surely heard notes only, if there are some.
 */
void timbre_levels(const Timbre *timbre, float *usual, float *spread);

/* A stream from the join on; the timbre must outlive it. A note that sounds at the prompt's very
 * end is let go `held` samples after the join. The same seed and notes give the same bits. */
TimbreStream *timbre_stream_create(const Timbre *timbre, uint64_t seed, uint64_t held, Error *err);
void timbre_stream_destroy(TimbreStream *stream);

/* Plans a note, of an onset not before frames that were made already (then it begins with the next
 * frame). Onsets ascend. Returns how many notes now wait to begin: with TIMBRE_WAITING of them the
 * note is refused and -1 returned; make frames first. */
#define TIMBRE_WAITING 64
int timbre_stream_note(TimbreStream *stream, const PlannedNote *note);

/* Samples made so far, a multiple of 64. */
uint64_t timbre_stream_time(const TimbreStream *stream);

/* The next frame: anchor (64,), condition (MELODY_CONDITION,), and the newest note's period in
 * samples (0: none). */
void timbre_stream_frame(TimbreStream *stream, float *anchor, float *condition, float *period);

/* Power of the planned noise of the frame made last: (NOISE_BANDS,). */
const float *timbre_stream_noise(const TimbreStream *stream);

#endif
