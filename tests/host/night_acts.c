/* A long night: what a player and a host do. */
#include "plugin/ports.h"
#include "tests/host/night_parts.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const PortIndex knobs[] = {PORT_TEXTURE, PORT_MORPH_TO, PORT_MORPH, PORT_SEED,
                                  PORT_STEPS,   PORT_SYNC,     PORT_WIDTH, PORT_DRY,
                                  PORT_WET,     PORT_STRENGTH, PORT_TOP_P, PORT_TEMPERATURE,
                                  PORT_ANSWER};
enum { KNOBS = sizeof knobs / sizeof *knobs, PRESETS = 64 };

static const char *const modes[] = {"texture", "continue", "transform"};

/* Mostly within its range, sometimes at an end, rarely what is no value at all. Steps are mostly
 * few, as on most machines. */
static float draw_value(Night *night, const PortRange *range, PortIndex port)
{
    const float odd[] = {
        range->minimum, range->maximum, range->minimum - 1e6F, range->maximum + 1e6F, NAN,
        INFINITY};
    if (night_pick(night, 8) == 0)
        return odd[night_pick(night, night_pick(night, 4) ? 2 : 6)];
    if (port == PORT_STEPS)
        return (float)floor(night_draw_between(night, 1, 33));
    return range->minimum + (float)night_draw(night) * (range->maximum - range->minimum);
}

static void turn_knobs(Night *night)
{
    for (uint32_t count = 1 + night_pick(night, 4); count > 0; count--) {
        const PortIndex port = knobs[night_pick(night, KNOBS)];
        const PortRange *range = port_range(port);
        const float value = draw_value(night, range, port);
        host_set(night->host, range->symbol, value);
        night->report->knobs++;
        night_tell(night, "%s = %g", range->symbol, (double)value);
    }
}

static void sweep_knob(Night *night)
{
    night->swept = night->swept >= 0 ? -1 : (int)knobs[night_pick(night, KNOBS)];
    night_tell(night, "sweeps %s", night->swept < 0 ? "nothing" : port_range(night->swept)->symbol);
}

static void change_mode(Night *night)
{
    const uint32_t mode = night_pick(night, 3);
    host_set(night->host, "mode", (float)mode);
    night->report->modes++;
    night_tell(night, "mode %s", modes[mode]);
}

static void change_input(Night *night)
{
    night->input = (NightInput)night_pick(night, night_pick(night, 4) ? 3 : NIGHT_INPUTS);
    night->heard = 0;
    night_tell(night, "input %d", (int)night->input);
}

static void press_go(Night *night)
{
    host_set(night->host, "go", 1);
    night_play(night, 0.01);
    host_set(night->host, "go", 0);
    night_tell(night, "go");
}

/* Models that play, and files that are none. The worker has done with it by half of the time. */
static void swap_model(Night *night)
{
    char path[2][4300];
    snprintf(path[0], sizeof path[0], "%s/models/texture.safetensors", host_tiny_bundle());
    snprintf(path[1], sizeof path[1], "%s/../other.safetensors", host_tiny_bundle());
    const char *const files[] = {
        "", path[0], path[1], "melody", "/nowhere.safetensors", "/proc/self/exe"};
    const char *file = files[night_pick(night, sizeof files / sizeof *files)];
    host_choose(night->host, file);
    night->report->swaps++;
    night_tell(night, "model \"%s\"", file);
    if (night_pick(night, 2))
        night_settle(night);
}

static void swap_melody(Night *night)
{
    char tunes[4300];
    snprintf(tunes, sizeof tunes, "%s/../tunes.safetensors", host_tiny_bundle());
    const char *const files[] = {"", tunes, "texture", "/nowhere.safetensors"};
    const char *file = files[night_pick(night, sizeof files / sizeof *files)];
    host_choose_melody(night->host, file);
    night->report->melodies++;
    night_tell(night, "melody model \"%s\"", file);
}

static void jump(Night *night)
{
    night->rolls = night_pick(night, 4) > 0;
    night->position = (int64_t)(night_draw(night) * 600 * night->rate);
    host_position(night->host, 0, night->position, night->rolls,
                  (float)fmod((double)night->position * 2 / night->rate, 4));
    night->report->jumps++;
    night_tell(night, "transport %s at %.3f s", night->rolls ? "rolls" : "stands",
               (double)night->position / night->rate);
}

/* Off, what comes in passes unchanged, later by the latency. */
static void bypass(Night *night)
{
    host_set(night->host, "enabled", 0);
    night_tell(night, "bypass");
    night_play(night, 0.5);
    night->compares =
        night->input != NIGHT_HOSTILE && host_get(night->host, "latency") == 0 && night->swept < 0;
    night_play(night, night_draw_between(night, 0.1, 4));
    night->compares = false;
    host_set(night->host, "enabled", 1);
    night->report->bypasses++;
}

static void save(Night *night)
{
    host_save(night->host, night->folder);
    night->saved = true;
    night->report->saves++;
    night_tell(night, "saves");
}

typedef struct Saving {
    Night *night;
    atomic_bool done;
} Saving;

static void *save_there(void *user)
{
    Saving *saving = user;
    host_save(saving->night->host, saving->night->folder);
    atomic_store(&saving->done, true);
    return NULL;
}

/* On another thread, while it plays. */
static void save_meanwhile(Night *night)
{
    pthread_t thread;
    Saving saving = {night, false};
    night_tell(night, "saves, and plays on");
    night->watching = false;
    if (pthread_create(&thread, NULL, save_there, &saving))
        abort();
    do
        night_play(night, 0.01);
    while (!atomic_load(&saving.done));
    pthread_join(thread, NULL);
    night->watching = true;
    night->saved = true;
    night->report->saves++;
}

static int by_name(const void *a, const void *b)
{
    const LilvNode *const *x = a, *const *y = b;
    return strcmp(lilv_node_as_uri(*x), lilv_node_as_uri(*y));
}

static void restore(Night *night)
{
    LilvNode *presets[PRESETS];
    night->report->restores++;
    if (night->saved && night_pick(night, 2)) {
        night_tell(night, "restores");
        host_restore(night->host, night->folder);
        return;
    }
    const size_t count = host_presets(night->host, presets, PRESETS);
    qsort(presets, count, sizeof *presets, by_name); /* lilv's order is another each time */
    const uint32_t chosen = night_pick(night, (uint32_t)count);
    LilvState *state = host_preset(night->host, presets[chosen]);
    night_tell(night, "preset %s", lilv_node_as_uri(presets[chosen]));
    host_restore_preset(night->host, state);
    lilv_state_free(state);
    for (size_t i = 0; i < count; i++)
        lilv_node_free(presets[i]);
}

/* Keys, the pedal, all off, and what else MIDI holds; several in one block. */
static void play_keys(Night *night)
{
    static const uint8_t kinds[] = {0x90, 0x90, 0x80, 0xb0, 0xe0, 0xc0, 0xf8};
    static const uint8_t controllers[] = {64, 64, 120, 123, 7};
    const uint32_t count = 1 + night_pick(night, 6);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t kind = kinds[night_pick(night, sizeof kinds)];
        const uint8_t what = kind == 0xb0 ? controllers[night_pick(night, sizeof controllers)]
                                          : (uint8_t)(48 + night_pick(night, 24));
        host_midi(night->host, i, kind, what, (uint8_t)night_pick(night, 128));
        night->report->keys++;
    }
    night_tell(night, "%u MIDI messages", count);
}

static void ask(Night *night)
{
    if (night_pick(night, 2))
        host_send_nonsense(night->host);
    else
        host_ask(night->host, NULL);
    night_tell(night, "messages");
}

static void change_blocks(Night *night)
{
    static const uint32_t sizes[] = {0, 0, 1, 32, 64, 100, 256, 1024, 1024, 4096, 8192};
    night->block = sizes[night_pick(night, sizeof sizes / sizeof *sizes)];
    if (night->block == 1 && night_pick(night, 4))
        night->block = 480;
    night_tell(night, "blocks of %u", night->block);
}

static void reactivate(Night *night)
{
    night_tell(night, "off and on");
    host_deactivate(night->host);
    night_activate(night);
}

/* In real time a stretch of export; in freewheel the next export. */
static void export(Night *night)
{
    night_tell(night, "exports");
    night->report->exports++;
    if (!night->plan->paced) {
        host_set(night->host, "freewheel", 0);
        host_run(night->host, 0);
        host_set(night->host, "freewheel", 1);
        return;
    }
    host_set(night->host, "freewheel", 1);
    night->exporting = true;
    night_play(night, night_draw_between(night, 0.2, 4));
    night->exporting = false;
    host_set(night->host, "freewheel", 0);
}

void night_act(Night *night)
{
    static const struct {
        void (*act)(Night *);
        uint32_t weight;
    } acts[] = {{turn_knobs, 30}, {sweep_knob, 4}, {change_mode, 12},   {change_input, 10},
                {press_go, 6},    {swap_model, 8}, {swap_melody, 4},    {jump, 8},
                {bypass, 4},      {save, 3},       {save_meanwhile, 2}, {restore, 4},
                {play_keys, 8},   {ask, 4},        {change_blocks, 6},  {reactivate, 1},
                {export, 2}};
    enum { ACTS = sizeof acts / sizeof *acts };
    uint32_t sum = 0, i = 0;
    for (uint32_t k = 0; k < ACTS; k++)
        sum += acts[k].weight;
    for (uint32_t at = night_pick(night, sum); at >= acts[i].weight; i++)
        at -= acts[i].weight;
    acts[i].act(night);
}
