/* The note model: a Transformer decoder over notes. A note's probability is the product of those of
 * its pitch, of its step given the pitch, and of its length given both.
 *
 * Pre-norm blocks (causal attention, then a two-layer perceptron with SiLU), no learned positions:
 * keys and queries are turned (rotary positions) by a note's number and by its time in the tune, at
 * the periods of bars and phrases, so that only differences count and a tune may run for ever. A
 * query stands at the onset of the note that it predicts, so what lay a bar or a phrase before is
 * found at a turn of its own. Pitches are predicted as such and as intervals, summed. */
#ifndef BRUME_MODELS_NOTE_MODEL_H
#define BRUME_MODELS_NOTE_MODEL_H

#include "dsp/error.h"
#include "models/note_tokens.h"
#include "models/parameters.h"
#include "models/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct NoteConfig {
    size_t width;  /* 8..1024, a multiple of 2 * heads */
    size_t heads;  /* 1..64 */
    size_t layers; /* 1..16 */
    size_t hidden; /* of the perceptrons, 8..4096 */
    size_t reach;  /* notes that one attends to, 2..1024 */
} NoteConfig;

/* Shape and parameters; the values live with the caller, so any number of threads may share it. */
typedef struct NoteModel NoteModel;

/* 160 wide, 4 heads, 4 layers, 512 hidden, 128 notes of reach. */
NoteConfig note_config_default(void);

NoteModel *note_model_create(const NoteConfig *config, Error *err);
void note_model_destroy(NoteModel *model);
const NoteConfig *note_model_config(const NoteModel *model);
const Parameters *note_model_parameters(const NoteModel *model);

/* Memory of a pass over up to rows rows. One thread at a time. */
typedef struct NotePass NotePass;

/* `windows` sequences of `frames` tokens each. Training keeps what backward needs. */
NotePass *note_pass_create(const NoteModel *model, size_t windows, size_t frames, bool training,
                           Error *err);
void note_pass_destroy(NotePass *pass);

/* Dropout (Srivastava et al. 2014) of what each layer adds, with a mask drawn from (seed, stream).
 */
typedef struct NoteDropout {
    double share; /* 0..0.9 */
    uint64_t seed, stream;
} NoteDropout;

/* Sums of -ln p over what was predicted, in nats. */
typedef struct NoteLoss {
    double pitch, step, length, end; /* `end`: of the end token, where it stands */
    size_t notes, ends;
} NoteLoss;

/* tokens (windows, frames + 1): the first `frames` of a window are the input, the last `frames` the
 * targets. A token of pitch NOTE_END as a target is the end of the tune; what comes after it, or
 * after a token of pitch NOTE_NONE, does not count. weights (parameters_size,). With gradients,
 * these are added to: of the mean loss over the predicted notes, and of the end tokens. */
NoteLoss note_model_loss(NotePass *pass, const real *weights, const NoteToken *tokens,
                         const NoteDropout *dropout, real *gradients);

/* Probabilities, one note after the other, with the keys and values of the notes before kept in a
 * ring: constant time and memory for each note. One thread at a time; audio must not wait for it
 * (BLAS), but nothing allocates after creation. `weights` must outlive it. */
typedef struct NoteDecoder NoteDecoder;

NoteDecoder *note_decoder_create(const NoteModel *model, const real *weights, Error *err);
void note_decoder_destroy(NoteDecoder *decoder);

/* Forgets all notes. */
void note_decoder_reset(NoteDecoder *decoder);

/* Takes the next token: a mark first, then notes. */
void note_decoder_push(NoteDecoder *decoder, NoteToken token);

/* Logits for what follows: pitches (NOTE_PITCHES + 1,), the last for the end; steps (NOTE_STEPS,)
 * given a pitch below NOTE_PITCHES; lengths (NOTE_LENGTHS,) given pitch and step. After a push. */
void note_decoder_pitches(NoteDecoder *decoder, real *logits);
void note_decoder_steps(NoteDecoder *decoder, unsigned pitch, real *logits);
void note_decoder_lengths(NoteDecoder *decoder, unsigned pitch, unsigned step, real *logits);

#endif
