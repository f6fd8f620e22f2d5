/* Recordings as takes of a corpus: analysed while they are read, so that an hour of sound needs
 * memory for its features alone. */
#ifndef BRUME_CLI_SOUND_TAKES_H
#define BRUME_CLI_SOUND_TAKES_H

#include "cli/sound_stream.h"
#include "dsp/analysis.h"
#include "models/corpus.h"
#include "models/texture_model.h"

/* What an analysis needs at hand; not this module's. */
typedef struct TakeTools {
    const TextureConfig *config;
    const Bands *bands;
    Stft *stft; /* of config->frame */
} TakeTools;

/* Adds a part of a recording to a class: of two channels that differ left, right and middle, of two
 * of which one is silent the other one. *seconds becomes its length. -1 with the reason, and
 * nothing added, unless memory ran out between the three. */
int sound_takes_add(const TakeTools *tools, Corpus *corpus, size_t class_index,
                    const char *recording, SoundStream *stream, size_t part, double *seconds,
                    Error *err);

/* Adds it as a variant: one channel, faster by `speed`, louder by `gain`. */
int sound_takes_add_variant(const TakeTools *tools, Corpus *corpus, size_t class_index,
                            const char *recording, SoundStream *stream, size_t part,
                            const SoundWanted *wanted, Error *err);

#endif
