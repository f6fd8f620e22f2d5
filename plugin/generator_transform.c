/* The generator's thread at work on what comes in. Sound goes into the lanes by the number of the
 * input's frame that it belongs to, later by a constant: so it cannot slip against the input,
 * whatever happens to either. */
#include "plugin/delay.h"
#include "plugin/generator_parts.h"

#include <string.h>

enum { PIECE = 256 };

uint64_t generator_latency(const SharedModel *model, double rate)
{
    const uint64_t latency = transform_playback_latency(shared_model_texture(model), rate);
    return (double)latency > DELAY_SECONDS * rate ? 0 : latency;
}

static TransformSettings settings_of(const Command *command)
{
    return (TransformSettings){.texture = command->settings, .strength = command->strength};
}

/* Makes a new stream of `lead` frames of silence (not more than it is late) and the input from
 * frame `since` on. False without a model, with one that is too late, or if memory is short: then
 * there is silence, and the status says so. */
static bool open_stream(Generator *generator, const Command *command, uint64_t since, uint64_t lead)
{
    const TransformSettings settings = settings_of(command);
    TransformPlayback *transform = NULL;
    const uint64_t latency =
        generator->model ? generator_latency(generator->model, generator->rate) : 0;
    if (latency > 0)
        transform = transform_playback_create(shared_model_texture(generator->model), &settings, 2,
                                              generator->rate, &generator->cancel, NULL);
    generator_change_source(generator, SOURCE_TRANSFORM, NULL, transform);
    atomic_store(&generator->said, transform || !generator->model ? GENERATOR_LISTENS
                                   : latency > 0                  ? GENERATOR_FAILS
                                                                  : GENERATOR_TARDY);
    if (!transform)
        return false;
    generator->origin = generator->fed = since;
    generator->lead = lead;
    generator->silent = 0;
    generator->begins = since + latency - lead;
    lanes_begin(generator->lanes, generator->begins);
    return true;
}

int transforming_begin(Generator *generator, const Command *command)
{
    uint64_t since = command->since, lead = 0;
    if (command->end > 0 && generator->model) {
        const uint64_t latency = generator_latency(generator->model, generator->rate);
        const uint64_t there = command->end - since;
        since = there > latency ? command->end - latency : since;
        lead = there > latency ? 0 : latency - there;
    }
    if (open_stream(generator, command, since, lead))
        lanes_offer(generator->lanes, LANES_HARD, command->serial);
    return 0;
}

void transforming_set(Generator *generator, const Command *command)
{
    const TransformSettings settings = settings_of(command);
    const uint64_t from = command->from > generator->origin ? command->from - generator->origin : 0;
    if (generator->transform)
        transform_playback_set(generator->transform, &settings, generator->lead + from);
}

/* How far what was heard may be used: not beyond where settings that still wait are to begin. */
static uint64_t feed_end(const Generator *generator)
{
    const Request *request = &generator->request;
    const uint64_t heard = hearing_heard(generator->hearing);
    if (!request->there || request->command.kind != COMMAND_SET || request->command.from > heard)
        return heard;
    return request->command.from > generator->fed ? request->command.from : generator->fed;
}

/* As much as goes in and out at once. Returns how many frames that were, or -1 when cancelled. */
static int feed(Generator *generator)
{
    float in[2 * PIECE], out[2 * PIECE];
    const uint64_t left = feed_end(generator) - generator->fed;
    const size_t n = left < PIECE ? (size_t)left : PIECE;
    const size_t there = lanes_room(generator->lanes), room = there < PIECE ? there : PIECE;
    size_t used, made;
    const bool leads = generator->silent < generator->lead;
    const uint64_t rest = generator->lead - generator->silent;
    if (leads)
        memset(in, 0, sizeof in);
    else
        hearing_copy(generator->hearing, generator->fed, in, n);
    const size_t given = !leads ? n : rest < PIECE ? (size_t)rest : PIECE;
    const int failed =
        transform_playback_process(generator->transform, in, given, &used, out, room, &made, NULL);
    *(leads ? &generator->silent : &generator->fed) += used;
    lanes_write(generator->lanes, out, made);
    return failed ? -1 : (int)(used + made);
}

/* The new model transforms what was heard of late first, so that it is there when the old one's
 * sound fades into its own: it must not begin later than that one does, of which nothing more
 * comes. What too little was heard for begins with silence. */
int transforming_swap(Generator *generator, const Command *command)
{
    if (!generator->model)
        return 0;
    const uint64_t latency = generator_latency(generator->model, generator->rate);
    const uint64_t horizon = lanes_horizon(generator->lanes);
    const uint64_t oldest = hearing_oldest(generator->hearing);
    const uint64_t start = horizon > generator->begins ? horizon : generator->begins;
    const uint64_t wanted = start > latency ? start - latency : 0;
    const uint64_t since = wanted > oldest ? wanted : oldest;
    const uint64_t lead = latency > start - since ? latency - (start - since) : 0;
    if (!open_stream(generator, command, since, lead))
        return 0;
    const size_t least = lanes_least(generator->lanes);
    for (int moved = 1; moved > 0;) {
        const uint64_t passed = lanes_horizon(generator->lanes);
        const uint64_t late = passed > start ? passed - start : 0;
        if (lanes_waiting(generator->lanes) >= least + late)
            break;
        hearing_take(generator->hearing);
        moved = feed(generator);
        if (moved < 0)
            return -1;
    }
    lanes_offer(generator->lanes, LANES_ALIGNED, command->serial);
    return 0;
}

/* So far behind that nothing which comes would still be in time: from here on anew. */
static void skip(Generator *generator)
{
    const Command command = {.settings = generator->settings,
                             .strength = generator->strength,
                             .serial = atomic_load(&generator->settled)};
    if (open_stream(generator, &command, hearing_heard(generator->hearing), 0))
        lanes_offer(generator->lanes, LANES_ALIGNED, command.serial);
}

bool transforming_work(Generator *generator)
{
    const uint64_t latency = generator_latency(generator->model, generator->rate);
    if (!atomic_load(&generator->unhurried) && lanes_spare(generator->lanes) &&
        hearing_heard(generator->hearing) - generator->fed > latency) {
        skip(generator);
        return true;
    }
    const int moved = feed(generator);
    if (moved < 0) /* what interrupted it is obeyed first; then the chunk is gone on with */
        atomic_store(&generator->cancel, atomic_load(&generator->quit));
    return moved != 0;
}
