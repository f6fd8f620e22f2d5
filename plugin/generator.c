#include "plugin/generator_parts.h"

#include "dsp/invert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sound that is kept ready. */
static const double TARGET_SECONDS = 1.5;
enum { PIECE = 256 };

/* How far snapshots of the stream reach back: the store, what a resampler must have heard, a block.
 */
static const double REACH_SECONDS = 2.9;

/* What is gone on with from a session may stand right before a chunk: so much is made before it is
 * heard, that the next one is there in time. */
static const double READY_SECONDS = 0.6;

/* So long after a knob has moved nothing is made beyond that: it may move again. */
static const double CALM_SECONDS = 0.5;

/* How long the thread sleeps when there is nothing to do. */
static const long IDLE_NS = 4000000;

double generator_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void generator_sleep(long nanoseconds)
{
    nanosleep(&(struct timespec){0, nanoseconds}, NULL);
}

static Playback *create_playback(Generator *generator, SharedModel *model,
                                 const TextureSettings *settings, Error *err)
{
    const TextureModel *texture = shared_model_texture(model);
    const double blocks = REACH_SECONDS * (double)texture_model_config(texture)->rate /
                          (INVERTER_BLOCK * (double)texture_model_hop(texture));
    return playback_create(texture, settings, 2, generator->rate, (size_t)ceil(blocks),
                           &generator->cancel, err);
}

Generator *generator_create(double rate, SharedModel *model, const char *melody,
                            const TextureSettings *settings, Error *err)
{
    Generator *generator = calloc(1, sizeof *generator);
    if (!generator) {
        error_set(err, "out of memory for the generator");
        return NULL;
    }
    if (pthread_mutex_init(&generator->busy, NULL)) {
        free(generator);
        error_set(err, "the system refuses a lock: no sound can be made");
        return NULL;
    }
    generator->rate = rate;
    generator->settings = generator->wanted = *settings;
    generator->lanes = lanes_create(rate, TARGET_SECONDS + 0.5, err);
    generator->hearing = generator->lanes ? hearing_create(rate, err) : NULL;
    if (generator->hearing && model)
        generator->playback = create_playback(generator, model, settings, err);
    if (generator->hearing && melody && !(generator->melody_path = strdup(melody)))
        error_set(err, "out of memory for a path");
    if (!generator->hearing || (model && !generator->playback) ||
        (melody && !generator->melody_path)) {
        generator_destroy(generator);
        return NULL;
    }
    generator->model = model;
    atomic_store(&generator->mute, !model);
    generator->redo_seconds = 0.08;
    return generator;
}

static void release_commands(Generator *generator)
{
    Command command;
    while (commands_take(&generator->commands, &command))
        if (command.kind == COMMAND_SWAP || command.kind == COMMAND_MELODY)
            shared_model_release(command.model);
    shared_model_release(generator->request.model);
    generator->request = (Request){.there = false};
}

void generator_destroy(Generator *generator)
{
    if (!generator)
        return;
    generator_stop(generator);
    release_commands(generator);
    reviving_clear(generator);
    pthread_mutex_destroy(&generator->busy);
    recital_destroy(generator->recital);
    transform_playback_destroy(generator->transform);
    playback_destroy(generator->playback);
    hearing_destroy(generator->hearing);
    lanes_destroy(generator->lanes);
    shared_model_release(generator->model);
    shared_model_release(generator->melody);
    shared_model_release(generator->reciting);
    free(generator->melody_path);
    free(generator);
}

void generator_take_commands(Generator *generator)
{
    Request *request = &generator->request;
    Command command;
    while (commands_take(&generator->commands, &command)) {
        if (command.kind == COMMAND_MELODY) {
            generator_put_melody(generator, command.model);
            continue;
        }
        if (command.kind == COMMAND_SWAP) {
            shared_model_release(request->model);
            request->model = command.model;
        }
        if (request->there)
            commands_merge(&request->command, &command);
        else
            request->command = command;
        request->there = true;
    }
}

/* Whether there is anything to play at the moment. */
static bool has_source(const Generator *generator)
{
    switch (generator->source) {
    case SOURCE_ANSWER:
        return generator->recital != NULL;
    case SOURCE_TRANSFORM:
        return generator->transform != NULL;
    case SOURCE_TEXTURE:
        break;
    }
    return generator->playback != NULL;
}

/* Before anything is offered: a reader that waits must know whether more will come. */
static void tell_source(Generator *generator)
{
    atomic_store(&generator->mute, !has_source(generator));
}

/* Writes the next piece of sound into the lane turned to. -1 when cancelled. */
static int write_piece(Generator *generator)
{
    float piece[2 * PIECE];
    if (generator->source == SOURCE_ANSWER ? recital_read(generator->recital, piece, PIECE, NULL)
                                           : playback_read(generator->playback, piece, PIECE, NULL))
        return -1;
    lanes_write(generator->lanes, piece, PIECE);
    return 0;
}

int generator_write_least(Generator *generator)
{
    while (lanes_waiting(generator->lanes) < lanes_least(generator->lanes))
        if (write_piece(generator))
            return -1;
    return 0;
}

/* How far the play head is past a lane's first frame. */
static size_t behind(const Generator *generator, uint64_t start)
{
    const uint64_t horizon = lanes_horizon(generator->lanes);
    return horizon > start ? (size_t)(horizon - start) : 0;
}

/* The same from where the play head is by now, should it have passed the lane's first frame: what
 * lies behind it is passed over. A thread too slow to catch up stops at the target. */
static int write_least_ahead(Generator *generator, uint64_t start)
{
    const size_t least = lanes_least(generator->lanes);
    const size_t most = (size_t)(TARGET_SECONDS * generator->rate);
    while (lanes_waiting(generator->lanes) < least + behind(generator, start) &&
           lanes_waiting(generator->lanes) < most)
        if (write_piece(generator))
            return -1;
    return 0;
}

/* The same stream with other settings, from just past the play head: from where that will be when
 * the sound is there, as it mostly is. Sooner, it waits for the play head; later, it is heard as
 * soon as there is enough of it. */
static int redo(Generator *generator, const Command *command)
{
    const double begin = generator_seconds(CLOCK_MONOTONIC);
    uint64_t from = command->from;
    if (from == COMMAND_SOON)
        from =
            lanes_horizon(generator->lanes) + (uint64_t)(generator->redo_seconds * generator->rate);
    const uint64_t start = playback_redo(generator->playback, &command->settings, from);
    lanes_begin(generator->lanes, start);
    if (command->from == COMMAND_SOON ? write_least_ahead(generator, start)
                                      : generator_write_least(generator))
        return -1;
    lanes_offer(generator->lanes, LANES_ALIGNED, command->serial);
    if (start == 0)
        return 0; /* from the very beginning there is no short way, and nothing to learn */
    const double took = generator_seconds(CLOCK_MONOTONIC) - begin;
    generator->redo_seconds += 0.25 * (fmin(0.3, fmax(0.02, took)) - generator->redo_seconds);
    return 0;
}

static int restart(Generator *generator, const Command *command)
{
    playback_restart(generator->playback, &command->settings);
    lanes_begin(generator->lanes, 0);
    if (generator_write_least(generator))
        return -1;
    lanes_offer(generator->lanes, command->hard ? LANES_HARD : LANES_ANEW, command->serial);
    return 0;
}

/* Goes on where a session was saved, unless another model or seed was asked for meanwhile. */
static int resume(Generator *generator, const Command *command)
{
    const bool same = generator->resumed && command->settings.seed == generator->settings.seed;
    const size_t ready = (size_t)(READY_SECONDS * generator->rate);
    generator->resumed = false;
    if (!generator->playback)
        return 0;
    if (!same)
        return restart(generator, command);
    uint64_t from = playback_position(generator->playback);
    if (!texture_settings_same(&command->settings, &generator->settings))
        from = playback_redo(generator->playback, &command->settings, from);
    lanes_begin(generator->lanes, from);
    while (lanes_waiting(generator->lanes) < ready)
        if (write_piece(generator))
            return -1;
    lanes_offer(generator->lanes, LANES_ANEW, command->serial);
    return 0;
}

/* Takes over the model that was asked for. Settings that were meant for another one may not fit it:
 * then its defaults. */
static void install(Generator *generator)
{
    SharedModel *model = generator->request.model;
    Command *command = &generator->request.command;
    generator->request.model = NULL;
    Playback *playback = create_playback(generator, model, &command->settings, NULL);
    if (!playback) {
        const uint64_t seed = command->settings.seed;
        command->settings = texture_settings_default();
        command->settings.seed = seed;
        playback = create_playback(generator, model, &command->settings, NULL);
    }
    if (!playback) {
        shared_model_release(model);
        command->settings = generator->settings;
        return;
    }
    playback_destroy(generator->playback);
    generator->resumed = false;
    if (generator->source == SOURCE_TRANSFORM) /* it reads the old model */
        generator_change_source(generator, SOURCE_TRANSFORM, NULL, NULL);
    shared_model_release(generator->model);
    generator->playback = playback;
    generator->model = model;
    tell_source(generator);
}

void generator_change_source(Generator *generator, Source source, Recital *recital,
                             TransformPlayback *transform)
{
    SharedModel *before = generator->reciting;
    recital_destroy(generator->recital);
    transform_playback_destroy(generator->transform);
    generator->reciting = recital ? shared_model_keep(generator->melody) : NULL;
    shared_model_release(before);
    generator->recital = recital;
    generator->transform = transform;
    generator->source = source;
    tell_source(generator);
}

/* Does what a command says. -1 when cancelled. */
static int act(Generator *generator, Command *command)
{
    switch (command->kind) {
    case COMMAND_LISTEN:
        generator_change_source(generator, SOURCE_ANSWER, NULL, NULL);
        atomic_store(&generator->said, GENERATOR_LISTENS);
        generator_open_melody(generator);
        return 0;
    case COMMAND_ANSWER:
        generator_open_melody(generator);
        return generator_answer_heard(generator, command);
    case COMMAND_RESTART:
        generator_change_source(generator, SOURCE_TEXTURE, NULL, NULL);
        atomic_store(&generator->said, GENERATOR_LISTENS);
        return generator->playback ? restart(generator, command) : 0;
    case COMMAND_TRANSFORM:
        return transforming_begin(generator, command);
    case COMMAND_RESUME:
        return generator->revival.there ? reviving_begin(generator, command)
                                        : resume(generator, command);
    case COMMAND_SWAP:
        if (generator->source == SOURCE_TRANSFORM)
            return transforming_swap(generator, command);
        return generator->playback && generator->source == SOURCE_TEXTURE
                   ? restart(generator, command)
                   : 0;
    case COMMAND_MELODY: /* done when it was taken */
    case COMMAND_SET:
        break;
    }
    if (generator->source == SOURCE_TRANSFORM)
        transforming_set(generator, command);
    if (!generator->playback || generator->source != SOURCE_TEXTURE)
        return 0;
    return command->settings.seed == generator->settings.seed ? redo(generator, command)
                                                              : restart(generator, command);
}

/* Does what was asked. If something cancels it, what was asked stands, merged with what came. */
static void obey(Generator *generator)
{
    Command *command = &generator->request.command;
    atomic_store(&generator->filling, false);
    atomic_store(&generator->cancel, atomic_load(&generator->quit));
    if (generator->request.model)
        install(generator);
    if (act(generator, command)) {
        lanes_abandon(generator->lanes);
        generator->broken = true;
    } else {
        generator->settings = command->settings;
        generator->strength = command->strength;
        generator->request.there = false;
        generator->broken = false;
        atomic_store(&generator->settled, command->serial);
    }
    atomic_store(&generator->filling, true);
    generator->obeyed = generator_seconds(CLOCK_MONOTONIC);
}

/* With enough ready, the next chunk is begun, a step at a time, so that it does not cost much at
 * once when it is needed. True if there was something to do. */
static bool prepare(Generator *generator)
{
    return generator->source == SOURCE_TEXTURE &&
           generator_seconds(CLOCK_MONOTONIC) - generator->obeyed > CALM_SECONDS &&
           playback_prepare(generator->playback, NULL) == 0;
}

/* After a cancelled chunk without a command: the same sound again, from where it broke off. */
static void mend(Generator *generator)
{
    atomic_store(&generator->cancel, atomic_load(&generator->quit));
    playback_redo(generator->playback, &generator->settings,
                  playback_position(generator->playback));
    generator->broken = false;
}

/* One round of the thread's loop; true if there was something to do. */
static bool work(Generator *generator)
{
    /* Before the commands: those that came before a frame was heard are known when it is used. */
    if (generator->source != SOURCE_TEXTURE)
        hearing_take(generator->hearing);
    generator_take_commands(generator);
    if (generator->request.there && lanes_spare(generator->lanes)) {
        obey(generator);
        return true;
    }
    if (!has_source(generator) || (generator->broken && generator->request.there))
        return false;
    if (generator->source == SOURCE_TRANSFORM)
        return transforming_work(generator);
    if (generator->broken && generator->source == SOURCE_TEXTURE)
        mend(generator);
    const size_t target = (size_t)(TARGET_SECONDS * generator->rate);
    if (lanes_waiting(generator->lanes) + PIECE > target)
        return prepare(generator);
    if (write_piece(generator))
        generator->broken = true;
    return true;
}

/* Share of a core over the last second or so. */
static void measure_load(Generator *generator, double *wall, double *cpu)
{
    const double now = generator_seconds(CLOCK_MONOTONIC);
    if (now - *wall < 1.0)
        return;
    const double used = generator_seconds(CLOCK_THREAD_CPUTIME_ID);
    atomic_store_explicit(&generator->load, (float)((used - *cpu) / (now - *wall)),
                          memory_order_relaxed);
    *wall = now;
    *cpu = used;
}

static void *run_thread(void *user)
{
    Generator *generator = user;
    double wall = generator_seconds(CLOCK_MONOTONIC), cpu = 0.0;
    while (!atomic_load(&generator->quit)) {
        pthread_mutex_lock(&generator->busy);
        const bool did = work(generator);
        pthread_mutex_unlock(&generator->busy);
        if (!did || atomic_load(&generator->visitors) > 0)
            generator_sleep(IDLE_NS);
        measure_load(generator, &wall, &cpu);
    }
    return NULL;
}

/* What was asked for before the thread ended is void: it was meant for what sounded then. But a
 * model that was taken over is the one to play. */
static void start_over(Generator *generator)
{
    generator_change_source(generator, SOURCE_TEXTURE, NULL, NULL);
    generator_take_commands(generator);
    generator->request.there = generator->is_late = false;
    generator->request.command.settings = generator->wanted;
    if (generator->request.model)
        install(generator);
    generator->settings = generator->request.command.settings;
    generator->strength = generator->wanted_strength;
    if (generator->playback && !generator->resumed)
        playback_restart(generator->playback, &generator->settings);
    if (generator->playback && generator->resumed)
        lanes_place(generator->lanes, playback_position(generator->playback));
}

int generator_start(Generator *generator, Error *err)
{
    if (generator->started)
        return 0;
    atomic_store(&generator->quit, false);
    atomic_store(&generator->cancel, false);
    atomic_store(&generator->filling, true);
    lanes_reset(generator->lanes);
    hearing_reset(generator->hearing);
    start_over(generator);
    atomic_store(&generator->said, GENERATOR_LISTENS);
    generator->broken = generator->waiting = generator->listens = generator->asked = false;
    atomic_store(&generator->unhurried, false);
    generator->transforms = false;
    generator->since = generator->rest = 0;
    if (generator->revival.there || generator->resumed)
        reviving_await(generator);
    if (pthread_create(&generator->thread, NULL, run_thread, generator))
        return error_set(err, "the system refuses a thread: no sound can be made");
    generator->started = true;
    return 0;
}

void generator_stop(Generator *generator)
{
    if (!generator->started)
        return;
    atomic_store(&generator->quit, true);
    atomic_store(&generator->cancel, true);
    pthread_join(generator->thread, NULL);
    generator->started = false;
}
