/* A MIDI file: what is read must be a melody in order. */
#include "tests/fuzz/fuzz.h"

#include "models/midi.h"

#include <math.h>
#include <stdlib.h>

static void check(const MidiMelody *melody)
{
    double end = 0.0;
    if (!melody->count)
        abort();
    for (size_t i = 0; i < melody->count; i++) {
        const MidiNote *note = &melody->notes[i];
        if (!(note->beat >= end - 1e-9) || !(note->beats > 0.0) || !isfinite(note->second) ||
            !isfinite(note->seconds) || note->seconds < 0.0 || note->pitch > 127 ||
            note->velocity < 1 || note->velocity > 127)
            abort();
        end = note->beat + note->beats;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    MidiMelody melody;
    Error err = {""};
    if (midi_parse(bytes, size, &melody, &err) == 0)
        check(&melody);
    else if (!err.message[0] || melody.notes)
        abort();
    midi_free(&melody);
    return 0;
}
