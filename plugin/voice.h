/* What the keys do: the last key held says which texture plays and how loud, and a released one
 * fades out. Until the first key the texture plays by itself. Audio thread. */
#ifndef BRUME_PLUGIN_VOICE_H
#define BRUME_PLUGIN_VOICE_H

#include "plugin/ramp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOICE_KEYS 32

typedef struct VoiceKey {
    uint8_t note, velocity;
    bool released; /* let go, but held by the sustain pedal */
} VoiceKey;

typedef struct Voice {
    VoiceKey held[VOICE_KEYS]; /* the last one plays */
    size_t count;
    bool pedal;
    uint8_t note; /* shifts the seed; 0 before the first key */
    Ramp level;
    double rate;
} Voice;

/* As before the first key. */
void voice_reset(Voice *voice, double rate);

/* One MIDI message of n bytes, any channel. True if the texture of voice->note is to start over. */
bool voice_midi(Voice *voice, const uint8_t *message, size_t n);

#endif
