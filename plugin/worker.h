/* Models come and go: run() asks the host's worker, which opens and checks the file, and what comes
 * of it goes back to run(), which hands the model to the generator. What run() has done with is
 * freed by the worker too. */
#ifndef BRUME_PLUGIN_WORKER_H
#define BRUME_PLUGIN_WORKER_H

#include "plugin/instance.h"

/* Audio thread: the player chooses a model of that kind; `path` has `length` < CHOICE_PATH bytes,
 * none for the default model. What goes wrong is in the status. */
void worker_load(Brume *self, SharedKind kind, const char *path, size_t length);

/* Audio thread, once a block: takes what came in, and sends off what is to be freed. */
void worker_follow(Brume *self);

/* Not on the audio thread: a session's choice, through `schedule`, or here and now without one. */
void worker_restore(Brume *self, const Choice *choice, const LV2_Worker_Schedule *schedule);

/* Not on the audio thread: save() may look into this texture model, of which a reference is kept.
 */
void worker_know(Brume *self, SharedModel *model);

/* While nothing of the instance runs: takes what came in, as if it had been there from the start.
 * Returns true if another texture model is to be played. The slots' `playing` hold what is in
 * force, which the generator is yet to be given. */
bool worker_settle(Brume *self);

/* While nothing of the instance runs, at its end. */
void worker_clear(Brume *self);

/* For extension_data. */
const LV2_Worker_Interface *worker_interface(void);

#endif
