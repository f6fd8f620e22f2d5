#include "cli/train_guard.h"

#include "cli/interrupt.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct TrainGuard {
    TextureTrainer *trainer;
    const char *checkpoint;
    pthread_t thread;
    atomic_bool ended;
    int outcome; /* what train_guard_end returns */
    Error err;
};

/* A signal handler can do no more than set a flag, so somebody has to look at it. */
static void *watch(void *user)
{
    TrainGuard *guard = user;
    const struct timespec pause = {.tv_nsec = 20000000};
    while (!atomic_load(&guard->ended) && !interrupt_requested())
        nanosleep(&pause, NULL);
    if (interrupt_requested())
        guard->outcome =
            texture_trainer_save(guard->trainer, guard->checkpoint, &guard->err) ? -1 : 1;
    return NULL;
}

TrainGuard *train_guard_create(TextureTrainer *trainer, const char *checkpoint, Error *err)
{
    TrainGuard *guard = calloc(1, sizeof *guard);
    if (guard) {
        guard->trainer = trainer;
        guard->checkpoint = checkpoint;
        if (!pthread_create(&guard->thread, NULL, watch, guard))
            return guard;
    }
    free(guard);
    error_set(err, "a thread cannot be started");
    return NULL;
}

int train_guard_end(TrainGuard *guard, Error *err)
{
    if (!guard)
        return 0;
    atomic_store(&guard->ended, true);
    pthread_join(guard->thread, NULL);
    const int outcome = guard->outcome;
    if (outcome < 0)
        error_set(err, "%s", guard->err.message);
    free(guard);
    return outcome;
}
