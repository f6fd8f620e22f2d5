/* Which tiers of a melody model a folder of tunes can train, and what had better be known before.
 */
#ifndef BRUME_CLI_MELODY_PLAN_H
#define BRUME_CLI_MELODY_PLAN_H

#include "cli/melody_folder.h"

typedef struct MelodyPlan {
    bool notes,
        samples; /* which are trained; what is not stays as it is in the model started from */
} MelodyPlan;

/* Trains all tiers that there is anything for; from nothing that is both. Notes that were only
 * heard, and are too few, train nothing where there is a model to keep. Says on standard error what
 * stays as it is, where there is little to learn from, and where nothing is left to validate on.
 * At least one tier is trained. */
MelodyPlan melody_plan_make(const MelodyFolder *found, bool from_model);

#endif
