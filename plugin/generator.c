#include "plugin/generator.h"

#include "models/playback.h"
#include "plugin/commands.h"
#include "plugin/lanes.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sound that is kept ready; snapshots of the stream reach as far back. */
static const double TARGET_SECONDS = 1.5;
enum { PIECE = 256, REWINDS = 16 };

/* So long after a knob has moved nothing is made beyond that: it may move again. */
static const double CALM_SECONDS = 0.5;

/* How long the thread sleeps when there is nothing to do, and the reader while it waits. */
static const long IDLE_NS = 4000000, WAIT_NS = 300000;

/* A waiting reader gives up after this long without a frame. */
static const double GIVE_UP_SECONDS = 20.0;

/* What the thread is asked to do next. */
typedef struct Request {
    bool there;
    Command command;
} Request;

struct Generator {
    double rate;
    Lanes *lanes;
    Commands commands;

    /* The thread's own while it runs. */
    SharedModel *model;
    Playback *playback; /* NULL while there is no model */
    TextureSettings settings;
    Request request;
    bool broken;         /* the sound after what was written is lost: it must be made again */
    double redo_seconds; /* how long making the sound again takes, on average */
    double obeyed;       /* when something was last asked */

    /* The audio thread's own. */
    TextureSettings wanted; /* settings last posted */
    Command late;           /* one that found no room, `is_late` */
    bool is_late, waiting;
    uint64_t serial;  /* of the last command */
    uint64_t awaited; /* while waiting: serial of the command to be heard from this frame on */

    pthread_t thread;
    bool started;
    atomic_bool quit, cancel, filling;
    atomic_bool mute; /* there is no model to play */
    _Atomic uint64_t
        settled; /* serial of the last command that was answered, with an offer or not */
    _Atomic float load;
};

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void sleep_for(long nanoseconds)
{
    nanosleep(&(struct timespec){0, nanoseconds}, NULL);
}

static Playback *create_playback(Generator *generator, SharedModel *model,
                                 const TextureSettings *settings, Error *err)
{
    return playback_create(shared_model_texture(model), settings, 2, generator->rate, REWINDS,
                           &generator->cancel, err);
}

Generator *generator_create(double rate, SharedModel *model, const TextureSettings *settings,
                            Error *err)
{
    Generator *generator = calloc(1, sizeof *generator);
    if (!generator) {
        error_set(err, "out of memory for the generator");
        return NULL;
    }
    generator->rate = rate;
    generator->settings = generator->wanted = *settings;
    generator->lanes = lanes_create(rate, TARGET_SECONDS + 0.5, err);
    if (generator->lanes && model)
        generator->playback = create_playback(generator, model, settings, err);
    if (!generator->lanes || (model && !generator->playback)) {
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
        if (command.kind == COMMAND_SWAP)
            shared_model_release(command.model);
    if (generator->request.there && generator->request.command.model)
        shared_model_release(generator->request.command.model);
    generator->request.there = false;
}

void generator_destroy(Generator *generator)
{
    if (!generator)
        return;
    generator_stop(generator);
    release_commands(generator);
    playback_destroy(generator->playback);
    lanes_destroy(generator->lanes);
    shared_model_release(generator->model);
    free(generator);
}

/* Later commands overrule earlier ones, but a new stream stays a new stream, and the last model
 * stays the last. */
static void merge(Request *request, const Command *command)
{
    Command *before = &request->command;
    if (!request->there) {
        *before = *command;
    } else if (command->kind == COMMAND_SWAP) {
        const bool hard = before->hard;
        if (before->kind == COMMAND_SWAP)
            shared_model_release(before->model);
        *before = *command;
        before->hard = hard;
    } else {
        before->settings = command->settings;
        before->from = command->from;
        before->serial = command->serial;
        before->hard = before->hard || command->hard;
        if (command->kind > before->kind)
            before->kind = command->kind;
    }
    request->there = true;
}

static void take_commands(Generator *generator)
{
    Command command;
    while (commands_take(&generator->commands, &command))
        merge(&generator->request, &command);
}

/* Writes the next piece of sound into the lane turned to. -1 when cancelled. */
static int write_piece(Generator *generator)
{
    float piece[2 * PIECE];
    if (playback_read(generator->playback, piece, PIECE, NULL))
        return -1;
    lanes_write(generator->lanes, piece, PIECE);
    return 0;
}

static int write_least(Generator *generator)
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
    const double begin = seconds_of(CLOCK_MONOTONIC);
    uint64_t from = command->from;
    if (from == COMMAND_SOON)
        from =
            lanes_horizon(generator->lanes) + (uint64_t)(generator->redo_seconds * generator->rate);
    const uint64_t start = playback_redo(generator->playback, &command->settings, from);
    lanes_begin(generator->lanes, start);
    if (command->from == COMMAND_SOON ? write_least_ahead(generator, start)
                                      : write_least(generator))
        return -1;
    lanes_offer(generator->lanes, LANES_ALIGNED, command->serial);
    if (start == 0)
        return 0; /* from the very beginning there is no short way, and nothing to learn */
    const double took = seconds_of(CLOCK_MONOTONIC) - begin;
    generator->redo_seconds += 0.25 * (fmin(0.3, fmax(0.02, took)) - generator->redo_seconds);
    return 0;
}

static int restart(Generator *generator, const Command *command)
{
    playback_restart(generator->playback, &command->settings);
    lanes_begin(generator->lanes, 0);
    if (write_least(generator))
        return -1;
    lanes_offer(generator->lanes, command->hard ? LANES_HARD : LANES_ANEW, command->serial);
    return 0;
}

/* Settings that were meant for another model may not fit this one: then its defaults. */
static int swap(Generator *generator, Command *command)
{
    Playback *playback = create_playback(generator, command->model, &command->settings, NULL);
    if (!playback) {
        const uint64_t seed = command->settings.seed;
        command->settings = texture_settings_default();
        command->settings.seed = seed;
        playback = create_playback(generator, command->model, &command->settings, NULL);
    }
    if (!playback) {
        shared_model_release(command->model);
        command->settings = generator->settings;
        return 0;
    }
    playback_destroy(generator->playback);
    shared_model_release(generator->model);
    generator->playback = playback;
    generator->model = command->model;
    atomic_store(&generator->mute, false);
    /* From here on it is a new stream of the model that is there. */
    command->kind = COMMAND_RESTART;
    command->model = NULL;
    return restart(generator, command);
}

/* Does what was asked. If something cancels it, what was asked stands, merged with what came. */
static void obey(Generator *generator)
{
    Command *command = &generator->request.command;
    int failed = 0;
    atomic_store(&generator->filling, false);
    atomic_store(&generator->cancel, atomic_load(&generator->quit));
    if (command->kind == COMMAND_SWAP)
        failed = swap(generator, command);
    else if (generator->playback)
        failed = command->kind == COMMAND_SET && command->settings.seed == generator->settings.seed
                     ? redo(generator, command)
                     : restart(generator, command);
    if (failed) {
        lanes_abandon(generator->lanes);
        generator->broken = true;
    } else {
        generator->settings = command->settings;
        generator->request.there = false;
        generator->broken = false;
        atomic_store(&generator->settled, command->serial);
    }
    atomic_store(&generator->filling, true);
    generator->obeyed = seconds_of(CLOCK_MONOTONIC);
}

/* With enough ready, the next chunk is begun, a step at a time, so that it does not cost much at
 * once when it is needed. True if there was something to do. */
static bool prepare(Generator *generator)
{
    return seconds_of(CLOCK_MONOTONIC) - generator->obeyed > CALM_SECONDS &&
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
    take_commands(generator);
    if (generator->request.there && lanes_spare(generator->lanes)) {
        obey(generator);
        return true;
    }
    if (!generator->playback || (generator->broken && generator->request.there))
        return false;
    if (generator->broken)
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
    const double now = seconds_of(CLOCK_MONOTONIC);
    if (now - *wall < 1.0)
        return;
    const double used = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    atomic_store_explicit(&generator->load, (float)((used - *cpu) / (now - *wall)),
                          memory_order_relaxed);
    *wall = now;
    *cpu = used;
}

static void *run_thread(void *user)
{
    Generator *generator = user;
    double wall = seconds_of(CLOCK_MONOTONIC), cpu = 0.0;
    while (!atomic_load(&generator->quit)) {
        if (!work(generator))
            sleep_for(IDLE_NS);
        measure_load(generator, &wall, &cpu);
    }
    return NULL;
}

int generator_start(Generator *generator, Error *err)
{
    if (generator->started)
        return 0;
    atomic_store(&generator->quit, false);
    atomic_store(&generator->cancel, false);
    atomic_store(&generator->filling, true);
    lanes_reset(generator->lanes);
    generator->broken = generator->waiting = false;
    if (generator->playback)
        playback_restart(generator->playback, &generator->settings);
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

/* Whether a waiting reader should go on: the thread runs, and it is not yet too long. */
static bool patient(const Generator *generator, double begin)
{
    if (!generator->started || seconds_of(CLOCK_MONOTONIC) - begin > GIVE_UP_SECONDS)
        return false;
    sleep_for(WAIT_NS);
    return true;
}

/* For a waiting reader, before a command interrupts the thread: until there is enough to fade out
 * from. How far ahead the thread has come must make no difference to an export. */
static void await_fade(const Generator *generator)
{
    const double begin = seconds_of(CLOCK_MONOTONIC);
    while (generator->waiting && !atomic_load(&generator->mute) &&
           lanes_ahead(generator->lanes) < lanes_least(generator->lanes) &&
           patient(generator, begin)) {
    }
}

/* Posts a command and interrupts the chunk that it makes stale. False if there is no room. */
static bool try_post(Generator *generator, const Command *command)
{
    if (!commands_post(&generator->commands, command))
        return false;
    /* A lane that is offered but not yet taken must go on being filled. */
    if (atomic_load(&generator->filling) && lanes_spare(generator->lanes))
        atomic_store(&generator->cancel, true);
    return true;
}

/* The same, with the next block if there is no room now. A late restart is not undone by settings
 * that come later. */
static void post(Generator *generator, Command command)
{
    if (!command.hard)
        await_fade(generator);
    command.serial = ++generator->serial;
    if (generator->is_late && generator->late.kind > command.kind)
        command.kind = generator->late.kind;
    generator->late = command;
    generator->is_late = !try_post(generator, &command);
}

static void post_late(Generator *generator)
{
    if (generator->is_late)
        generator->is_late = !try_post(generator, &generator->late);
}

static bool same_settings(const TextureSettings *a, const TextureSettings *b)
{
    return a->seed == b->seed && a->sampler == b->sampler && a->steps == b->steps &&
           a->width == b->width && !memcmp(a->mix, b->mix, sizeof a->mix);
}

void generator_set(Generator *generator, const TextureSettings *settings)
{
    if (same_settings(settings, &generator->wanted))
        return;
    generator->wanted = *settings;
    if (!generator->started) {
        generator->settings = *settings;
        return;
    }
    post(generator,
         (Command){.kind = COMMAND_SET,
                   .settings = *settings,
                   .from = generator->waiting ? lanes_position(generator->lanes) : COMMAND_SOON});
    generator->awaited = generator->serial;
}

void generator_restart(Generator *generator, const TextureSettings *settings, uint32_t wait,
                       bool hush)
{
    generator->wanted = *settings;
    post(generator, (Command){.kind = COMMAND_RESTART, .settings = *settings});
    generator->awaited = generator->serial;
    lanes_hold(generator->lanes, generator->serial, wait);
    if (hush)
        lanes_hush(generator->lanes, generator->serial);
}

void generator_hold(Generator *generator, uint32_t wait)
{
    lanes_hold(generator->lanes, generator->awaited, wait);
}

bool generator_swap(Generator *generator, SharedModel *model, const TextureSettings *settings)
{
    await_fade(generator);
    const Command command = {.kind = COMMAND_SWAP,
                             .settings = *settings,
                             .model = model,
                             .serial = generator->serial + 1};
    if (generator->is_late || !try_post(generator, &command))
        return false;
    generator->awaited = ++generator->serial;
    generator->wanted = *settings;
    return true;
}

/* What was waited for in silence was answered without sound: then the old sound goes on. */
static void end_vain_hush(Generator *generator)
{
    const uint64_t hushed = lanes_hushed(generator->lanes);
    if (hushed > 0 && atomic_load(&generator->settled) >= hushed && lanes_spare(generator->lanes))
        lanes_hush(generator->lanes, 0);
}

void generator_read(Generator *generator, float *left, float *right, uint32_t n)
{
    post_late(generator);
    end_vain_hush(generator);
    generator->waiting = false;
    lanes_read(generator->lanes, left, right, n);
}

/* Until what the last command asked for is there, so that it is heard from this very frame on. */
static void await_command(Generator *generator)
{
    const double begin = seconds_of(CLOCK_MONOTONIC);
    while (lanes_offered(generator->lanes) < generator->awaited &&
           atomic_load(&generator->settled) < generator->awaited) {
        /* An older offer would keep the one that is waited for from coming. */
        lanes_settle(generator->lanes, generator->awaited);
        if (!patient(generator, begin))
            return;
        post_late(generator);
    }
    lanes_take(generator->lanes);
}

void generator_read_waiting(Generator *generator, float *left, float *right, uint32_t n, bool again)
{
    if (!generator->waiting || again) {
        generator->waiting = true;
        post(generator,
             (Command){.kind = COMMAND_RESTART, .hard = true, .settings = generator->wanted});
        generator->awaited = generator->serial;
    }
    await_command(generator);
    const double begin = seconds_of(CLOCK_MONOTONIC);
    for (uint32_t done = 0; done < n;) {
        const size_t got = lanes_read_there(generator->lanes, left + done, right + done, n - done);
        done += (uint32_t)got;
        if (got == 0 && (atomic_load(&generator->mute) || !patient(generator, begin))) {
            memset(left + done, 0, (n - done) * sizeof *left);
            memset(right + done, 0, (n - done) * sizeof *right);
            return;
        }
    }
}

GeneratorStatus generator_status(const Generator *generator)
{
    return (GeneratorStatus){
        .underruns = lanes_underruns(generator->lanes),
        .load = atomic_load_explicit(&generator->load, memory_order_relaxed),
        .buffered = (float)((double)lanes_buffered(generator->lanes) / generator->rate),
        .playing = lanes_playing(generator->lanes)};
}
