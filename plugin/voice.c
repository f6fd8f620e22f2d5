#include "plugin/voice.h"

#include <lv2/midi/midi.h>

#include <string.h>

/* Seconds. */
#define ATTACK  0.02
#define RELEASE 0.3
#define CUT     0.005

static uint32_t samples_of(const Voice *voice, double seconds)
{
    return (uint32_t)(seconds * voice->rate);
}

void voice_reset(Voice *voice, double rate)
{
    *voice = (Voice){.rate = rate};
    ramp_jump(&voice->level, 1.0f);
}

/* Lets the key at `index` go for good. */
static void key_drop(Voice *voice, size_t index)
{
    voice->count--;
    memmove(&voice->held[index], &voice->held[index + 1],
            (voice->count - index) * sizeof voice->held[0]);
}

/* The last key held plays, or nothing any more. True if that is another than before. */
static bool follow(Voice *voice)
{
    if (voice->count == 0) {
        ramp_aim(&voice->level, 0.0f, samples_of(voice, RELEASE));
        return false;
    }
    const VoiceKey *key = &voice->held[voice->count - 1];
    const bool other = key->note != voice->note;
    voice->note = key->note;
    ramp_aim(&voice->level, (float)key->velocity / 127.0f, samples_of(voice, ATTACK));
    return other;
}

static bool key_press(Voice *voice, uint8_t note, uint8_t velocity)
{
    for (size_t i = 0; i < voice->count; i++)
        if (voice->held[i].note == note) {
            key_drop(voice, i);
            break;
        }
    if (voice->count == VOICE_KEYS)
        key_drop(voice, 0);
    voice->held[voice->count++] = (VoiceKey){.note = note, .velocity = velocity};
    follow(voice);
    return true;
}

static bool key_release(Voice *voice, uint8_t note)
{
    for (size_t i = 0; i < voice->count; i++)
        if (voice->held[i].note == note) {
            if (voice->pedal) {
                voice->held[i].released = true;
                return false;
            }
            key_drop(voice, i);
            return follow(voice);
        }
    return false;
}

static bool pedal_move(Voice *voice, bool down)
{
    voice->pedal = down;
    if (down)
        return false;
    bool dropped = false;
    for (size_t i = voice->count; i-- > 0;)
        if (voice->held[i].released) {
            key_drop(voice, i);
            dropped = true;
        }
    return dropped && follow(voice);
}

static bool controller(Voice *voice, uint8_t number, uint8_t value)
{
    switch (number) {
    case LV2_MIDI_CTL_SUSTAIN:
        return pedal_move(voice, value >= 64);
    case LV2_MIDI_CTL_ALL_SOUNDS_OFF:
        voice->count = 0;
        ramp_aim(&voice->level, 0.0f, samples_of(voice, CUT));
        return false;
    case LV2_MIDI_CTL_ALL_NOTES_OFF:
        voice->count = 0;
        return follow(voice);
    default:
        return false;
    }
}

bool voice_midi(Voice *voice, const uint8_t *message, size_t n)
{
    if (n < 3 || (message[1] | message[2]) > 127)
        return false;
    switch (lv2_midi_message_type(message)) {
    case LV2_MIDI_MSG_NOTE_ON:
        return message[2] > 0 ? key_press(voice, message[1], message[2])
                              : key_release(voice, message[1]);
    case LV2_MIDI_MSG_NOTE_OFF:
        return key_release(voice, message[1]);
    case LV2_MIDI_MSG_CONTROLLER:
        return controller(voice, message[1], message[2]);
    default:
        return false;
    }
}
