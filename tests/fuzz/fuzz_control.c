/* What comes in at the plugin's ports: events at the two inputs, with every size and type in them
 * hostile, and any number at the controls. A host vouches for no more than the size of the sequence
 * itself. Input: three bytes (frames, changes of controls, share of the first input), the changes
 * (a port and a float each), then the bodies of the two sequences. */
#include "tests/fuzz/fuzz.h"

#include "plugin/ports.h"
#include "tests/fuzz/instance.h"

#include <lv2/atom/atom.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 256, NOTIFY = 512, CHANGE = 1 + sizeof(float), BLOCKS = 2 };

typedef struct Input {
    const uint8_t *bytes;
    size_t left;
} Input;

static uint8_t take_byte(Input *input)
{
    if (!input->left)
        return 0;
    input->left--;
    return *input->bytes++;
}

static void take_controls(Input *input, unsigned changes, float *values)
{
    for (; changes > 0 && input->left >= CHANGE; changes--) {
        const unsigned port = take_byte(input) % PORT_COUNT;
        memcpy(&values[port], input->bytes, sizeof(float));
        input->bytes += sizeof(float);
        input->left -= sizeof(float);
    }
}

/* A sequence with the next `size` bytes as its body, in memory of its own. */
static LV2_Atom_Sequence *take_sequence(Input *input, size_t size)
{
    LV2_Atom_Sequence *sequence = calloc(1, sizeof *sequence + size);
    if (!sequence)
        abort();
    LV2_URID_Map *map = instance_map();
    sequence->atom.type = map->map(map->handle, LV2_ATOM__Sequence);
    sequence->atom.size = (uint32_t)(sizeof(LV2_Atom_Sequence_Body) + size);
    memcpy(sequence + 1, input->bytes, size);
    input->bytes += size;
    input->left -= size;
    return sequence;
}

static void check_sound(const float *sound)
{
    for (size_t i = 0; i < FRAMES; i++)
        if (!isfinite(sound[i]))
            abort();
}

static void play(LV2_Handle plugin, Input *input)
{
    static float values[PORT_COUNT];
    float in[2][FRAMES] = {{0.5f}}, out[2][FRAMES] = {{0}};
    union {
        LV2_Atom atom;
        uint64_t room[NOTIFY / sizeof(uint64_t)];
    } notify;
    const LV2_Descriptor *d = instance_descriptor();
    const uint32_t frames = take_byte(input);
    const unsigned changes = take_byte(input) % 16, share = take_byte(input);
    for (unsigned i = 0; i < PORT_COUNT; i++) {
        const PortRange *range = port_range((PortIndex)i);
        values[i] = range ? range->usual : 0.0f;
        d->connect_port(plugin, i, &values[i]);
    }
    take_controls(input, changes, values);
    values[PORT_FREEWHEEL] = 0.0f; /* there is nothing to wait for */
    LV2_Atom_Sequence *control = take_sequence(input, input->left * share / 255);
    LV2_Atom_Sequence *keys = take_sequence(input, input->left);
    d->connect_port(plugin, PORT_IN_L, in[0]);
    d->connect_port(plugin, PORT_IN_R, in[1]);
    d->connect_port(plugin, PORT_OUT_L, out[0]);
    d->connect_port(plugin, PORT_OUT_R, out[1]);
    d->connect_port(plugin, PORT_CONTROL, control);
    d->connect_port(plugin, PORT_KEYS, keys);
    d->connect_port(plugin, PORT_NOTIFY, &notify);
    for (int block = 0; block < BLOCKS; block++) {
        notify.atom.size = sizeof notify;
        d->run(plugin, frames);
        check_sound(out[0]);
        check_sound(out[1]);
    }
    free(control);
    free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Input input = {bytes, size};
    LV2_Handle plugin = instance_open();
    play(plugin, &input);
    instance_descriptor()->cleanup(plugin);
    return 0;
}
