/* The audio thread's side of the generator: commands to it, and sound from it. */
#include "plugin/generator_parts.h"

#include <string.h>
#include <time.h>

/* No command has this serial: silence without end. */
#define NO_ANSWER UINT64_MAX

/* A waiting reader sleeps for so long at a time, and gives up after so long without a frame. */
static const long WAIT_NS = 300000;
static const double GIVE_UP_SECONDS = 20.0;

/* Whether a waiting reader should go on: the thread runs, and it is not yet too long. */
static bool patient(const Generator *generator, double begin)
{
    if (!generator->started || generator_seconds(CLOCK_MONOTONIC) - begin > GIVE_UP_SECONDS)
        return false;
    generator_sleep(WAIT_NS);
    return true;
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

static void post_late(Generator *generator)
{
    if (generator->is_late)
        generator->is_late = !try_post(generator, &generator->late);
}

/* Until what the last command asked for is there, so that it is heard from this very frame on. */
static void await_command(Generator *generator)
{
    const double begin = generator_seconds(CLOCK_MONOTONIC);
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

/* For a waiting reader, before another command: until the last one is heard, and there is enough to
 * fade out from. How far the thread has come must make no difference to an export. */
static void await_turn(Generator *generator)
{
    const double begin = generator_seconds(CLOCK_MONOTONIC);
    if (!generator->waiting)
        return;
    await_command(generator);
    /* Of what is transformed there is never more to fade out from than was heard. */
    while (!generator->transforms && !atomic_load(&generator->mute) &&
           lanes_ahead(generator->lanes) < lanes_least(generator->lanes) &&
           patient(generator, begin)) {
    }
}

/* The frame that other settings are to be heard from; or made of, where what comes in is
 * transformed. */
static uint64_t set_from(const Generator *generator)
{
    if (generator->transforms)
        return hearing_written(generator->hearing);
    return generator->waiting ? lanes_position(generator->lanes) : COMMAND_SOON;
}

/* Posts a command, with the next block if there is no room now. */
static void post(Generator *generator, Command command)
{
    if (!command.hard)
        await_turn(generator);
    if (command.kind == COMMAND_SET)
        command.from = set_from(generator);
    command.serial = ++generator->serial;
    if (generator->is_late)
        commands_merge(&generator->late, &command);
    else
        generator->late = command;
    generator->is_late = !try_post(generator, &generator->late);
    generator->awaited = generator->serial;
}

void generator_set(Generator *generator, const TextureSettings *settings, float strength)
{
    const bool as_strong = strength == generator->wanted_strength || !generator->transforms;
    generator->wanted_strength = strength;
    if (texture_settings_same(settings, &generator->wanted) && as_strong)
        return;
    generator->wanted = *settings;
    if (generator->started)
        post(generator,
             (Command){.kind = COMMAND_SET, .settings = *settings, .strength = strength});
}

void generator_restart(Generator *generator, const TextureSettings *settings, uint32_t wait,
                       bool hush)
{
    generator->wanted = *settings;
    post(generator, (Command){.kind = COMMAND_RESTART, .settings = *settings});
    generator->listens = generator->asked = generator->transforms = false;
    lanes_lose_time(generator->lanes);
    if (hush)
        lanes_hush(generator->lanes, generator->serial);
    lanes_hold(generator->lanes, generator->serial, wait);
}

void generator_listen(Generator *generator)
{
    post(generator, (Command){.kind = COMMAND_LISTEN, .settings = generator->wanted});
    generator->listens = true;
    generator->asked = generator->transforms = false;
    lanes_lose_time(generator->lanes);
    lanes_hush(generator->lanes, NO_ANSWER);
}

/* From frame `since` of the input on; frame `now` of the sound is read next. `end` as in a Command.
 */
static void post_transform(Generator *generator, uint64_t since, uint64_t now, uint64_t end,
                           bool hard)
{
    lanes_keep_time(generator->lanes, now);
    post(generator, (Command){.kind = COMMAND_TRANSFORM,
                              .hard = hard,
                              .settings = generator->wanted,
                              .strength = generator->wanted_strength,
                              .since = since,
                              .end = end});
    lanes_hush(generator->lanes, generator->serial);
}

void generator_transform(Generator *generator, const TextureSettings *settings, float strength,
                         uint32_t unread)
{
    const uint64_t written = hearing_written(generator->hearing);
    generator->wanted = *settings;
    generator->wanted_strength = strength;
    generator->listens = generator->asked = false;
    generator->transforms = true;
    generator->first = written;
    post_transform(generator, written, written - unread, 0, generator->waiting);
}

bool generator_hear(Generator *generator, const float *left, const float *right, uint32_t n)
{
    const double begin = generator_seconds(CLOCK_MONOTONIC);
    while (generator->waiting && hearing_room(generator->hearing) < n &&
           patient(generator, begin)) {
    }
    return hearing_write(generator->hearing, left, right, n);
}

void generator_forget(Generator *generator)
{
    generator->since = hearing_written(generator->hearing);
}

void generator_answer(Generator *generator, const ContinuationSettings *settings, uint32_t wait)
{
    const Command command = {.kind = COMMAND_ANSWER,
                             .settings = generator->wanted,
                             .melody = *settings,
                             .since = generator->since,
                             .end = hearing_written(generator->hearing)};
    const bool sounds = generator->asked && lanes_hushed(generator->lanes) == 0;
    generator->asked = true;
    generator->rest = wait;
    if (generator->waiting) {
        generator->answer = command;
        return;
    }
    post(generator, command);
    if (!sounds)
        lanes_hush(generator->lanes, generator->serial);
    lanes_hold(generator->lanes, generator->serial, wait);
}

void generator_hold(Generator *generator, uint32_t wait)
{
    lanes_hold(generator->lanes, generator->awaited, wait);
}

bool generator_swap(Generator *generator, SharedModel *model, const TextureSettings *settings)
{
    await_turn(generator);
    const Command command = {.kind = COMMAND_SWAP,
                             .settings = *settings,
                             .strength = generator->wanted_strength,
                             .model = model,
                             .serial = generator->serial + 1};
    if (generator->is_late || !try_post(generator, &command))
        return false;
    generator->awaited = ++generator->serial;
    generator->wanted = *settings;
    if (generator->transforms && lanes_hushed(generator->lanes) > 0)
        lanes_hush(generator->lanes, generator->serial);
    return true;
}

bool generator_melody(Generator *generator, SharedModel *model)
{
    const Command command = {.kind = COMMAND_MELODY, .model = model};
    return !generator->is_late && commands_post(&generator->commands, &command);
}

/* What was waited for in silence was answered without sound: then the old texture goes on, or the
 * silence. */
static void end_vain_hush(Generator *generator)
{
    const uint64_t hushed = lanes_hushed(generator->lanes);
    if (hushed > 0 && atomic_load(&generator->settled) >= hushed && lanes_spare(generator->lanes))
        lanes_hush(generator->lanes, generator->listens || generator->transforms ? NO_ANSWER : 0);
}

void generator_begin_block(Generator *generator, uint32_t frames, bool waits)
{
    if (waits)
        return;
    generator->waiting = false;
    atomic_store(&generator->unhurried, false);
    lanes_expect(generator->lanes, frames);
}

void generator_read(Generator *generator, float *left, float *right, uint32_t n)
{
    post_late(generator);
    end_vain_hush(generator);
    lanes_read(generator->lanes, left, right, n);
}

/* n frames, waited for; silence where nothing plays. */
static void read_there(Generator *generator, float *left, float *right, uint32_t n)
{
    const double begin = generator_seconds(CLOCK_MONOTONIC);
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

/* What is transformed begins with the n frames that were just heard. Where the host's transport
 * starts in the middle of an export, a host that knows of the latency has sent so much of the input
 * before: its sound is due now. */
static void begin_transform(Generator *generator, uint32_t n)
{
    const uint64_t now = hearing_written(generator->hearing) - n;
    const bool starts = generator->waiting;
    if (!starts)
        generator->first = now;
    post_transform(generator, generator->first, now, starts ? now : 0, true);
}

/* As at the very beginning, of which n frames were heard already if they are to be transformed. */
static void begin_waiting(Generator *generator, uint32_t n)
{
    atomic_store(&generator->unhurried, true);
    if (generator->transforms)
        begin_transform(generator, n);
    generator->waiting = true;
    generator->asked = false;
    if (generator->transforms)
        return;
    post(generator, (Command){.kind = generator->listens ? COMMAND_LISTEN : COMMAND_RESTART,
                              .hard = true,
                              .settings = generator->wanted});
}

void generator_read_waiting(Generator *generator, float *left, float *right, uint32_t n, bool again)
{
    if (!generator->waiting || again)
        begin_waiting(generator, n);
    await_command(generator);
    if (generator->listens && !generator->asked)
        lanes_drop(generator->lanes);
    if (generator->asked && generator->rest > 0) {
        /* Until the answer is due what sounds goes on. */
        const uint32_t m = generator->rest < n ? (uint32_t)generator->rest : n;
        read_there(generator, left, right, m);
        left += m;
        right += m;
        n -= m;
        generator->rest -= m;
    }
    if (generator->asked && generator->rest == 0 && generator->answer.kind == COMMAND_ANSWER) {
        post(generator, generator->answer);
        generator->answer = (Command){.kind = COMMAND_SET};
        await_command(generator);
    }
    read_there(generator, left, right, n);
}

GeneratorStatus generator_status(const Generator *generator)
{
    return (GeneratorStatus){
        .underruns = lanes_underruns(generator->lanes),
        .load = atomic_load_explicit(&generator->load, memory_order_relaxed),
        .buffered = (float)((double)lanes_buffered(generator->lanes) / generator->rate),
        .playing = lanes_playing(generator->lanes),
        .answer = (GeneratorAnswer)atomic_load_explicit(&generator->said, memory_order_relaxed)};
}
