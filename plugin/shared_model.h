/* Models shared by all instances in a process: the same file is opened once. */
#ifndef BRUME_PLUGIN_SHARED_MODEL_H
#define BRUME_PLUGIN_SHARED_MODEL_H

#include "dsp/error.h"
#include "models/melody_model.h"
#include "models/texture_model.h"

typedef struct SharedModel SharedModel;

typedef enum { SHARED_TEXTURE, SHARED_MELODY, SHARED_KINDS } SharedKind;

/* Opens and checks a model file of that kind, or finds it open already (same device, inode, size
 * and time of change). NULL with a message. Takes a lock and reads files: never on the audio
 * thread. */
SharedModel *shared_model_open(const char *path, SharedKind kind, Error *err);

/* Another reference to it. Any thread but the audio thread. */
SharedModel *shared_model_keep(SharedModel *model);

/* Gives a reference back; the last one frees the model. NULL is allowed. Not on the audio thread.
 */
void shared_model_release(SharedModel *model);

/* Any thread while a reference is held. The model is NULL if it is of the other kind. */
const TextureModel *shared_model_texture(const SharedModel *model);
const MelodyModel *shared_model_melody(const SharedModel *model);
const char *shared_model_path(const SharedModel *model);

/* SHA-256 of the file, 64 hexadecimal digits: how a session knows its models again elsewhere. */
const char *shared_model_hash(const SharedModel *model);

#endif
